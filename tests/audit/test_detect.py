"""Views that hold and views that leak, on a small shop with offers."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.audit.as_of import AsOf, audit_times
from omniretail.audit.detect import CONTROL, Finding, audit, differing
from omniretail.audit.perturbations import everything
from omniretail.config import compose
from omniretail.report.tables.leaks import audit_cells, audit_sentences, leaks
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.temporal import Temporal
from tests.audit.factories import nothing, scaled, visits_ever
from tests.conftest import tables_of
from tests.o2o.offers.factories import random_parts

AT = datetime(2024, 2, 26)  # when the eighth of twelve offers is sent; three are running


def shop() -> Tables:
    parts = random_parts()
    events = parts.pop("events")
    events = events.assign(store_id="s" + (events.user_id % 4).astype(str), quantity=1.0)
    users = pd.DataFrame({"user_id": np.arange(60), "x_km": np.arange(60.0) % 7, "y_km": 0.0})
    stores = pd.DataFrame({"store_id": [f"s{n}" for n in range(4)], "x_km": np.arange(4.0), "y_km": 1.0})
    return tables_of(events, users=users, stores=stores, **parts)


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    cfg = compose("+audit=default", "+tags=default", "model=profile/table", "audit.views.uplift.campaigns=1")
    views = {name: instantiate(view, _partial_=True) for name, view in cfg.audit.views.items()}
    return list(audit(views, shop(), AT, {"everything": everything}))


def test_every_view_stands_still_whatever_comes_and_moves_with_the_past(findings: list[Finding]) -> None:
    assert leaks(findings) == []
    audited = {each.view for each in findings if not each.why_not}
    assert len(audited) == 10
    assert {each.view for each in findings if each.change == CONTROL and each.differing} == audited
    assert min(each.rows for each in findings if not each.why_not) >= 36
    assert [each.view for each in findings if each.why_not] == ["contest"]


def test_what_was_found_is_said(findings: list[Finding]) -> None:
    cells = audit_cells(findings)
    assert set(cells["bit-identical"]) == {"yes"}
    assert set(cells["changed afterwards"]) == {"everything (1 changes)"}
    said = audit_sentences(findings)
    assert said[-1] == "Nothing after 2024-02-26 00:00 reaches any of 10 views."
    assert "Not audited: contest: test shop is not the contest's data; choose source=tianchi_o2o" in said


def test_a_view_that_leaks_is_named_with_its_column() -> None:
    found = list(audit({"mine": visits_ever, "scaled": scaled}, shop(), AT))
    leaking = {(each.view, each.change): list(each.differing) for each in leaks(found)}
    assert leaking == {
        ("mine", "events removed"): ["visits_ever"],
        ("mine", "events changed"): ["visits_ever"],
        ("mine", "events added"): ["visits_ever"],
        ("scaled", "events removed"): ["lines"],
        ("scaled", "events added"): ["lines"],
    }
    cells = audit_cells(found)
    assert cells[cells["bit-identical"] == "yes"]["changed afterwards"].tolist() == [
        "redemptions removed, redemptions added, mailings changed",
        "events changed, redemptions removed, redemptions added, mailings changed",
    ]
    said = audit_sentences(found)
    assert "LEAK in mine: visits_ever (36); events removed after 2024-02-26 00:00." in said
    assert not any(sentence.startswith("Nothing after") for sentence in said)


def test_what_nothing_moves_proves_nothing_and_that_is_said() -> None:
    found = list(audit({"constant": nothing}, shop(), AT))
    assert "constant is not moved by another past either: its standing still says nothing." in audit_sentences(found)


def test_an_empty_view_is_not_said_to_hold() -> None:
    found = list(audit({"empty": lambda known: pd.DataFrame({"a": []})}, shop(), AT))
    assert [each.why_not for each in found] == ["it has no rows at 2024-02-26 00:00:00"]


def test_where_nothing_comes_after_there_is_nothing_to_audit() -> None:
    with pytest.raises(DataError, match=r"nothing to change: choose an earlier audit\.at"):
        list(audit({"one": nothing}, shop(), datetime(2025, 1, 1)))


@pytest.mark.parametrize(
    ("one", "other", "rows"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0),
        ([0.0, 1.0], [-0.0, 1.0], 1),
        ([1.0], [np.nextafter(1.0, 2.0)], 1),
        (["a", None], ["a", None], 0),
        (["a", None], np.array(["a", "b"], object), 1),
        (np.array([1], np.int32), np.array([1], np.int64), 1),
        ([1, 2], [1, 2, 3], 3),
        (pd.to_datetime(["2024-01-01", None]), pd.to_datetime(["2024-01-01", None]), 0),
        (pd.array(["a", None], "string"), pd.array(["a", None], "string"), 0),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], 1),
    ],
)
def test_bit_by_bit(one, other, rows: int) -> None:
    assert differing({"x": np.asarray(one)}, {"x": np.asarray(other)}) == ({"x": rows} if rows else {})


def test_a_column_that_comes_or_goes_is_a_difference() -> None:
    one, both = {"a": np.ones(2)}, {"a": np.ones(2), "b": np.ones(5)}
    assert differing(one, both) == differing(both, one) == {"b": 5}


def test_the_moments_are_the_cutoff_and_one_of_sending() -> None:
    tables = shop()
    assert audit_times(tables, Temporal(20)) == [datetime(2024, 2, 18), datetime(2024, 4, 10)]
    without = replace(tables, offers=None, offer_events=None)
    assert audit_times(without, Temporal(20)) == [datetime(2024, 3, 1), datetime(2024, 4, 10)]


def test_a_log_without_moments_is_said() -> None:
    tables = replace(shop(), card=DatasetCard("positions", clock=False))
    with pytest.raises(DataError, match="positions holds an order only; the audit changes what comes after a moment"):
        audit_times(tables, Temporal(20))
    with pytest.raises(DataError, match="this split has none: choose split=temporal"):
        audit_times(shop(), LeaveLast())


def test_known_is_cut_at_the_moment() -> None:
    known = AsOf(shop(), AT)
    assert known.train.histories.timestamp.max() < known.train.at
    assert known.train is known.train
