#!/usr/bin/env python
"""Start the team's MLflow server on this machine, behind passwords: see ``--help`` and docs/server.md."""

from omniretail.commands.server import main

if __name__ == "__main__":
    main()
