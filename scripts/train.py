#!/usr/bin/env python
"""Train and evaluate one model by its task, or sweep over many: see ``--help`` and configs/train.yaml."""

from omniretail.commands.train import main

if __name__ == "__main__":
    main()
