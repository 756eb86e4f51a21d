"""Start the team's MLflow server on this machine, behind passwords: see ``--help`` and docs/server.md."""

import os
import sys

import hydra
from omegaconf import DictConfig

from omniretail.commands import hydra_errors
from omniretail.config import CONFIGS


@hydra.main(version_base="1.3", config_path=str(CONFIGS / "registry"), config_name="server")
def _server(cfg: DictConfig) -> None:
    """Check everything that the server needs, start it, and say how to use it."""
    if cfg.action not in ("start", "set_password"):
        sys.exit(f"error: action={cfg.action} is none of start, set_password")
    from omniretail.tracking.server import ServerError, check, check_admin, read_settings, serve, set_password

    try:
        settings = read_settings(os.environ)
        if cfg.action == "set_password":
            set_password(settings)
            print(f"'{settings.username}' has the new password; start the server as always")
            return
        check(settings)
        check_admin(settings)
        sys.exit(serve(settings, lambda text: print(text, flush=True)))
    except ServerError as error:
        sys.exit(f"error: {error}")


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: with the server's status, or one sentence where it cannot start.
    """
    if "--set-password" in sys.argv:
        sys.exit("error: settings are written name=value: python scripts/server.py action=set_password")
    hydra_errors.run(_server, CONFIGS / "registry")
