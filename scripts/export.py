#!/usr/bin/env python
"""Register what a run has learned, and decide which version serves: see ``--help`` and configs/registry/export.yaml."""

import sys

try:
    from omniretail.commands.export import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/export.py")

if __name__ == "__main__":
    main()
