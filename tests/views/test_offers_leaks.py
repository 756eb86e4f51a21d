"""What happens after a moment leaves the features of all that was sent up to it bit-identical."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.conftest import tables_of
from tests.offers.made import day, happened, offers, random_parts

from omniretail.views.offers import OfferRows, offer_rows

AT = day(56)  # when the eighth of twelve offers is sent; three are running
Parts = dict[str, pd.DataFrame]


def rows_of(parts: Parts) -> OfferRows:
    parts = dict(parts)
    return offer_rows(tables_of(parts.pop("events"), **parts), ["department", "category"], words=True)


def changed(parts: Parts, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Parts:
    """That table with everything from the moment on replaced."""
    table = parts[name]
    before, after = table[table.timestamp < AT], table[table.timestamp >= AT]
    assert len(before) > 50
    assert len(after) > 50
    return parts | {name: pd.concat([before, change(after.copy())], ignore_index=True)}


def other_purchases(parts: Parts) -> Parts:
    return changed(
        parts,
        "events",
        lambda e: e.assign(item_id=e.item_id + 3, value=e.value * -9, user_id=e.user_id[::-1].to_numpy()),
    )


def no_purchases(parts: Parts) -> Parts:
    return changed(parts, "events", lambda e: e[:0])


def more_purchases(parts: Parts) -> Parts:
    return changed(parts, "events", lambda e: pd.concat([e, e.assign(coupon=5.0), e.assign(basket_id=1)]))


def no_redemptions(parts: Parts) -> Parts:
    return changed(parts, "offer_events", lambda e: e[e.event_type == "sent"])


def more_redemptions(parts: Parts) -> Parts:
    sent = parts["offer_events"]
    sent = sent[(sent.event_type == "sent") & (sent.timestamp <= AT)]
    late = sent.assign(event_type="redeemed", timestamp=sent.timestamp.clip(lower=AT))
    return parts | {"offer_events": pd.concat([parts["offer_events"], late], ignore_index=True)}


def other_mailings(parts: Parts) -> Parts:
    """Fewer of the later offers are sent, and new ones of an unseen kind, among them to customers known before."""
    late = parts["offer_events"].timestamp > AT
    sent = happened(*((user, n, 57 + n - 100, "sent") for n in (100, 101) for user in range(40)))
    new = offers((100, 57, 60, "C"), (101, 58, 99, "C"))
    covered = pd.DataFrame({"offer_id": np.repeat([100, 101], 20), "item_id": np.arange(40)})
    return parts | {
        "offer_events": pd.concat([parts["offer_events"][~late], sent], ignore_index=True),
        "offers": pd.concat([parts["offers"], new], ignore_index=True),
        "offer_items": pd.concat([parts["offer_items"], covered], ignore_index=True),
    }


CHANGES = [other_purchases, no_purchases, more_purchases, no_redemptions, more_redemptions, other_mailings]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_future_changes_nothing(change: Callable[[Parts], Parts]) -> None:
    parts = random_parts()
    before, after = rows_of(parts), rows_of(change(parts))
    at = np.datetime64(AT, "us")
    sent, still = before.sent_at <= at, after.sent_at <= at
    assert sent.sum() == 160
    assert before.user_id[sent].tolist() == after.user_id[still].tolist()
    pd.testing.assert_frame_equal(before.rows[sent], after.rows[still].reset_index(drop=True), check_exact=True)
    np.testing.assert_array_equal(before.outcome(at)[sent], after.outcome(at)[still])


@pytest.mark.parametrize("name", ["events", "offer_events"])
def test_the_past_does_change_them(name: str) -> None:
    """Or the test above would prove nothing."""
    parts = random_parts()
    table = parts[name]
    gone = table[(table.timestamp >= day(40)) | (table.get("event_type") == "sent")]
    before, after = rows_of(parts), rows_of(parts | {name: gone.reset_index(drop=True)})
    sent = before.sent_at == np.datetime64(AT, "us")
    assert (before.rows[sent] != after.rows[sent]).any(axis=None)
