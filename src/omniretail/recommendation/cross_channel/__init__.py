"""Two channels that share customers: what the one tells about the other."""
