"""What ``scripts/`` and ``python -m omniretail`` run: one module per command, each with a ``main``."""
