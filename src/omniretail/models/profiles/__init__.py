"""Encoders of customers: what someone did, as a vector that says who they are."""
