"""The readable profile table and the features behind it."""
