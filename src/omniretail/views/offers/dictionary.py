"""The dictionary of the offer rows: the meaning and the group of each feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Group = Literal["customer", "past_offers", "offer", "match", "attribute_values", "user_attributes"]


@dataclass(frozen=True)
class OfferFeature:
    """One column of the offer rows, as of the time of sending.

    Attributes:
        name: the column.
        group: ``customer`` (habits, independent of the offer), ``past_offers`` (outcomes of earlier offers), ``offer``
            (equal for all recipients), ``match`` (offered items against earlier purchases), ``attribute_values``
            (shares of purchases and of offered items by attribute value; for networks) or ``user_attributes``
            (columns of the users table).
        definition: one phrase for people.
    """

    name: str
    group: Group
    definition: str


_CUSTOMER = (
    ("recency_days", "days since the last visit"),
    ("tenure_days", "days since the first visit"),
    ("visits", "baskets so far"),
    ("visits_28", "baskets in the last 28 days"),
    ("visits_91", "baskets in the last 91 days"),
    ("spend", "paid so far"),
    ("spend_28", "paid in the last 28 days"),
    ("spend_91", "paid in the last 91 days"),
    ("basket_value_mean", "paid per visit"),
    ("lines_91", "lines bought in the last 91 days"),
    ("items_bought", "different items bought"),
    ("discount_share", "discount as a share of shelf prices"),
    ("discounted_lines", "share of lines with a discount"),
    ("coupon_visits", "visits on which a coupon was used"),
    ("coupon_visits_91", "visits of the last 91 days on which a coupon was used"),
    ("coupon_share", "share of visits on which a coupon was used"),
    ("coupon_value", "discount by coupons so far"),
    ("coupon_days_since", "days since a coupon was used; empty where never"),
)
_PAST_OFFERS = (
    ("offers_sent", "offers sent before"),
    ("offers_running", "offers sent before that have not ended"),
    ("offers_redeemed", "offers redeemed before"),
    ("coupons_redeemed", "redemptions before, several per offer counted"),
    ("offer_days_since", "days since the last offer was sent; empty where none was"),
    ("redeemed_days_since", "days since the last redemption; empty where there is none"),
    (
        "redeemed_rate",
        "share of offers redeemed, shrunk to the rate of all customers, which weighs as {smoothing:g} offers",
    ),
    ("redeemed_over_expected", "offers redeemed, minus the share of their recipients that had redeemed them"),
    ("kind_sent", "offers of this kind sent before"),
    ("kind_redeemed", "offers of this kind redeemed before"),
)
_OFFER = (
    ("kind", "its kind, as the source names it"),
    ("channel", "how it was sent"),
    ("offer_discount", "its discount, where the source has it"),
    ("offer_days", "days from sending to its end"),
    ("offer_items", "items it covers"),
    ("offer_recipients", "customers it was sent to at that time"),
    ("kind_rate", "share redeemed of the kind's offers that had ended, shrunk to that of all kinds"),
)
_MATCH = (
    ("offered_lines", "lines bought of the offered items"),
    ("offered_lines_91", "lines bought of the offered items in the last 91 days"),
    ("offered_share", "share of lines that are of the offered items"),
    ("offered_spend_share", "share of what was paid that went to the offered items"),
    ("offered_items_bought", "different offered items bought"),
    ("offered_visits", "visits with an offered item"),
    ("offered_days_since", "days since an offered item was bought; empty where never"),
    ("offered_favourite", "lines of the offered item bought most"),
    ("offered_coupons", "lines of offered items bought with a coupon"),
    ("offered_coverage", "share of the offered items ever bought"),
    ("rank_offered_items", "rank of the different offered items bought, among those it was sent to"),
    ("rank_offered_share", "rank of the share of lines in offered items, among those it was sent to"),
    ("rank_offered_recent", "rank of the offered lines of the last 91 days, among those it was sent to"),
    ("redeemed_alike", "redeemed offers, each weighted by the similarity of its items to those of this offer"),
)
_LEVEL = (
    ("lines", "lines bought of the offered items' {level}"),
    ("lines_91", "lines bought of the offered items' {level} in the last 91 days"),
    ("share", "share of lines in the offered items' {level}"),
    ("cosine", "cosine between the customer's lines and the offer's items, by {level}"),
    ("rank", "rank of that cosine among those it was sent to"),
)
_SIDES = {
    "bought_share_of": "share of lines in {value} ({level})",
    "offered_share_of": "share of offered items in {value} ({level})",
}


def dictionary(levels: Sequence[str], values: Sequence[str] = (), smoothing: float = 2.0) -> list[OfferFeature]:
    """All features in the order of the columns.

    Args:
        levels: columns of the item table by which offers are matched.
        values: of the last level, for the group ``attribute_values``; empty: without that group.
        smoothing: weight of the rate of all customers, in offers.

    >>> [each.name for each in dictionary(["category"]) if each.group == "match"][-2:]
    ['category_cosine', 'category_rank']
    """
    by_level = [(f"{level}_{name}", text.format(level=level)) for level in levels for name, text in _LEVEL]
    groups: list[tuple[Group, Sequence[tuple[str, str]]]] = [
        ("customer", _CUSTOMER),
        ("past_offers", [(name, text.format(smoothing=smoothing)) for name, text in _PAST_OFFERS]),
        ("offer", _OFFER),
        ("match", (*_MATCH, *by_level)),
    ]
    sides = [
        (f"{side}_{value}", text.format(value=value, level=levels[-1]))
        for side, text in _SIDES.items()
        for value in values
    ]
    return [
        OfferFeature(name, group, text) for group, each in [*groups, ("attribute_values", sides)] for name, text in each
    ]
