#!/usr/bin/env python
"""Send a run that was saved locally, because its tracking server was down, to that server: see ``--help``."""

import sys

try:
    from omniretail.commands.push import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/push.py")

if __name__ == "__main__":
    main()
