"""Places and the distances between them."""

import numpy as np
import pandas as pd

from omniretail.ids import of_type

_EARTH_KM = 6371.0088  # mean radius
DEGREES = ("lat", "lon")
AXES = (DEGREES, ("x", "y"), ("x_km", "y_km"))
"""Pairs of columns that hold a place: degrees, or kilometres on a plane."""


def haversine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Great-circle distance in kilometres between places (latitude, longitude) in degrees, on the last axis.

    >>> haversine(np.array([52.5, 13.4]), np.array([48.1, 11.6])).round()
    np.float64(506.0)
    """
    (lat_a, lon_a), (lat_b, lon_b) = (np.moveaxis(np.radians(each), -1, 0) for each in (a, b))
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_KM * np.arcsin(np.sqrt(half))


def axes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """The columns that hold a place, see ``AXES``; empty where there are none."""
    return next((pair for pair in AXES if set(pair) <= set(frame)), ())


def kilometres(a: np.ndarray, b: np.ndarray, axes: tuple[str, ...]) -> np.ndarray:
    """Straight-line distance between places, NaN where one is missing; the last axis holds the two coordinates."""
    return haversine(a, b) if axes == DEGREES else np.linalg.norm(a - b, axis=-1)


def placed(frame: pd.DataFrame, key: str, ids: pd.Index, axes: tuple[str, ...]) -> np.ndarray:
    """Places in the order of the ids, NaN where missing; shape (n, 2)."""
    typed = frame.assign(**{key: of_type(pd.Series(frame[key]), ids)})
    places = typed.drop_duplicates(key).set_index(key)[list(axes)].astype(np.float64)
    return places.reindex(ids).to_numpy()
