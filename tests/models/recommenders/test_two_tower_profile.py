"""TwoTower with a profile as the user's feature."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.saving import load, save
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import train_on

N_ITEMS = 24
RNG = np.random.default_rng(0)


class Spent:
    """The mean of what was paid for a line."""

    def fit(self, train: Train) -> Self:
        self.fitted_ = np.ones(1)
        return self

    def embed(self, users: Histories, at: int) -> np.ndarray:
        total = np.bincount(users.rows, weights=users.value, minlength=len(users))
        return (total / np.maximum(users.lengths, 1)).astype(np.float32)[:, None]


def priced(histories: Histories) -> Histories:
    """Every other customer pays more."""
    return replace(histories, value=(1.0 + 4.0 * (histories.rows % 2)).astype(np.float32))


def lives(n: int) -> list[list[list[int]]]:
    """Six days of whatever, on the seventh and the eighth what one's kind takes: 8-15, or 16-23 who pays more."""
    own = [[int(8 + 8 * (user % 2) + item) for item in RNG.integers(0, 8, 2)] for user in range(n)]
    return [[[int(item)] for item in RNG.integers(0, 8, 6)] + [[item] for item in own[user]] for user in range(n)]


BARE = train_on(lives(80), N_ITEMS)
TRAIN = replace(BARE, histories=priced(BARE.histories))
NEW = priced(Histories.of([[[int(item)] for item in RNG.integers(0, 8, 6)] for _ in range(40)], N_ITEMS))


def small(encoder: ProfileEncoder | None, epochs: int = 15, **training: Any) -> TwoTower:
    shape = {"dim": 16, "max_len": 6, "learning_rate": 0.01, "batch_events": 128}
    return TwoTower(**shape, encoder=encoder, training=Training(max_epochs=epochs, **training))


def right(model: TwoTower) -> float:
    """Share of new customers to whom items of their own kind are shown before those of the other."""
    scores = model.score(NEW)
    more = scores[:, 16:].mean(1) > scores[:, 8:16].mean(1)
    return float(np.mean(more == (np.arange(len(NEW)) % 2 == 1)))


def test_it_learns_what_only_the_profile_tells_and_says_it_of_new_customers() -> None:
    assert right(small(Spent()).fit(TRAIN)) == 1
    assert right(small(None).fit(TRAIN)) < 0.8


def test_without_an_encoder_there_is_nothing_of_it() -> None:
    model = small(None, epochs=1).fit(BARE)
    assert model.label == "TwoTower"
    assert not [name for name in model.weights_ if "profile" in name]
    assert not hasattr(model, "models_")


def test_saved_and_loaded_it_asks_the_encoder_alike(tmp_path: Path) -> None:
    model = small(CountSVD(dim=3), epochs=1).fit(BARE)
    save(model, tmp_path)
    again = load(tmp_path)
    assert (again.label, again.encoder.dim) == ("TwoTower (CountSVD)", 3)
    for users in (BARE.histories, NEW):
        np.testing.assert_array_equal(again.score(users), model.score(users))


def test_the_given_encoder_stays_as_it_is() -> None:
    encoder = CountSVD(dim=3)
    small(encoder, epochs=1).fit(BARE)
    assert not hasattr(encoder, "directions_")


def test_runs_with_other_encoders_share_no_checkpoint_and_equal_ones_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[str] = []
    monkeypatch.setattr("shutil.rmtree", lambda folder, **_: folders.append(str(folder)))  # as if each was killed
    for dim in (2, 2, 3):
        small(CountSVD(dim=dim), epochs=1, checkpoints=str(tmp_path), checkpoint_every_s=0).fit(BARE)
    assert folders[0] == folders[1] != folders[2]
