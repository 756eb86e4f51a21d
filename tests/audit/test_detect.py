"""Views without a leak and views with one, on a small shop with offers."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from omniretail.audit.as_of import AsOf, audit_times
from omniretail.audit.detect import CONTROL, Finding, audit, differing
from omniretail.audit.perturbations import everything
from omniretail.commands.audit_run import chosen_views
from omniretail.report.tables.leaks import audit_cells, audit_sentences, leaks
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.temporal import Temporal
from tests.audit.factories import compose_audit, nothing, scaled, visits_ever
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
    settings = compose_audit("audit.views.uplift.campaigns=1").audit
    return list(audit(chosen_views(settings), shop(), AT, {"everything": everything}))


def test_no_view_depends_on_the_future_and_every_view_depends_on_the_past(findings: list[Finding]) -> None:
    assert leaks(findings) == []
    audited = {each.view for each in findings if not each.why_not}
    assert len(audited) == 11
    assert {each.view for each in findings if each.change == CONTROL and each.differing} == audited
    assert min(each.rows for each in findings if not each.why_not) >= 36
    assert [each.view for each in findings if each.why_not] == ["contest"]


def test_findings_as_text(findings: list[Finding]) -> None:
    cells = audit_cells(findings)
    assert set(cells["bit-identical"]) == {"yes"}
    assert set(cells["changed afterwards"]) == {"everything (1 changes)"}
    sentences = audit_sentences(findings)
    assert sentences[-1] == "Nothing after 2024-02-26 00:00 reaches any of 11 views."
    assert "Not audited: contest: test shop is not the contest's data; choose source=tianchi_o2o" in sentences


def test_a_view_that_leaks_is_named_with_its_column() -> None:
    findings = list(audit({"mine": visits_ever, "scaled": scaled}, shop(), AT))
    leaking = {(each.view, each.change): list(each.differing) for each in leaks(findings)}
    assert leaking == {
        ("mine", "events removed"): ["visits_ever"],
        ("mine", "events changed"): ["visits_ever"],
        ("mine", "events added"): ["visits_ever"],
        ("scaled", "events removed"): ["lines"],
        ("scaled", "events added"): ["lines"],
    }
    cells = audit_cells(findings)
    assert cells[cells["bit-identical"] == "yes"]["changed afterwards"].tolist() == [
        "redemptions removed, redemptions added, mailings changed",
        "events changed, redemptions removed, redemptions added, mailings changed",
    ]
    sentences = audit_sentences(findings)
    assert "LEAK in mine: visits_ever (36); events removed after 2024-02-26 00:00." in sentences
    assert not any(sentence.startswith("Nothing after") for sentence in sentences)


def test_a_view_that_depends_on_nothing_proves_nothing() -> None:
    sentences = audit_sentences(list(audit({"constant": nothing}, shop(), AT, {"everything": everything})))
    assert "constant does not depend on the past either, so its audit proves nothing." in sentences


def test_an_empty_view_is_not_audited() -> None:
    findings = list(audit({"empty": lambda as_of: pd.DataFrame({"a": []})}, shop(), AT, {"everything": everything}))
    assert [each.why_not for each in findings] == ["it has no rows at 2024-02-26 00:00:00"]


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


def test_the_times_are_the_cutoff_and_one_of_sending() -> None:
    tables = shop()
    assert audit_times(tables, Temporal(20)) == [datetime(2024, 2, 18), datetime(2024, 4, 10)]
    without = replace(tables, offers=None, offer_events=None)
    assert audit_times(without, Temporal(20)) == [datetime(2024, 3, 1), datetime(2024, 4, 10)]


def test_a_log_or_a_split_without_times_is_refused() -> None:
    tables = replace(shop(), card=DatasetCard("positions", clock=False))
    with pytest.raises(DataError, match="positions has an order of events but no times, and the audit"):
        audit_times(tables, Temporal(20))
    with pytest.raises(DataError, match="this split has none: choose split=temporal"):
        audit_times(shop(), LeaveLast())


def test_the_training_set_ends_at_the_cutoff() -> None:
    as_of = AsOf(shop(), AT)
    assert as_of.train.histories.timestamp.max() < as_of.train.at
    assert as_of.train is as_of.train
