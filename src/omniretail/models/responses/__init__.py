"""Models of who acts: one probability per row."""
