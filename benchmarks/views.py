"""Raw files to the test fold, with an empty cache and with a full one: seconds, peak memory."""

import tempfile
from pathlib import Path

from benchmarks.arguments import parser, prepared
from omniretail.core.resources import metered


def main(arguments: list[str]) -> None:
    """Load twice and print."""
    settings = parser("views", __doc__, "source=complete_journey").parse_args(arguments).settings
    with tempfile.TemporaryDirectory() as cache:
        with metered() as cold:
            prepared(settings, Path(cache))
        with metered() as warm:
            fold = prepared(settings, Path(cache))
    print(
        f"{' '.join(settings)}, {len(fold.train.histories.item_idx):,} training events: cold {cold.seconds:.2f} s, "
        f"from the cache {warm.seconds:.2f} s, peak {max(cold.peak_memory_mb, warm.peak_memory_mb):,.0f} MiB"
    )
