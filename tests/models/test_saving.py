import json
from pathlib import Path

import numpy as np
import pytest

from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.item_knn import ItemKNN
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.saving import load, save
from omniretail.models.training import Training
from tests.models.factories import random_baskets, train_on

TRAIN = train_on(random_baskets(20, 10), 10)


def test_settings_and_arrays_come_back(tmp_path: Path) -> None:
    save(ItemKNN(k=3, shrinkage=1.5).fit(TRAIN), tmp_path / "new" / "folder")
    model = load(tmp_path / "new" / "folder")
    assert isinstance(model, ItemKNN)
    assert (model.k, model.shrinkage, model.feature_weighting) == (3, 1.5, "tf-idf")
    np.testing.assert_array_equal(
        model.score(TRAIN.histories), ItemKNN(k=3, shrinkage=1.5).fit(TRAIN).score(TRAIN.histories)
    )


@pytest.mark.parametrize(("name", "value"), [("n_blocks", 2**31 - 1), ("dim", 2**40)])
def test_a_network_larger_than_its_weights_is_refused(name: str, value: int, tmp_path: Path) -> None:
    model = SASRec(dim=8, n_blocks=1, training=Training(max_epochs=1)).fit(train_on([[[0], [1]], [[1], [0]]], 2))
    save(model, tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps(settings | {name: value}))
    with pytest.raises(ValueError, match=f"settings.json: {name}={value} is more than the weights have"):
        load(tmp_path)


def test_an_unfitted_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EASE has learned nothing that could be saved; fit it"):
        save(EASE(), tmp_path)


def test_what_would_need_pickle_is_refused(tmp_path: Path) -> None:
    model = Popular().fit(TRAIN)
    for value in ({"a": 1}, np.array([None])):
        model.popularity_ = value
        with pytest.raises(TypeError, match=r"popularity_ is .*only NumPy arrays and SciPy CSR arrays can be saved"):
            save(model, tmp_path)


@pytest.mark.parametrize("name", ["settings.json", "arrays.npz"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    save(Popular().fit(TRAIN), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"has no {name}"):
        load(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "omniretail.core.engine.connect",
        "omniretail.models.saving.load",
        "omniretail.models.saving.Nothing",
    ],
)
def test_a_class_that_is_no_model_is_refused(path: str, tmp_path: Path) -> None:
    save(Popular().fit(TRAIN), tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps({"_target_": path}))
    with pytest.raises(ValueError, match=f"names the class '{path}', which is no model of omniretail.models"):
        load(tmp_path)
