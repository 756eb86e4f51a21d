"""Segments: clusters of customers, what distinguishes each, and whether they last. Arrays in, tables out."""
