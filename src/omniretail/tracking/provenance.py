"""Which code and which versions of packages produced a run."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from omniretail.core.credentials import hide

# those that decide results; the whole environment is in pyproject.toml at the recorded commit
_PACKAGES = ("omniretail", "numpy", "scipy", "pandas", "scikit-learn", "implicit", "duckdb", "ibis-framework", "torch")


def provenance() -> dict[str, str]:
    """Tags that identify the code: commit, whether there are uncommitted changes, command, versions.

    A package that is installed inside somebody's repository is not of that repository, and has no commit.
    """
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--error-unmatch", Path(__file__).name) else ""
    tags = {
        "mlflow.source.name": Path(sys.argv[0]).name or "python",
        "command": hide(" ".join(["python", *sys.argv]))[:5000],
        "python": platform.python_version(),
    }
    if commit:
        tags |= {"mlflow.source.git.commit": commit, "git_dirty": str(bool(_git("status", "--porcelain"))).lower()}
    return tags | {f"version/{name}": number for name in _PACKAGES if (number := _version(name))}


def _git(*arguments: str) -> str:
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")  # set by hooks of another repository
    own = {name: value for name, value in os.environ.items() if name not in elsewhere}
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent, timeout=10, env=own
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
