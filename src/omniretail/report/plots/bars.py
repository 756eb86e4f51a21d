"""Amounts as text and bars as numbers, for the templates of cards and portraits, which draw without scripts."""

from collections.abc import Sequence
from math import isfinite, log2
from typing import Any

from omniretail.profile.tags.customer_card import KeyFigure
from omniretail.profile.tags.purchase_shares import Share
from omniretail.profile.tags.segment_portrait import TagShare
from omniretail.profile.tags.visit_times import Columns
from omniretail.views.profile.dictionary import ALL

_WIDTH, _TOP, _HEIGHT = 360, 20, 108  # of a chart of columns, in SVG units
_MAX_LOG_RATIO = 1.0  # bars of ratios end at half and at double
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


def share_bars(shares: Sequence[Share | TagShare], with_lift: bool = False) -> list[dict[str, Any]]:
    """Horizontal bars relative to the longest share, each with a mark at the share of all customers."""
    longest = max((max(each.share, each.everybody) for each in shares), default=0.0) or 1.0
    return [
        {
            "name": each.name if isinstance(each, Share) else each.tag.label,
            "title": f"{percent(each.share)}, all customers {percent(each.everybody)}",
            "width": round(100 * each.share / longest, 1),
            "tick": round(100 * each.everybody / longest, 1),
            "text": percent(each.share) + (f" · {times(each)}" if with_lift and isinstance(each, Share) else ""),
        }
        for each in shares
    ]


def times(share: Share) -> str:
    """The share relative to that of all customers, for people."""
    return f"{share.lift:.1f} ×"


def figure_rows(figures: Sequence[KeyFigure]) -> list[dict[str, Any]]:
    """Rows of key figures, with a customer's percentile or the ratio of a segment's mean to that of all customers."""
    return [
        {
            "definition": figure.definition[0].upper() + figure.definition[1:],
            "window": "" if figure.window == ALL else figure.window,
            "value": amount(figure.value, figure.unit),
            "everybody": amount(figure.everybody, figure.unit),
            **(_percentile(figure.percentile) if isfinite(figure.percentile) else _ratio(figure)),
        }
        for figure in figures
    ]


def column_chart(chart: Columns) -> dict[str, Any]:
    """Geometry of a chart of columns, each with a line at the mean of all customers."""
    highest = max(*chart.own, *chart.everybody, 0.0)
    step = _WIDTH / len(chart.labels)
    every = 3 if len(chart.labels) > 7 else 1
    columns = []
    for i, (label, value, all_) in enumerate(zip(chart.labels, chart.own, chart.everybody, strict=True)):
        height, tick = (_HEIGHT * max(each, 0.0) / (highest or 1.0) for each in (value, all_))
        columns.append(
            {
                "x": round((i + 0.15) * step, 1),
                "width": round(0.7 * step, 1),
                "right": round((i + 0.85) * step, 1),
                "middle": round((i + 0.5) * step, 1),
                "y": round(_TOP + _HEIGHT - height, 1),
                "height": round(height, 1),
                "tick": round(_TOP + _HEIGHT - tick, 1),
                "label": label if i % every == 0 else "",
                "title": f"{label}: {amount(value, chart.unit)}, all customers {amount(all_, chart.unit)}",
            }
        )
    description = "; ".join(column["title"] for column in columns)
    return {
        "title": chart.title,
        "columns": columns,
        "highest": amount(highest, chart.unit),
        "description": description,
    }


def _number(value: float, unit: str) -> str:
    if float(value).is_integer() and unit == "count":
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if unit in ("count", "days") else f"{value:.2f}"


def _percentile(percentile: float) -> dict[str, Any]:
    at = round(100 * percentile, 1)
    return {"text": f"{at:.0f}", "left": 0, "width": at, "tick": 50}


def _ratio(figure: KeyFigure) -> dict[str, Any]:
    if not (isfinite(figure.value) and figure.value > 0 and figure.everybody > 0):
        return {"text": UNKNOWN, "left": 50, "width": 0, "tick": 50}
    ratio = figure.value / figure.everybody
    reach = 50 * max(-1.0, min(1.0, log2(ratio) / _MAX_LOG_RATIO))
    left, width = round(50 + min(reach, 0), 1), round(abs(reach), 1)
    return {"text": f"{ratio:.2f} ×", "left": left, "width": width, "tick": 50}
