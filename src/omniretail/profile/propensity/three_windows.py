"""Three consecutive windows: probabilities are learned in the first, calibrated in the second, tested in the third."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from omniretail.core.errors import DataError
from omniretail.core.resources import Cost, metered
from omniretail.dataset import Dataset
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.embedding import embed
from omniretail.profile.probing.targets import Target, behaviour_targets
from omniretail.profile.windows import last_window_is, two_windows
from omniretail.splits.cutoff import Stage
from omniretail.views.train import Train


@dataclass(frozen=True)
class Snapshot:
    """The customers known at a cutoff, and what they do in the window after it.

    Attributes:
        train: everything before the cutoff; its U users are the customers.
        x: their embeddings; float64; shape (U, D).
        targets: by question.
    """

    train: Train
    x: np.ndarray
    targets: Mapping[str, Target]


@dataclass(frozen=True)
class ThreeWindows:
    """Snapshots at ``t - 2w``, ``t - w`` and ``t``, where t is the stage's cutoff and w the window of the split.

    Attributes:
        learning: the first; the encoder is fitted on what lies before it.
        calibration: the second; its window ends at t.
        test: the third; its window is the stage's, read for metrics alone.
        fitting: cost of fitting the encoder.
        embedding: cost of embedding the customers three times.
    """

    learning: Snapshot
    calibration: Snapshot
    test: Snapshot
    fitting: Cost
    embedding: Cost

    @property
    def window_s(self) -> int:
        """Length of each window, seconds."""
        return self.test.train.at - self.calibration.train.at


def three_windows(
    model: ProfileEncoder, data: Dataset, stage: Stage, levels: Mapping[str, str], min_buyers: int
) -> ThreeWindows:
    """Fit the encoder two windows before the stage's cutoff, and embed everybody known at each cutoff.

    The classes of a level are those of the learning window; the later windows have the same ones.

    Args:
        model: not yet fitted.
        data: split by time.
        stage: whose window is the third.
        levels: name of a question -> column of the items table whose values customers buy.
        min_buyers: customers who buy, and who do not buy, a value in the learning window.

    Raises:
        DataError: where the split is not by time, or the log is too short for three windows.
        SettingsError: where embeddings are not finite.
    """
    trains, windows = _cut(last_window_is(data, stage), stage)
    first = trains[0]
    with metered() as fitting:
        model.fit(first)
    with metered() as embedding:
        embeddings = [embed(model, train, first) for train in trains]
    # attributes of all items: one that is first sold in a window counts there
    items = pd.DataFrame({"item_id": []}) if data.tables.items is None else data.tables.items.to_pandas()
    targets = [
        behaviour_targets(window, train.users, items, levels, 0 if place else min_buyers)
        for place, (window, train) in enumerate(zip(windows, trains, strict=True))
    ]
    learning, *later = ({each.name: each for each in at_one_cutoff} for at_one_cutoff in targets)
    aligned = [learning, *(_with_classes_of(learning, each) for each in later)]
    snapshots = [Snapshot(*parts) for parts in zip(trains, embeddings, aligned, strict=True)]
    return ThreeWindows(snapshots[0], snapshots[1], snapshots[2], fitting, embedding)


def _cut(data: Dataset, stage: Stage) -> tuple[list[Train], list[ibis.Table]]:
    """What lies before each of the three cutoffs, and the windows after them."""
    try:
        first, second = two_windows(data, "val"), two_windows(data, "test")
    except DataError as error:
        days = data.required_split().horizon_days
        only_test = "; evaluate=[test] needs one window less" if stage == "val" else ""
        raise DataError(
            f"propensity on {stage} needs three windows of {days} days, to learn, to calibrate and to evaluate, and "
            f"customers before them; set a smaller split.horizon_days, such as {max(days // 2, 1)}{only_test} ({error})"
        ) from None
    trains = [first.earlier, first.later, second.later]
    return trains, [first.earlier_window, first.later_window, second.later_window]


def _with_classes_of(learning: Mapping[str, Target], later: Mapping[str, Target]) -> dict[str, Target]:
    """The later labels with the classes of the learning window; a class that is not sold any more has no buyers."""
    aligned = {}
    for name, target in learning.items():
        place = {value: column for column, value in enumerate(later[name].classes)}
        truth = np.zeros((len(later[name].truth), len(target.classes)))
        for column, value in enumerate(target.classes):
            if value in place:
                truth[:, column] = later[name].truth[:, place[value]]
        aligned[name] = Target(name, target.kind, target.classes, truth, {})
    return aligned
