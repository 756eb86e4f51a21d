#!/usr/bin/env python
"""Put any set of runs, or whole sweeps, into one table per protocol: see ``--help``."""

from omniretail.commands.compare import main

if __name__ == "__main__":
    main()
