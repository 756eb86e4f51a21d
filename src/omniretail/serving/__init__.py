"""Answers requests with a saved model: what a service runs. It imports nothing that only training needs."""
