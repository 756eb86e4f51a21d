"""The team's MLflow server: bound to this machine, behind passwords, on SQLite and files or PostgreSQL and S3."""

from omniretail.tracking.server.checks import check
from omniretail.tracking.server.settings import ServerError, Settings, read_settings
from omniretail.tracking.server.start import announcement, serve
from omniretail.tracking.server.users import check_admin, set_password

__all__ = [
    "ServerError",
    "Settings",
    "announcement",
    "check",
    "check_admin",
    "read_settings",
    "serve",
    "set_password",
]
