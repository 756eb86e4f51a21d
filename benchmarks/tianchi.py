"""The Tianchi O2O contest at full size, on generated files: seconds and memory of each step."""

import tempfile
from multiprocessing import get_context
from pathlib import Path

from benchmarks.arguments import parser
from benchmarks.tianchi_shaped import OFFLINE_ROWS, ONLINE_ROWS, TEST_ROWS, write_tianchi_shaped
from omniretail.core.engine import count
from omniretail.core.resources import metered
from omniretail.models.responses.lightgbm import LightGBM
from omniretail.o2o.offers.tianchi import JUDGE, contest_rows, evaluate
from omniretail.sources.protocol import load
from omniretail.sources.tianchi_o2o import TianchiO2O


def main(arguments: list[str]) -> None:
    """Write the files, read them, make the rows of a window, fit and evaluate a model; print each step's cost."""
    options = parser("tianchi", __doc__)
    options.add_argument("--offline", type=int, default=OFFLINE_ROWS, help="rows of the offline training file")
    options.add_argument("--online", type=int, default=ONLINE_ROWS, help="rows of the online training file")
    options.add_argument("--test", type=int, default=TEST_ROWS, help="rows of the test file")
    chosen = options.parse_args(arguments)
    rows = (chosen.offline, chosen.online, chosen.test)
    with tempfile.TemporaryDirectory() as folder:
        raw, cache = Path(folder) / "raw", Path(folder) / "cache"
        # in a process of its own, whose memory does not count
        writer = get_context("spawn").Process(target=write_tianchi_shaped, args=(raw, *rows))
        writer.start()
        writer.join()
        with metered() as cold:
            load(TianchiO2O(raw), cache)
        with metered() as warm:
            tables = load(TianchiO2O(raw), cache)
        events = count(tables.events)
        with metered() as window:
            contest = contest_rows(tables, JUDGE["val"])
        with metered() as evaluation:
            metrics = evaluate(LightGBM(), tables, "val")
    print(f"{sum(rows):,} generated rows to {events:,} events; seconds and peak MiB of each step:")
    steps = {
        "raw files to tables": cold,
        "tables from the cache": warm,
        f"a window of {len(contest.y):,} receipts with features": window,
        "two windows, LightGBM fitted and evaluated": evaluation,
    }
    for step, cost in steps.items():
        print(f"  {step}: {cost.seconds:.1f} s, {cost.peak_memory_mb:,.0f} MiB")
    print(f"mean AUC per coupon, on generated data: {metrics['auc_per_offer']:.3f}")
