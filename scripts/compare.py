#!/usr/bin/env python
"""Put any set of runs, or whole sweeps, into one table per protocol: see ``--help``."""

import sys

try:
    from omniretail.commands.compare import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/compare.py")

if __name__ == "__main__":
    main()
