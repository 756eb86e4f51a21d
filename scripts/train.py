#!/usr/bin/env python
"""Train and evaluate one model by its task, or sweep over many: see ``--help`` and configs/train.yaml."""

import sys

try:
    from omniretail.commands.train import main
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing in {sys.executable}: make install, then .venv/bin/python scripts/train.py")

if __name__ == "__main__":
    main()
