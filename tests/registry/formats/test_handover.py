"""Registered models handed over: a network as ONNX with its ids, vectors with an index."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.registry.formats.handover import hand_over_embeddings, hand_over_onnx
from omniretail.registry.register import register
from omniretail.serving.load_registered import load_registered
from tests.registry.conftest import Registered


@pytest.fixture(scope="module")
def network(registered: Registered) -> str:
    """A SASRec, hardly trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(registered.folder)
        tiny = ["trainer.max_epochs=1", "trainer.checkpoints=null", "model.dim=8"]
        run_id = registered.run("model=recommender/sasrec", "evaluate=[test]", *tiny)
        return f"models:/network/{register(registered.uri, run_id, 'network')}"


def test_a_network_is_handed_over_with_what_its_numbers_stand_for(
    registered: Registered, network: str, tmp_path: Path
) -> None:
    from omniretail.serving.onnx_runtime import OnnxRecommender

    path = hand_over_onnx(registered.uri, network, tmp_path / "net")
    bundle = load_registered(registered.uri, network).service.bundle  # type: ignore[attr-defined]
    users = bundle.train.histories.take([0, 1, 2])
    np.testing.assert_allclose(OnnxRecommender(path).score(users), bundle.model.score(users), rtol=1e-4, atol=1e-5)
    ids = pd.read_parquet(tmp_path / "net/items.parquet").item_id
    assert ids.tolist() == bundle.train.items.ids.tolist()


def test_vectors_come_with_raw_ids_and_an_index(registered: Registered, network: str, tmp_path: Path) -> None:
    found = hand_over_embeddings(registered.uri, network, tmp_path / "vectors")
    bundle = load_registered(registered.uri, network).service.bundle  # type: ignore[attr-defined]
    users = pd.read_parquet(tmp_path / "vectors/users.parquet")
    assert users.user_id.tolist() == bundle.train.users.ids.tolist()
    assert 0.9 <= found["recall_at_10"] <= 1


def test_a_model_that_is_neither_says_so(registered: Registered, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EASE"):
        hand_over_onnx(registered.uri, "models:/shop/1", tmp_path / "net")
    with pytest.raises(ValueError, match="EASE"):
        hand_over_embeddings(registered.uri, "models:/shop/1", tmp_path / "vectors")
