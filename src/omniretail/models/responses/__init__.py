"""Response models: one probability to act per row."""
