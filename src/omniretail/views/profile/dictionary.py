"""The dictionary of the profile table: meaning, time window and unit of each feature."""

from dataclasses import dataclass

HOURS = {"night": (0, 6), "morning": (6, 11), "midday": (11, 15), "afternoon": (15, 19), "evening": (19, 24)}
"""Bands of the day, half-open, on the customers' own clocks."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALL, MONTH, QUARTER = "all before the cutoff", "28 days", "91 days"
_RATIO = "91 days against the 91 before"


@dataclass(frozen=True)
class Feature:
    """One column of the profile table.

    Attributes:
        name: the column.
        definition: one phrase for people.
        window: the time before the cutoff that it covers.
        unit: of its values.
    """

    name: str
    definition: str
    window: str
    unit: str


_FIXED = (
    ("recency_days", "time since the last visit", ALL, "days"),
    ("tenure_days", "time since the first visit", ALL, "days"),
    ("visits", "baskets", ALL, "count"),
    ("visits_28", "baskets", MONTH, "count"),
    ("visits_91", "baskets", QUARTER, "count"),
    ("active_weeks", "weeks with a visit", ALL, "count"),
    ("gap_mean_days", "mean time between visits", ALL, "days"),
    ("gap_std_days", "spread of the time between visits", ALL, "days"),
    ("gap_regularity", "spread of the gaps over their mean; 0 is clockwork, 1 is chance", ALL, "ratio"),
    ("overdue", "time since the last visit over the mean gap", ALL, "ratio"),
    ("spend", "paid", ALL, "currency"),
    ("spend_28", "paid", MONTH, "currency"),
    ("spend_91", "paid", QUARTER, "currency"),
    ("basket_value_mean", "paid per visit", ALL, "currency"),
    ("basket_value_std", "spread of what is paid per visit", ALL, "currency"),
    ("basket_value_max", "the dearest visit", ALL, "currency"),
    ("basket_lines_mean", "different lines per visit", ALL, "count"),
    ("basket_lines_max", "lines of the fullest basket", ALL, "count"),
    ("small_baskets", "share of visits with three lines or fewer", ALL, "share"),
    ("lines", "lines bought", ALL, "count"),
    ("lines_91", "lines bought", QUARTER, "count"),
    ("quantity_mean", "pieces per line", ALL, "count"),
    ("unit_price_mean", "paid per piece, mean over lines", ALL, "currency"),
    ("discount_share", "discount as a share of shelf prices", ALL, "share"),
    ("discount_share_91", "discount as a share of shelf prices", QUARTER, "share"),
    ("discounted_lines", "share of lines with a discount", ALL, "share"),
    ("coupon_share", "discount by coupons as a share of shelf prices", ALL, "share"),
    ("coupon_visits", "share of visits on which a coupon was used", ALL, "share"),
    ("stores", "different stores", ALL, "count"),
    ("store_loyalty", "share of visits at the store visited most", ALL, "share"),
    ("items", "different items", ALL, "count"),
    ("item_entropy", "how evenly lines spread over items", ALL, "nats"),
    ("repeat_share", "share of lines with an item bought on an earlier visit", ALL, "share"),
    ("repeat_share_91", "share of lines with an item bought on an earlier visit", QUARTER, "share"),
    ("visits_trend", "logarithm of visits (plus one)", _RATIO, "log ratio"),
    ("spend_trend", "logarithm of what was paid (plus one)", _RATIO, "log ratio"),
    ("visits_trend_28", "logarithm of visits, 28 days against 91 days' pace (plus one)", "28 and 91 days", "log ratio"),
    ("weekend", "share of visits on Saturday or Sunday", ALL, "share"),
    *((f"hour_{band}", f"share of visits from {a} to {b} o'clock", ALL, "share") for band, (a, b) in HOURS.items()),
    *((f"weekday_{day}", f"share of visits on a {day.capitalize()}", ALL, "share") for day in WEEKDAYS),
)
FIXED = tuple(Feature(*each) for each in _FIXED)
"""Features that every customer has, whatever the shop sells."""

KINDS = {
    "share": ("share of lines in {value} ({level})", ALL, "share"),
    "lines_91": ("lines in {value} ({level})", QUARTER, "count"),
    "days_since": ("time since something of {value} ({level}) was bought; empty where never", ALL, "days"),
}
"""Features of each value of an item attribute, such as ``share_department=GROCERY``."""


def by_attribute(kind: str, level: str, value: str) -> Feature:
    """The feature of one kind for one value of an item attribute."""
    definition, window, unit = KINDS[kind]
    return Feature(f"{kind}_{level}={value}", definition.format(value=value, level=level), window, unit)
