"""Start the team's MLflow server on this machine, behind passwords: see docs/server.md for its settings."""

import argparse
import os
import sys


def main() -> None:
    """Check all that must be there, start, and say how to use it."""
    parser = argparse.ArgumentParser(description=__doc__)
    text = "give the admin that there is the password in MLFLOW_AUTH_ADMIN_PASSWORD, and end"
    parser.add_argument("--set-password", action="store_true", help=text)
    arguments = parser.parse_args()

    from omniretail.tracking.server import ServerError, check, check_admin, read_settings, serve, set_password

    try:
        settings = read_settings(os.environ)
        if arguments.set_password:
            set_password(settings)
            print(f"'{settings.username}' has the new password; start the server as always")
            return
        check(settings)
        check_admin(settings)
        sys.exit(serve(settings, lambda text: print(text, flush=True)))
    except ServerError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
