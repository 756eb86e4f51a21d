#!/usr/bin/env python
"""Answer a file of requests with a registered model: see ``--help`` and configs/registry/score.yaml."""

import sys

try:
    from omniretail.commands.score import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/score.py")

if __name__ == "__main__":
    main()
