"""Segments: which groups customers fall into, what sets each apart, and whether they last. Arrays in, tables out."""
