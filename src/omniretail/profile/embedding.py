"""Embeddings of customers at a cutoff, checked."""

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.core.resources import Cost, metered
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.windows import TwoWindows, aligned
from omniretail.tasks import model_name
from omniretail.views.train import Train


def embed(model: ProfileEncoder, train: Train, fitted_on: Train) -> np.ndarray:
    """Embeddings of the users of ``train`` at its cutoff.

    Args:
        model: fitted.
        train: everything before the cutoff.
        fitted_on: what the model was fitted on; its catalogue numbers the items.

    Returns:
        float64; shape (U, D).

    Raises:
        SettingsError: where they are not finite.
    """
    histories = train.histories if train is fitted_on else aligned(train, fitted_on)
    x = model.embed(histories, train.at).astype(np.float64)
    if not np.isfinite(x).all():
        raise SettingsError(f"{model_name(model)} gave embeddings that are not finite")
    return x


def embed_windows(model: ProfileEncoder, windows: TwoWindows) -> tuple[np.ndarray, np.ndarray, Cost]:
    """Embeddings of the later cutoff's U customers at both cutoffs, and the cost of those at the later one.

    Returns:
        At the earlier cutoff, with NaN rows for customers without events before it, shape (U, D); at the later one,
        shape (U, D); seconds and memory.

    Raises:
        SettingsError: where they are not finite.
    """
    with metered() as cost:
        later = embed(model, windows.later, windows.earlier)
    present = windows.later.users.encode(windows.earlier.users.ids.to_numpy())
    earlier = np.full(later.shape, np.nan)
    earlier[present] = embed(model, windows.earlier, windows.earlier)
    return earlier, later, cost
