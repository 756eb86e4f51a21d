#!/usr/bin/env python
"""Send a run that was saved locally, because its tracking server was down, to that server: see ``--help``."""

from omniretail.commands.push import main

if __name__ == "__main__":
    main()
