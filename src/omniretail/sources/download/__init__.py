"""Public datasets, from their publisher's address to the data root."""
