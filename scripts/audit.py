#!/usr/bin/env python
"""Does anything after a cutoff reach a view? See ``--help`` and configs/audit.yaml."""

from omniretail.commands.audit import main

if __name__ == "__main__":
    main()
