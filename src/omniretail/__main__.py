"""``python -m omniretail <command> …``: the commands of ``scripts/``, wherever the package is installed."""

import sys
from importlib import import_module
from pathlib import Path

from omniretail.core.extras import missing_package

COMMANDS = sorted(
    path.stem for path in (Path(__file__).parent / "commands").glob("*.py") if "def main(" in path.read_text()
)


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        sys.exit(f"usage: python -m omniretail <command> …; the commands are {', '.join(COMMANDS)}")
    try:
        command = import_module(f"omniretail.commands.{name}")
    except ModuleNotFoundError as error:
        sys.exit(f"error: {missing_package(error)}" if missing_package(error) else str(error))
    sys.argv = [f"omniretail {name}", *sys.argv[2:]]
    command.main()


if __name__ == "__main__":
    main()
