"""Data with an order but no times: a position in a history becomes seconds since 1970."""

import numpy as np
import pyarrow as pa


def timestamps(positions: np.ndarray, within: np.ndarray | int = 0) -> pa.Array:
    """Positions, from 0, as timestamps without a zone; position 3 is 1970-01-01 00:00:03. Of the same shape.

    Args:
        positions: in the user's history.
        within: order of events that share a position, such as a basket's items; added as microseconds.
    """
    return pa.array((positions * 1_000_000 + within).astype("datetime64[us]"))
