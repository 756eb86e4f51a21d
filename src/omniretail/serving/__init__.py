"""Answers requests with a kept model: what a service runs. It imports nothing that is for learning alone."""
