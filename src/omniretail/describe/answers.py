"""Which tasks a log can answer, and what it lacks for the others."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from omniretail.schema import Tables

_WINDOW_DAYS = 28


def answerable(tables: Tables, total: Mapping[str, Any]) -> pd.DataFrame:
    """Each task with a command that fits, or with what is missing: ``task, possible, settings``.

    Args:
        tables: of the log.
        total: from ``facts.totals``.
    """
    columns = set(tables.events.columns)
    days, clock = int(total["days"]), tables.card.clock
    horizon = max(min(_WINDOW_DAYS, days // 4), 1)
    channels = tables.events.channel.nunique().to_pyarrow().as_py()
    bought = any(tables.signals.signal(each) == "purchase" for each in tables.signals.event_types)
    attributes = tables.users is not None
    split = f"split.horizon_days={horizon}" if clock else "split=leave_last"
    dates = "" if clock else "dates"
    long_enough = dates or ("" if days >= 4 else "a log of at least four days")
    offers = "" if tables.offer_events is not None else "offers and mailings (source.offers_path, …)"
    rows: list[tuple[str, str, str]] = [
        ("recommendation", "" if total["items"] > 1 else "a second item", f"model=recommender/ease {split}"),
        ("cross_channel", "" if channels > 1 else "a second channel", f"task=cross_channel {split}"),
        (
            "probing",
            dates or ("" if attributes or days >= 3 else long_enough),
            f"task=probing model=profile/svd {split}",
        ),
        ("propensity", long_enough, f"task=propensity model=profile/table {split}"),
        ("segmentation", long_enough, f"task=segmentation model=profile/svd {split}"),
        ("lifetime", dates or ("" if bought else "purchases"), f"model=lifetime/bg_nbd {split}"),
        ("response", offers or dates, "model=response/logistic"),
        ("uplift", "" if tables.experiment is not None else offers or dates, "model=uplift/t_learner"),
        ("next_store", "" if "store_id" in columns else "store_id", f"model=store/boosted {split}"),
    ]
    named: list[dict[str, Any]] = [
        {"task": task, "possible": "no" if lacks else "yes", "settings": f"needs {lacks}" if lacks else settings}
        for task, lacks, settings in rows
    ]
    return pd.DataFrame(named)
