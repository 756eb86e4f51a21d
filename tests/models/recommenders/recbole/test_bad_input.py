"""Every mistake is one sentence that names it and the way out."""

import importlib.util
import sys
from typing import Any

import pytest

from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.library import RecBoleAbsentError
from tests.models.recommenders.recbole.conftest import needs_recbole, shop


def sentence(name: str, *, with_attributes: bool = True, **settings: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        RecBole(name, **settings).fit(shop(with_attributes))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_model() -> None:
    assert "no model 'LigthGCN' (did you mean LightGCN" in sentence("LigthGCN")


def test_a_model_spelt_in_other_letters() -> None:
    assert "did you mean SASRec" in sentence("sasrec")


def test_a_model_of_another_kind() -> None:
    assert "DeepFM is a context model of RecBole" in sentence("DeepFM")


@needs_recbole
def test_an_unknown_parameter() -> None:
    message = sentence("LightGCN", params={"n_layer": 2})
    assert "LightGCN has no parameter 'n_layer' (did you mean n_layers" in message
    assert "embedding_size, n_layers, reg_weight" in message


@needs_recbole
@pytest.mark.parametrize(("parameter", "ours"), [("epochs", "epochs"), ("stopping_step", "patience")])
def test_a_parameter_that_has_a_place_of_its_own(parameter: str, ours: str) -> None:
    assert f"params.{parameter} is a setting of its own: set {ours} instead" in sentence("BPR", params={parameter: 3})


@needs_recbole
@pytest.mark.parametrize("name", ["SASRecF", "S3Rec", "CKE"])
def test_no_attributes(name: str) -> None:
    assert f"{name} needs item attributes, and the item table of this source has none" in sentence(
        name, with_attributes=False
    )


@needs_recbole
def test_an_attribute_that_is_not_there() -> None:
    assert "no column 'colour'; it has name, category, department" in sentence("SASRecF", attributes=["colour"])


@pytest.mark.parametrize(
    ("setting", "message"), [({"epochs": 0}, "epochs=0 must be 1"), ({"patience": -1}, "patience=-1 must be 0")]
)
def test_settings_out_of_range(setting: dict[str, int], message: str) -> None:
    assert message in sentence("BPR", **setting)


def test_recbole_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    assert "pip install 'omniretail[train,recbole]'" in sentence("BPR")


def test_a_python_without_recbole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "version_info", (3, 13, 1))
    with pytest.raises(RecBoleAbsentError, match=r"cannot be installed on Python 3\.13: it pins a version of ray"):
        RecBole("BPR").fit(shop())
