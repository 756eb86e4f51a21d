import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx
from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.saving import load, save
from omniretail.registry.formats import onnx as export
from omniretail.registry.formats.onnx import to_onnx
from omniretail.registry.formats.onnx_check import check_onnx, random_histories
from omniretail.serving.onnx_runtime import OnnxEncoder, OnnxRecommender
from omniretail.views.histories import Histories
from tests.registry.fitted import ENCODERS, N_ITEMS, NEW, fitted, train_of

_RARE = ("SASRec", "SASRec, ligr", "SASRec, one event", "MultVAE", "LightGCN", "TwoTower")
RARE = (*_RARE, "GRU4Rec", "CoLES", "NextItem", "CoLES, mean", "GRUAutoencoder")
NAMES = [
    "SASRec, all there is",
    *(pytest.param(name, marks=pytest.mark.slow) for name in RARE),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


def exported(name: str, folder: Path) -> Path:
    """The model's file, written once, from what was saved of the model."""
    path = folder / name / ("vectors.onnx" if name in ENCODERS else "scores.onnx")
    if not path.exists():
        save(fitted(name), folder / name / "model")
        assert to_onnx(load(folder / name / "model"), folder / name) == path
    return path


def answers(name: str, path: Path, users: Histories) -> tuple[np.ndarray, np.ndarray]:
    """What ONNX Runtime gives, and what the model gives."""
    if name in ENCODERS:
        return OnnxEncoder(path).embed(users), fitted(name).embed(users, train_of(name).at)
    return OnnxRecommender(path).score(users), fitted(name).score(users)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_gives_what_the_model_gives(name: str, folder: Path) -> None:
    path = exported(name, folder)
    known = train_of(name).histories
    nobody = NEW.take([0])
    for users in (NEW, NEW.take([1]), nobody, known, known.take(range(7)), known.take([3]), NEW.take([])):
        given, expected = answers(name, path, users)
        assert given.dtype == np.float32
        assert given.flags.writeable
        np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(initial=1e-9))
    assert check_onnx(fitted(name), path, np.random.default_rng(7)) < 1e-5


def test_many_users_are_run_in_groups_of_like_length(folder: Path) -> None:
    lengths = np.random.default_rng(1).integers(0, 12, 2500)
    users = random_histories(lengths, N_ITEMS, 0, np.random.default_rng(2))
    assert lengths.sum() > 8192
    given, expected = answers("GRU4Rec", exported("GRU4Rec", folder), users)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)


def test_a_file_says_what_its_inputs_are_and_nothing_of_where_it_was_made(folder: Path) -> None:
    path = exported("SASRec, all there is", folder)
    about = OnnxRecommender(path, threads=1).about
    assert (about.model, about.output, about.n_items, about.layout.max_len) == ("SASRec", "scores", N_ITEMS, 6)
    assert list(about.inputs) == ["item", "length", "circumstance", "baskets_ago"]
    assert about.inputs["length"].startswith("[users] int64: how many")
    graph = onnx.load(path).graph
    assert {given.name for given in graph.input} == set(about.inputs)
    assert b"stack_trace" not in path.read_bytes()
    assert b".py" not in path.read_bytes()


def test_another_models_file_is_found_out(folder: Path) -> None:
    path = exported("GRU4Rec", folder)
    other: Any = load(folder / "GRU4Rec" / "model")
    other.weights_["encoder.out.bias"] = other.weights_["encoder.out.bias"] + np.float32(0.1)
    assert check_onnx(other, path, np.random.default_rng(0)) > 1e-3


def test_a_file_that_differs_is_removed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported("GRU4Rec", folder)
    other: Any = load(folder / "GRU4Rec" / "model")
    other.popularity_ = other.popularity_[::-1].copy()
    monkeypatch.setattr(export, "_write", lambda *arguments: shutil.copy(path, arguments[-1]))
    with pytest.raises(ValueError, match=r"GRU4Rec in ONNX differs from the model by .*; the file was removed"):
        to_onnx(other, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EASE is none of the networks that can be written as ONNX: SASRec"):
        to_onnx(EASE().fit(train_of("EASE")), tmp_path)
    with pytest.raises(ValueError, match="SASRec has learned nothing yet; fit it"):
        to_onnx(SASRec(), tmp_path)
    with pytest.raises(ValueError, match=r"own_items=true adds a bonus .* output='scores'"):
        to_onnx(fitted("SASRec, all there is"), tmp_path, "vectors")


def test_bad_input_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*x.onnx"):
        OnnxRecommender(tmp_path / "x.onnx")
    with pytest.raises(ValueError, match="gives vectors of users, not scores; open it with OnnxEncoder"):
        OnnxRecommender(exported("CoLES", folder))
    with pytest.raises(ValueError, match="gives scores, not vectors of users; open it with OnnxRecommender"):
        OnnxEncoder(exported("GRU4Rec", folder))
    shutil.copy(exported("CoLES", folder), tmp_path / "alone.onnx")
    with pytest.raises(FileNotFoundError, match=r"coding.npz is missing"):
        OnnxEncoder(tmp_path / "alone.onnx")
    with pytest.raises(ValueError, match="these histories are of 3 items, GRU4Rec is of 20"):
        OnnxRecommender(exported("GRU4Rec", folder)).score(Histories.of([[[1]]], n_items=3))


def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    made, value = onnx.helper, onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = made.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = made.make_graph([made.make_node("Identity", ["x"], ["y"])], "other", [value], [out])
    onnx.save(made.make_model(graph, opset_imports=[made.make_opsetid("", 20)], ir_version=10), tmp_path / "x.onnx")
    with pytest.raises(ValueError, match="has no metadata on its inputs"):
        OnnxRecommender(tmp_path / "x.onnx")


def test_vectors_times_items_are_the_scores_with_weights_in_one_file_or_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_IN_ONE_FILE", 0)
    path = to_onnx(fitted("LightGCN"), tmp_path, "vectors")
    assert (tmp_path / "vectors.onnx.data").exists()
    vectors = OnnxEncoder(path).embed(NEW)
    scores = fitted("LightGCN").score(NEW)
    some = NEW.lengths > 0
    np.testing.assert_allclose(vectors[some] @ fitted("LightGCN").item_factors_.T, scores[some], rtol=1e-4, atol=1e-6)
    assert not vectors[~some].any()
    with pytest.raises(ValueError, match="user_idx 40 is beyond the 40 users"):
        OnnxEncoder(path).embed(replace(NEW, user_idx=np.full(len(NEW), 40)))


def test_a_service_needs_no_torch() -> None:
    code = "import sys, omniretail.serving.onnx_runtime; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
