"""Labels beside points and lines that do not overlap."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from omniretail.report.plots.style import FAINT, short

_FONT_SIZE = 9
_LEADER = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
_DISTANCES = (7, 11, 16, 22, 29, 37, 46, 56, 68, 82, 100)  # from a point to its label's edge, in points
_LEADER_FROM = 16  # the distance from which a line ties a label to its point
_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225, 22.5, 337.5, 157.5, 202.5])


def beside(axes: Axes, points: Mapping[str, tuple[float, float]], obstacles: np.ndarray) -> list[Annotation]:
    """Write each name in the first free place near its point: right, left, above, below, then further out.

    Call it last, after limits and scales are set.

    Args:
        axes: to write on.
        points: where each name belongs, in data coordinates.
        obstacles: boxes that labels must not cover either, x0, y0, x1, y1 in data coordinates; shape (T, 4).
    """
    pixel = _settled(axes)
    marks = axes.transData.transform(list(points.values()))
    corners = axes.transData.transform(obstacles.reshape(-1, 2)).reshape(-1, 2, 2)
    occupied = [Bbox(np.sort(pair, axis=0)).padded(pixel) for pair in corners]
    occupied += [Bbox([mark - 5 * pixel, mark + 5 * pixel]) for mark in marks]
    labels = []
    for (name, point), mark in zip(points.items(), marks, strict=True):
        label = _tied(axes, name, point, xytext=(0, 0), textcoords="offset points", ha="center")
        box, distance = _first_free(axes, mark, Text.get_window_extent(label), occupied, pixel)
        label.xyann = tuple((box.get_points().mean(axis=0) - mark) / pixel)
        assert label.arrow_patch is not None
        label.arrow_patch.set_visible(distance >= _LEADER_FROM)
        occupied.append(box)
        labels.append(label)
    return labels


def at_ends(axes: Axes, ends: Mapping[str, tuple[float, float]]) -> list[Annotation]:
    """Write each line's name right of the plot, as near to the height of its end as the others allow.

    Args:
        axes: to write on.
        ends: the last point of each line, in data coordinates.
    """
    pixel = _settled(axes)
    names = sorted(ends, key=lambda name: ends[name][1])
    heights = np.array([axes.transData.transform(ends[name])[1] for name in names])
    places = spread(heights, room=1.4 * _FONT_SIZE * pixel)
    fractions = axes.transAxes.inverted().transform([(0, place) for place in places])[:, 1]
    return [
        _tied(axes, name, ends[name], xytext=(1.03, fraction), textcoords="axes fraction", ha="left")
        for name, fraction in zip(names, fractions, strict=True)
    ]


def spread(ascending: np.ndarray, room: float) -> np.ndarray:
    """Positions at least ``room`` apart, in the same order, moved as little as possible (least squares).

    >>> spread(np.array([0.0, 1.0, 1.0, 9.0]), room=2.0).round(2)
    array([-1.33,  0.67,  2.67,  9.  ])
    """
    steps = room * np.arange(len(ascending))
    return isotonic_regression(ascending - steps).x + steps


def _settled(axes: Axes) -> float:
    """Lay the figure out, so that data coordinates map to pixels; returns the size of a point in pixels."""
    figure = axes.figure.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return figure.dpi / 72


def _tied(
    axes: Axes, name: str, point: tuple[float, float], xytext: tuple[float, float], textcoords: str, ha: str
) -> Annotation:
    return axes.annotate(
        short(name),
        point,
        xytext=xytext,
        textcoords=textcoords,
        ha=ha,
        va="center",
        fontsize=_FONT_SIZE,
        arrowprops=dict(_LEADER),
    )


def _first_free(axes: Axes, mark: np.ndarray, text: Bbox, occupied: Sequence[Bbox], pixel: float) -> tuple[Bbox, int]:
    """The nearest box to the mark that covers nothing, and its distance in points; the furthest where none is free."""
    area, size = axes.get_window_extent(), np.ptp(text.get_points(), axis=0) + 2 * pixel
    box, distance = text, 0
    for distance, angle in product(_DISTANCES, _ANGLES):
        direction = np.array([np.cos(angle), np.sin(angle)])
        centre = mark + direction * (distance * pixel + size / 2)
        box = Bbox([centre - size / 2, centre + size / 2])
        inside = area.x0 <= box.x0 and area.y0 <= box.y0 and box.x1 <= area.x1 and box.y1 <= area.y1
        if inside and not box.count_overlaps(occupied):
            break
    return box, distance
