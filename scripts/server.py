#!/usr/bin/env python
"""Start the team's MLflow server on this machine, behind passwords: see ``--help`` and docs/server.md."""

import sys

try:
    from omniretail.commands.server import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/server.py")

if __name__ == "__main__":
    main()
