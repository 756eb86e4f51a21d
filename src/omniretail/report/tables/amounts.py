"""Amounts with their units, and shares, as people read them."""

from math import isfinite

UNKNOWN = "–"


def amount(value: float, unit: str) -> str:
    """A value with its unit, for people.

    >>> amount(0.256, "share"), amount(1234.5, "USD"), amount(3.21, "days"), amount(float("nan"), "count")
    ('26 %', '1,234.50 USD', '3.2 days', '–')
    """
    if not isfinite(value):
        return UNKNOWN
    if unit == "share":
        return percent(value)
    if unit in ("count", "days", "ratio", "nats", "log ratio"):
        return _number(value, unit) + (" days" if unit == "days" else "")
    return f"{value:,.2f}" + ("" if unit == "currency" else f" {unit}")


def percent(share: float) -> str:
    """A share in per cent, with a digit more where it is small.

    >>> percent(0.5), percent(0.0123), percent(0.00001), percent(0.0)
    ('50 %', '1.2 %', '<0.1 %', '0 %')
    """
    if not isfinite(share):
        return UNKNOWN
    if 0 < share < 0.001:
        return "<0.1 %"
    digits = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{digits}f} %"


def _number(value: float, unit: str) -> str:
    if float(value).is_integer() and unit == "count":
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if unit in ("count", "days") else f"{value:.2f}"
