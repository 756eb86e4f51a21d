"""What a log holds, before anything is trained on it."""
