"""Offer rows through the cache."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.core.cache import cached, digest
from omniretail.schema import Tables
from omniretail.splits import baskets
from omniretail.views import fold
from omniretail.views.offers import dictionary, item_attributes, item_match, mailings, redemption_history
from omniretail.views.offers import rows as rows_module
from omniretail.views.offers.dictionary import OfferFeature
from omniretail.views.offers.rows import OfferRows, offer_rows

_CODE = (baskets, fold, dictionary, item_attributes, item_match, mailings, redemption_history, rows_module)
_NO_COLUMNS = ("rows", "until", "features", "left_out")


def load_offer_rows(
    tables: Tables, levels: Sequence[str], attribute_values: bool, until: datetime | None, cache: Path
) -> OfferRows:
    """``offer_rows`` through the cache.

    Raises:
        DataError: as there.
        PermissionError: where the cache cannot be written.
    """
    key = digest(tables.version, list(levels), attribute_values, until, *_CODE)
    return _read(
        cached(cache / "offers", key, lambda empty: _write(offer_rows(tables, levels, attribute_values, until), empty))
    )


def _write(new: OfferRows, folder: Path) -> None:
    new.rows.to_parquet(folder / "rows.parquet")
    names = [each.name for each in fields(new) if each.name not in _NO_COLUMNS]
    pd.DataFrame({name: getattr(new, name) for name in names}).to_parquet(folder / "mailings.parquet")
    rest = {"until": str(new.until), "features": [asdict(f) for f in new.features], "left_out": new.left_out}
    (folder / "rest.json").write_text(json.dumps(rest))


def _read(folder: Path) -> OfferRows:
    rest = json.loads((folder / "rest.json").read_text())
    mailed = pd.read_parquet(folder / "mailings.parquet")
    return OfferRows(
        rows=pd.read_parquet(folder / "rows.parquet"),
        **{str(name): mailed[name].to_numpy() for name in mailed},
        until=np.datetime64(rest["until"], "us"),
        features=[OfferFeature(**each) for each in rest["features"]],
        left_out=rest["left_out"],
    )
