#!/usr/bin/env python
"""Fetch public datasets into the data root, from their publishers' addresses."""

import sys

try:
    from omniretail.commands.fetch import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/fetch.py")

if __name__ == "__main__":
    main()
