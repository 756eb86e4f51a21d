"""Leak audit: does anything after a cutoff reach a view, and what would that be worth?"""
