"""Three looks at the customers, a window apart: to learn from, to calibrate on, to promise to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from omniretail.core.resources import metered
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.probing.targets import Target, behaviour
from omniretail.profile.windows import TwoWindows, aligned, two_windows
from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Split
from omniretail.splits.temporal import Temporal
from omniretail.views.train import Train


@dataclass(frozen=True)
class Snapshot:
    """The customers known at one moment, and what they do in the window after it.

    Attributes:
        train: everything before the moment; its U users are the customers.
        x: their embeddings; float64; shape (U, D).
        targets: by question.
    """

    train: Train
    x: np.ndarray
    targets: Mapping[str, Target]


@dataclass(frozen=True)
class ThreeWindows:
    """The looks at ``t - 2w``, ``t - w`` and ``t``, where t is the test cutoff and w the split's window.

    Attributes:
        learn: at the first; the encoder was fitted on what lies before it.
        calibrate: at the second; its window ends where the last look is taken.
        serve: at the third; its window is the test window, for figures alone.
        fit_s: seconds to fit the encoder.
        embed_s: seconds to embed the customers three times.
    """

    learn: Snapshot
    calibrate: Snapshot
    serve: Snapshot
    fit_s: float
    embed_s: float

    @property
    def window_s(self) -> int:
        """Length of each window, seconds."""
        return self.serve.train.at - self.calibrate.train.at


def three_windows(
    model: ProfileEncoder, tables: Tables, split: Split, cache: Path, levels: Mapping[str, str], at_least: int
) -> ThreeWindows:
    """Fit the encoder two windows before the cutoff, and embed everybody known at each moment.

    The words of a level are those of the window learned from; the later windows are asked about the same ones.

    Args:
        model: not yet fitted.
        tables: the data.
        split: by time.
        cache: of the folds.
        levels: name of a question -> column of the item table: what is bought.
        at_least: customers who buy, and who do not buy, a word in the window learned from.

    Raises:
        DataError: where the split is not by time, or the log is too short for three windows.
        ValueError: where embeddings are not finite.
    """
    earlier, later = _moments(tables, split, cache)
    with metered() as fitting:
        model.fit(earlier.before)
    with metered() as embedding:
        learn, calibrate, serve = (
            _embedded(model, train, earlier.before) for train in (earlier.before, earlier.now, later.now)
        )
    # words of items from the whole catalogue: what is sold for the first time in a window counts in it
    items = pd.DataFrame({"item_id": []}) if tables.items is None else tables.items.to_pandas()
    asked = _asked(earlier.window_before, earlier.before, items, levels, at_least)
    return ThreeWindows(
        Snapshot(earlier.before, learn, asked),
        Snapshot(earlier.now, calibrate, _as_asked(asked, _asked(earlier.window, earlier.now, items, levels, 0))),
        Snapshot(later.now, serve, _as_asked(asked, _asked(later.window, later.now, items, levels, 0))),
        fitting.seconds,
        embedding.seconds,
    )


def _moments(tables: Tables, split: Split, cache: Path) -> tuple[TwoWindows, TwoWindows]:
    try:
        return two_windows(tables, split, "val", cache), two_windows(tables, split, "test", cache)
    except DataError as error:
        if not isinstance(split, Temporal) or not tables.card.clock:
            raise
        raise DataError(
            f"probabilities take three windows of {split.horizon_days} days, to learn, to calibrate and to promise, "
            f"and customers before them; a smaller split.horizon_days may do ({error})"
        ) from None


def _embedded(model: ProfileEncoder, train: Train, known: Train) -> np.ndarray:
    histories = train.histories if train is known else aligned(train, known)
    x = model.embed(histories, train.at).astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"{type(model).__name__} gave embeddings that are not finite")
    return x


def _asked(
    window: ibis.Table, train: Train, items: pd.DataFrame, levels: Mapping[str, str], at_least: int
) -> dict[str, Target]:
    return {each.name: each for each in behaviour(window, train.users, items, levels, at_least)}


def _as_asked(asked: Mapping[str, Target], found: Mapping[str, Target]) -> dict[str, Target]:
    """The same questions with the same classes; nobody bought what is not there."""
    aligned = {}
    for name, target in asked.items():
        place = {word: column for column, word in enumerate(found[name].classes)}
        truth = np.zeros((len(found[name].truth), len(target.classes)))
        for column, word in enumerate(target.classes):
            if word in place:
                truth[:, column] = found[name].truth[:, place[word]]
        aligned[name] = Target(name, target.kind, target.classes, truth, {})
    return aligned
