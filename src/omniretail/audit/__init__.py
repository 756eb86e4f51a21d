"""Leak audit: whether anything after a moment reaches what was known at it, and what it would be worth if it did."""
