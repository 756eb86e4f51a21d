#!/usr/bin/env python
"""Does anything after a cutoff reach a view? See ``--help`` and configs/audit.yaml."""

import sys

try:
    from omniretail.commands.audit import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/audit.py")

if __name__ == "__main__":
    main()
