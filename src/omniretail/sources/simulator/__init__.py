"""A simulated retailer whose truth is known."""
