"""Uplift learners: who acts because of the treatment."""
