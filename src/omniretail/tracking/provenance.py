"""Which code and which versions of packages produced a run."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# those that decide results; the whole environment is in pyproject.toml at the recorded commit
_PACKAGES = ("omniretail", "numpy", "scipy", "pandas", "scikit-learn", "implicit", "duckdb", "ibis-framework", "torch")


def provenance() -> dict[str, str]:
    """Tags that identify the code: commit, whether there are uncommitted changes, command, versions."""
    commit = _git("rev-parse", "HEAD")
    tags = {
        "mlflow.source.name": Path(sys.argv[0]).name or "python",
        "command": " ".join(["python", *sys.argv])[:5000],
        "python": platform.python_version(),
    }
    if commit:
        tags |= {"mlflow.source.git.commit": commit, "git_dirty": str(bool(_git("status", "--porcelain"))).lower()}
    return tags | {f"version/{name}": number for name in _PACKAGES if (number := _version(name))}


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
