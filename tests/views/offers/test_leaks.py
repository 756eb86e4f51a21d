"""What happens after a moment leaves the features of all that was sent up to it bit-identical."""

import numpy as np
import pandas as pd
import pytest

from omniretail.audit.as_of import AsOf
from omniretail.audit.audited_views import Columns, offers
from omniretail.audit.detect import audit
from omniretail.audit.perturbations import perturbations
from omniretail.views.offers.rows import OfferRows, offer_rows
from tests.conftest import tables_of
from tests.o2o.offers.factories import day, random_parts, random_shop

AT = day(56)  # when the eighth of twelve offers is sent; three are running
LEVELS = ["department", "category"]
CHANGES = perturbations(random_shop())


def view(known: AsOf) -> Columns:
    return offers(known, LEVELS)


def rows_of(parts: dict[str, pd.DataFrame]) -> OfferRows:
    parts = dict(parts)
    return offer_rows(tables_of(parts.pop("events"), **parts), LEVELS, attribute_values=True)


def test_the_future_changes_nothing() -> None:
    tables = random_shop()
    for table in (tables.events, tables.offer_events):
        assert table is not None
        late = table.timestamp.to_pandas() >= AT
        assert min(late.sum(), (~late).sum()) > 50
    *after, control = audit({"offers": view}, tables, AT.to_pydatetime(), CHANGES)
    assert {each.change: (each.rows, each.differing) for each in after} == dict.fromkeys(CHANGES, (160, {}))
    assert control.differing


@pytest.mark.parametrize("name", ["events", "offer_events"])
def test_the_past_does_change_them(name: str) -> None:
    """Or the test above would prove nothing."""
    parts = random_parts()
    table = parts[name]
    gone = table[(table.timestamp >= day(40)) | (table.get("event_type") == "sent")]
    before, after = rows_of(parts), rows_of(parts | {name: gone.reset_index(drop=True)})
    sent = before.sent_at == np.datetime64(AT, "us")
    assert (before.rows[sent] != after.rows[sent]).any(axis=None)
