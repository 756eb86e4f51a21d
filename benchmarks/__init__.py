"""Every number about speed: ``python -m benchmarks``."""
