"""Which code, on which versions, produced a run."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# what decides results; the whole environment is in pyproject.toml at the recorded commit
_PACKAGES = ("omniretail", "numpy", "scipy", "pandas", "scikit-learn", "implicit", "duckdb", "ibis-framework", "torch")


def provenance() -> dict[str, str]:
    """Tags that let anybody find the code again: commit, whether it was changed since, command, versions."""
    commit = _git("rev-parse", "HEAD")
    tags = {
        "mlflow.source.name": Path(sys.argv[0]).name or "python",
        "command": " ".join(["python", *sys.argv])[:5000],
        "python": platform.python_version(),
    }
    if commit:
        tags |= {"mlflow.source.git.commit": commit, "git_dirty": str(bool(_git("status", "--porcelain"))).lower()}
    return tags | {f"version/{name}": found for name in _PACKAGES if (found := _version(name))}


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=Path(__file__).parent, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
