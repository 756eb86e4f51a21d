#!/usr/bin/env python
"""Open MLflow's pages on the runs of a tracking store: see ``--help``."""

import sys

try:
    from omniretail.commands.ui import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/ui.py")

if __name__ == "__main__":
    main()
