"""Raw files to the test fold, with an empty cache and with a full one; or a large CSV beside pandas and DuckDB."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.arguments import parser, prepared
from benchmarks.views_of_csv import WAYS
from omniretail.core.resources import metered


def main(arguments: list[str]) -> None:
    """Print seconds and peak memory."""
    made = parser("views", __doc__, "source=complete_journey")
    made.add_argument("--rows", type=int, help="of a made-up CSV, read in each way in a process of its own")
    options = made.parse_intermixed_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if options.rows:
            _beside_others(options.rows, Path(folder))
        else:
            _twice(options.settings, Path(folder))


def _twice(settings: list[str], cache: Path) -> None:
    with metered() as cold:
        prepared(settings, cache)
    with metered() as warm:
        fold = prepared(settings, cache)
    print(
        f"{' '.join(settings)}, {len(fold.train.histories.item_idx):,} training events: cold {cold.seconds:.2f} s, "
        f"from the cache {warm.seconds:.2f} s, peak {max(cold.peak_memory_mb, warm.peak_memory_mb):,.0f} MiB"
    )


def _beside_others(rows: int, folder: Path) -> None:
    log = folder / "log.csv"
    one = [sys.executable, "-m", "benchmarks.views_of_csv"]  # else a process counts the memory of the one it comes from
    subprocess.run([*one, "write", str(log), str(rows)], check=True)
    print(f"{rows:,} rows, {log.stat().st_size / 2**20:,.0f} MiB of CSV")
    for way in WAYS:
        print(subprocess.run([*one, way, str(log)], check=True, capture_output=True, text=True).stdout, end="")
