"""Figures as people read them."""

import math

NOTHING = "–"


def figure(value: float) -> str:
    """A metric's value: four decimals below 1, two above.

    >>> figure(0.123456), figure(8.314), figure(-0.05)
    ('0.1235', '8.31', '−0.0500')
    """
    if math.isnan(value):
        return NOTHING
    return (f"{value:.4f}" if abs(value) <= 1 else f"{value:,.2f}").replace("-", "−")


def interval(low: float, high: float) -> str:
    """Both ends of an interval.

    >>> interval(0.1, 0.2), interval(-0.1, 0.2)
    ('0.1000–0.2000', '−0.1000 to 0.2000')
    """
    if math.isnan(low):
        return NOTHING
    return f"{figure(low)} to {figure(high)}" if low < 0 else f"{figure(low)}–{figure(high)}"


def difference(value: float) -> str:
    """A figure with its sign.

    >>> difference(0.0123), difference(-0.004)
    ('+0.0123', '−0.0040')
    """
    return figure(value) if value < 0 or math.isnan(value) else f"+{figure(value)}"


def probability(p: float) -> str:
    """A p-value.

    >>> probability(0.0312), probability(1e-9)
    ('0.031', '<0.001')
    """
    if math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """A gain or a loss; one below half a percent with a decimal.

    >>> percent(0.4567), percent(-0.031), percent(0.0012)
    ('+46 %', '−3 %', '+0.1 %')
    """
    return f"{share:+,.{0 if abs(share) >= 0.005 else 1}%}".replace("-", "−").replace("%", " %")


def amount(value: float) -> str:
    """Seconds or MiB, as exact as anybody needs.

    >>> amount(0.0423), amount(3.14159), amount(1234.5)
    ('0.04', '3.1', '1,234')
    """
    if math.isnan(value):
        return NOTHING
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
