"""One way of reading a large log, in a process of its own: ours, pandas', DuckDB's."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from benchmarks.arguments import prepared
from omniretail.core.threads import n_threads


def write_log(path: Path, rows: int, seed: int = 0) -> None:
    """A log of views, carts and purchases in a year; twenty events per customer, 50,000 items."""
    rng = np.random.default_rng(seed)
    seconds = np.datetime64("2023-01-01", "s") + rng.integers(0, 365 * 86_400, rows)
    columns = {
        "user_id": rng.integers(0, max(rows // 20, 1), rows),
        "item_id": (rng.random(rows) ** 2 * 50_000).astype(np.int64),
        "timestamp": np.datetime_as_string(seconds),
        "event_type": np.array(["view", "cart", "purchase"])[rng.choice(3, rows, p=[0.8, 0.1, 0.1])],
        "quantity": rng.integers(1, 5, rows),
        "value": (rng.random(rows) * 100).round(2),
    }
    csv.write_csv(pa.table(columns), path)


def _ours(path: Path) -> str:
    """Canonical tables and the test fold, all checks on, an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        fold = prepared(["source=csv", f"source.path={path}"], Path(cache))
    return f"{len(fold.train.histories.item_idx):,} training events, {len(fold.user_ids):,} judged customers"


def _pandas(path: Path) -> str:
    """Reading, and numbering of users and items; no checks, no order, no split."""
    log = pd.read_csv(path, parse_dates=["timestamp"])
    for name in ("user_id", "item_id"):
        log[name] = pd.factorize(log[name])[0]
    return f"{len(log):,} rows"


def _duckdb(path: Path) -> str:
    """The same with DuckDB."""
    import duckdb

    connection = duckdb.connect(config={"threads": n_threads()})
    connection.execute("create table log as select * from read_csv(?)", [str(path)])
    for name in ("user", "item"):
        ids = connection.table("log").unique(f"{name}_id").order(f"{name}_id")
        ids.project(f"{name}_id, row_number() over () - 1 as {name}_idx").create(f"{name}s")
    numbered = connection.table("log").join(connection.table("users"), "user_id")
    numbered.join(connection.table("items"), "item_id").create("numbered")
    return f"{len(connection.table('numbered')):,} rows"


WAYS: dict[str, Callable[[Path], str]] = {"omniretail": _ours, "pandas": _pandas, "DuckDB": _duckdb}


def main(way: str, path: str, rows: str = "") -> None:
    """Run it and print its seconds and the peak memory of this process; ``write`` writes the log."""
    if way == "write":
        write_log(Path(path), int(rows))
        return
    start, cpu = time.perf_counter(), time.process_time()
    what = WAYS[way](Path(path))
    took, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{way:<10} {took:6.1f} s ({used:.1f} s of processor), peak {peak:,.0f} MiB: {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
