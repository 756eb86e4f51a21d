"""What it takes to read the Tianchi O2O contest's files at their full size, from files made in their shape."""

import tempfile
from multiprocessing import get_context
from pathlib import Path

from benchmarks.tianchi_shaped import OFFLINE_ROWS, ONLINE_ROWS, TEST_ROWS, write_tianchi_shaped
from omniretail.core.engine import count
from omniretail.core.resources import metered
from omniretail.models.responses.lightgbm import LightGBM
from omniretail.o2o.offers.tianchi import JUDGE, contest_rows, evaluate
from omniretail.sources.protocol import load
from omniretail.sources.tianchi_o2o import TianchiO2O


def tianchi() -> None:
    """Write the files, read them, make the rows of a window, fit and judge a model; print each step's cost."""
    with tempfile.TemporaryDirectory() as folder:
        raw, cache = Path(folder) / "raw", Path(folder) / "cache"
        writer = get_context("spawn").Process(target=write_tianchi_shaped, args=(raw,))  # its memory is not ours
        writer.start()
        writer.join()
        with metered() as cold:
            load(TianchiO2O(raw), cache)
        with metered() as warm:
            tables = load(TianchiO2O(raw), cache)
        events = count(tables.events)
        with metered() as window:
            found = contest_rows(tables, JUDGE["val"])
        with metered() as judged:
            figures = evaluate(LightGBM(), tables, "val")
    rows = OFFLINE_ROWS + ONLINE_ROWS + TEST_ROWS
    print(f"{rows:,} made rows to {events:,} events; seconds and peak MiB of each step:")
    steps = {
        "raw files to tables": cold,
        "tables from the cache": warm,
        f"a window of {len(found.y):,} receipts with features": window,
        "two windows, LightGBM fitted and judged": judged,
    }
    for step, cost in steps.items():
        print(f"  {step}: {cost.seconds:.1f} s, {cost.peak_memory_mb:,.0f} MiB")
    print(f"mean AUC per coupon, on what was made: {figures['auc_per_offer']:.3f}")
