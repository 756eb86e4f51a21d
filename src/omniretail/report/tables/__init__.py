"""Tables for terminal, Markdown and CSV."""
