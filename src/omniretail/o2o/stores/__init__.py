"""Stores: which one a customer visits next, and who is sent where when places are few."""
