"""Offer rows at the second weir: made once, read back in a blink."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.core.cache import cached, digest
from omniretail.schema import Tables
from omniretail.views.offers import dictionary as offer_features
from omniretail.views.offers import item_match as offer_match
from omniretail.views.offers import item_words as offer_words
from omniretail.views.offers import mailings
from omniretail.views.offers import redemption_history as offer_past
from omniretail.views.offers import rows as offers
from omniretail.views.offers.dictionary import OfferFeature
from omniretail.views.offers.rows import OfferRows, offer_rows

_CODE = (mailings, offer_features, offer_match, offer_past, offer_words, offers)
_FACTS = ("until", "features", "left_out")


def load_offer_rows(
    tables: Tables, levels: Sequence[str], words: bool, until: datetime | None, cache: Path
) -> OfferRows:
    """``offer_rows`` through the cache.

    Raises:
        DataError: as there.
        PermissionError: where the cache cannot be written.
    """
    key = digest(tables.version, list(levels), words, until, *_CODE)
    folder = cached(cache / "offers", key, lambda empty: _write(offer_rows(tables, levels, words, until), empty))
    return _read(folder)


def _write(made: OfferRows, folder: Path) -> None:
    made.rows.to_parquet(folder / "rows.parquet")
    names = [each.name for each in fields(made) if each.name not in ("rows", *_FACTS)]
    pd.DataFrame({name: getattr(made, name) for name in names}).to_parquet(folder / "mailings.parquet")
    facts = {"until": str(made.until), "features": [asdict(f) for f in made.features], "left_out": made.left_out}
    (folder / "facts.json").write_text(json.dumps(facts))


def _read(folder: Path) -> OfferRows:
    facts = json.loads((folder / "facts.json").read_text())
    mailed = pd.read_parquet(folder / "mailings.parquet")
    return OfferRows(
        rows=pd.read_parquet(folder / "rows.parquet"),
        **{str(name): mailed[name].to_numpy() for name in mailed},
        until=np.datetime64(facts["until"], "us"),
        features=[OfferFeature(**each) for each in facts["features"]],
        left_out=facts["left_out"],
    )
