"""Profile encoders: a customer's history as a vector."""
