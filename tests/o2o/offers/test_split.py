"""Which mailings are learned from and which are judged, worked by hand."""

from datetime import datetime

import numpy as np
import pytest

from omniretail.core.errors import DataError, SettingsError
from omniretail.o2o.offers.split import OfferFold, OfferSplit, Running
from omniretail.views.offers.rows import OfferRows, offer_rows
from tests.o2o.offers.factories import by_hand, random_shop


@pytest.fixture(scope="module")
def rows() -> OfferRows:
    """X runs in [10, 20), Y in [30, 40), Z in [30, 50), W in [60, 90); the log ends on day 70."""
    return offer_rows(by_hand(), until=datetime(2024, 3, 11))


def at(day: int) -> str:
    return str(np.datetime64("2024-01-01") + day)


def mailings(rows: OfferRows) -> list[str]:
    return [f"{user}{offer}" for user, offer in zip(rows.user_id, rows.offer_id, strict=True)]


def cut(rows: OfferRows, val: int, test: int, stage: str, running: Running = "leave_out") -> OfferFold:
    return OfferSplit(at(val), at(test), running).cut(rows, stage)  # type: ignore[arg-type]


def test_only_what_is_over_is_learned_from_and_judged(rows: OfferRows) -> None:
    fold = cut(rows, 25, 45, "val")
    assert mailings(fold.learned) == ["aX", "bX"]
    assert fold.y.tolist() == [1, 0]
    assert mailings(fold.judged) == ["aY", "bY", "cY"]
    assert fold.judged.y.tolist() == [1, 0, 1]
    assert fold.left_out == {"to judge, but not over when the window ends": 1}


def test_offers_censored_by_the_end_of_the_log_are_left_out_of_test(rows: OfferRows) -> None:
    fold = cut(rows, 5, 25, "test")
    assert mailings(fold.judged) == ["aY", "bY", "cY", "aZ"]
    assert fold.left_out == {"to judge, but not over when the window ends": 1}


def test_an_offer_that_ends_with_the_cutoff_is_over(rows: OfferRows) -> None:
    assert mailings(cut(rows, 5, 20, "test").learned) == ["aX", "bX"]


@pytest.mark.parametrize(
    ("running", "learned", "y"),
    [
        ("leave_out", ["aX", "bX"], [1, 0]),
        ("as_of_cutoff", ["aX", "bX", "aY", "bY", "cY", "aZ"], [1, 0, 1, 0, 0, 0]),
        ("as_redeemed_later", ["aX", "bX", "aY", "bY", "cY", "aZ"], [1, 0, 1, 0, 1, 0]),
    ],
)
def test_running_offers(running: Running, learned: list[str], y: list[int]) -> None:
    """On day 32 Y and Z run; c redeems Y on day 33."""
    rows = offer_rows(by_hand(), until=datetime(2024, 4, 1))
    fold = cut(rows, 31, 32, "test", running)
    assert dict(zip(mailings(fold.learned), fold.y.astype(int).tolist(), strict=True)) == dict(
        zip(learned, y, strict=True)
    )
    assert mailings(fold.judged) == ["aW"]
    assert fold.left_out == ({"running at the cutoff": 4} if running == "leave_out" else {})


def test_learned_outcomes_are_complete_before_judged_offers_start() -> None:
    rows = offer_rows(random_shop())
    for stage in ("val", "test"):
        fold = cut(rows, 40, 70, stage)
        assert fold.learned.ends_at.max() <= fold.judged.starts_at.min()
        assert fold.judged.starts_at.min() >= np.datetime64(at(40 if stage == "val" else 70))
        assert not np.isnan(fold.judged.y).any()


def test_nothing_to_learn_from_or_to_judge_is_refused(rows: OfferRows) -> None:
    with pytest.raises(DataError, match=f"no mailings of offers over by {at(15)}.* move offers.val_from"):
        cut(rows, 5, 15, "test")
    with pytest.raises(DataError, match=r"no mailings of offers from .* that are over by"):
        cut(rows, 25, 55, "test")


def test_settings_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"such as offers\.val_from=2024-03-01 offers\.test_from=2024-05-01"):
        OfferSplit(at(1))
    with pytest.raises(ValueError, match=r"must lie before offers\.test_from"):
        OfferSplit(at(2), at(2))
    with pytest.raises(ValueError, match=r"task\.running='soon' is not one of leave_out, as_of_cutoff"):
        OfferSplit(at(1), at(2), "soon")  # type: ignore[arg-type]


def test_only_a_stage_is_cut_by_times_that_are_times(rows: OfferRows) -> None:
    with pytest.raises(SettingsError, match="stage='valid': choose val or test"):
        cut(rows, 20, 40, "valid")
    with pytest.raises(SettingsError, match="'March' is not a time in ISO 8601"):
        OfferSplit("March", at(40))
