#!/usr/bin/env python
"""Register what a run has learned, and decide which version serves: see ``--help`` and configs/registry/export.yaml."""

from omniretail.commands.export import main

if __name__ == "__main__":
    main()
