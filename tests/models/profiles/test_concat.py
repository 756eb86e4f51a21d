import json
from pathlib import Path

import numpy as np
import pytest

from omniretail.models.profiles.concat import Concat
from omniretail.models.profiles.random import Random
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.saving import load, save
from tests.models.factories import random_baskets, train_on

TRAIN = train_on(random_baskets(80, 30), 30)


def vectors_of(encoder: Concat) -> np.ndarray:
    return encoder.embed(TRAIN.histories, TRAIN.at)


def test_every_part_weighs_the_same() -> None:
    svd, noise = CountSVD(dim=4, unit_length=False), Random(dim=12)
    vectors = vectors_of(Concat({"svd": svd, "noise": noise}).fit(TRAIN))
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose([(part**2).sum(axis=1).mean() for part in np.split(vectors, [4], axis=1)], 8, rtol=1e-4)
    alone = svd.fit(TRAIN).embed(TRAIN.histories, TRAIN.at)
    correlation = np.corrcoef((alone - alone.mean(axis=0)).ravel(), vectors[:, :4].ravel())[0, 1]
    assert correlation == pytest.approx(1, abs=1e-5), "a part keeps its geometry"


def test_a_part_that_is_the_same_for_everybody_is_zero() -> None:
    train = train_on([[[0]], [[0]], [[0]]], 1)
    assert not Concat({"svd": CountSVD()}).fit(train).embed(train.histories, train.at).any()


def test_parts_are_left_as_they_are() -> None:
    part = CountSVD()
    Concat({"svd": part}).fit(TRAIN)
    assert not hasattr(part, "directions_")


def test_parts_are_named() -> None:
    with pytest.raises(ValueError, match="parts is empty"):
        Concat({})
    with pytest.raises(ValueError, match=r"'\.\./svd' becomes a folder's name"):
        Concat({"../svd": CountSVD()})


def test_saved_and_loaded_at_any_depth(tmp_path: Path) -> None:
    inner = Concat({"z": Random(dim=3), "a": CountSVD(dim=5, weighting="log")})
    outer = Concat({"noise": Random(dim=2, seed=4), "inner": inner}).fit(TRAIN)
    save(outer, tmp_path)
    again = load(tmp_path)
    assert list(again.parts) == ["noise", "inner"]
    assert again.parts["inner"].parts["a"].weighting == "log"
    np.testing.assert_array_equal(vectors_of(again), vectors_of(outer))


def test_saving_again_leaves_no_earlier_part(tmp_path: Path) -> None:
    save(Concat({"old": Random(), "same": Random()}).fit(TRAIN), tmp_path)
    save(Concat({"same": CountSVD()}).fit(TRAIN), tmp_path)
    assert list(load(tmp_path).parts_) == ["same"]


@pytest.mark.parametrize("place", ["settings.json", "parts.models/svd/settings.json"])
def test_a_part_that_is_no_model_is_refused(place: str, tmp_path: Path) -> None:
    save(Concat({"svd": CountSVD()}).fit(TRAIN), tmp_path)
    settings = json.loads((tmp_path / place).read_text())
    part = settings["parts"]["svd"] if "parts" in settings else settings
    part["_target_"] = "subprocess.Popen"
    (tmp_path / place).write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=r"names the class 'subprocess\.Popen', which is no model"):
        load(tmp_path)
