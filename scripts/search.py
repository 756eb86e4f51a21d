#!/usr/bin/env python
"""Search a model's hyper-parameters by its task: see ``--help`` and configs/search.yaml."""

import sys

try:
    from omniretail.commands.search import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/search.py")

if __name__ == "__main__":
    main()
