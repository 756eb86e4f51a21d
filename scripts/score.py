#!/usr/bin/env python
"""Answer a file of requests with a registered model: see ``--help`` and configs/registry/score.yaml."""

from omniretail.commands.score import main

if __name__ == "__main__":
    main()
