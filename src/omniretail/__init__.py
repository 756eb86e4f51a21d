"""omniretail: profiles, recommenders and O2O models for digital retail under one leak-free protocol."""

__version__ = "0.1.0"
