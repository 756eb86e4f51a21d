"""Models: one file each, under its paper's name."""
