#!/usr/bin/env python
"""Fetch public datasets into the data root, from their publishers' addresses."""

from omniretail.commands.fetch import main

if __name__ == "__main__":
    main()
