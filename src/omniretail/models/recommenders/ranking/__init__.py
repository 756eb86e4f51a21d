"""Candidates, inner windows and features of models that combine other recommenders."""
