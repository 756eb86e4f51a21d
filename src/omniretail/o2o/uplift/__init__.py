"""Experiments with coupons: rows, effects, and what a ranking spends on those who would have bought anyway."""
