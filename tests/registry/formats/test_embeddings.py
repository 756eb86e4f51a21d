import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from usearch.index import Index

from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.registry.formats.ann_index import IndexSettings, recall, write_index
from omniretail.registry.formats.embeddings import (
    export_embeddings,
    export_profiles,
    item_embeddings,
    user_embeddings,
)
from omniretail.serving.ann_index import open_index, search
from omniretail.views.histories import Histories
from tests.models.profiles.shop import KINDS
from tests.registry.fitted import ENCODERS, N_ITEMS, NEW, SHOP, fitted

WITH_VECTORS = ("SASRec", "SASRec, ligr", "GRU4Rec", "MultVAE", "LightGCN", "TwoTower", "iALS", "BPR")
RAW = np.array([f"P{item:02}" for item in range(N_ITEMS)])
CUSTOMERS = np.array([f"C{user}" for user in range(len(SHOP.users))])


def table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_products_of_the_vectors_are_the_scores(name: str) -> None:
    model = fitted(name)
    for users in (SHOP.histories, SHOP.histories.take([3]), *([NEW] if name != "BPR" else [])):
        some = users.take(np.flatnonzero(users.lengths))
        product = user_embeddings(model, some) @ item_embeddings(model).T
        np.testing.assert_allclose(product, model.score(some), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in WITH_VECTORS if name not in ("BPR", "TwoTower")])
def test_a_user_without_a_history_has_nought(name: str) -> None:
    assert not user_embeddings(fitted(name), NEW.take([0, 4])).any()
    assert len(user_embeddings(fitted(name), NEW.take([]))) == 0


def test_item_vectors_are_the_callers_own() -> None:
    for name in ("iALS", "SASRec"):
        item_embeddings(fitted(name))[:] = 0
        assert item_embeddings(fitted(name)).any()


def test_parquet_holds_raw_ids_and_lists(tmp_path: Path) -> None:
    export_embeddings(fitted("LightGCN"), tmp_path, SHOP.histories, CUSTOMERS, RAW)
    items, users = table(tmp_path / "items.parquet"), table(tmp_path / "users.parquet")
    assert items.item_id.tolist() == RAW.tolist()
    assert users.user_id.tolist() == CUSTOMERS.tolist()
    np.testing.assert_array_equal(np.stack(items.embedding), item_embeddings(fitted("LightGCN")))
    np.testing.assert_array_equal(np.stack(users.embedding), user_embeddings(fitted("LightGCN"), SHOP.histories))
    assert pq.read_schema(tmp_path / "items.parquet").field("embedding").type == pa.list_(pa.float32())


def test_the_index_finds_again_what_the_json_says_it_finds(tmp_path: Path) -> None:
    said = export_embeddings(fitted("iALS"), tmp_path, SHOP.histories, CUSTOMERS, RAW)
    assert said == json.loads((tmp_path / "index.json").read_text())
    assert (said["model"], said["n_items"], said["users_measured"]) == ("IALS", N_ITEMS, len(SHOP.users))
    assert said["recall_at_10"] == 1.0  # of twenty items all are looked at
    assert "recall_at_100" not in said
    assert open_index(tmp_path).expansion_search == said["expansion_search"]
    keys, _ = search(open_index(tmp_path), user_embeddings(fitted("iALS"), SHOP.histories.take([7])), 5)
    best = np.argsort(-fitted("iALS").score(SHOP.histories.take([7]))[0])[:5]
    assert table(tmp_path / "items.parquet").item_id[keys[0]].tolist() == RAW[best].tolist()


def test_an_index_that_hardly_looks_is_told_of(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    items, users = (rng.standard_normal((n, 16)).astype(np.float32) for n in (3000, 50))
    lazy = write_index(tmp_path, items, users, IndexSettings(connectivity=2, expansion_add=2, expansion_search=1))
    keen = write_index(tmp_path, items, users, IndexSettings(expansion_search=512))
    assert lazy["recall_at_10"] < 0.8 < 0.99 < keen["recall_at_10"]
    assert keen == write_index(tmp_path, items, users, IndexSettings(expansion_search=512))


def test_recall_by_hand() -> None:
    items = np.eye(4, dtype=np.float32)
    half = Index(ndim=4, metric="ip", dtype="f32")
    half.add(np.array([0, 2], dtype=np.uint64), items[[0, 2]])  # it has never heard of 1 and 3
    users = np.array([[4, 3, 2, 1], [1, 2, 3, 4]], dtype=np.float32)
    assert recall(half, items, users, 2) == 0.5  # 0 of 0 and 1; 2 of 3 and 2
    assert recall(half, items, users[:1], 3) == pytest.approx(2 / 3)  # alone, and with fewer found than asked for
    assert recall(half, items, np.array([[1, 1, 1, 1]], dtype=np.float32), 2) == 1.0  # all are equally good
    assert recall(half, items, users[:0], 2) is None


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_have_vectors_of_users_alone(name: str, tmp_path: Path) -> None:
    export_profiles(fitted(name), tmp_path, KINDS.histories, KINDS.users.ids, KINDS.at)
    assert [file.name for file in tmp_path.iterdir()] == ["users.parquet"]
    vectors = np.stack(table(tmp_path / "users.parquet").embedding)
    np.testing.assert_array_equal(vectors, fitted(name).embed(KINDS.histories, KINDS.at))
    with pytest.raises(ValueError, match="is a profile encoder: it has vectors of users, none of items"):
        item_embeddings(fitted(name))


def test_what_has_no_vectors_is_told_who_has(tmp_path: Path) -> None:
    named = "EASE are no products of vectors; those of SASRec and GRU4Rec .* iALS, BPR are"
    without: Any = EASE().fit(SHOP)
    for ask in (lambda: item_embeddings(without), lambda: user_embeddings(without, NEW)):
        with pytest.raises(ValueError, match=named):
            ask()
    with pytest.raises(ValueError, match=r"own_items=true adds a bonus to SASRec's products"):
        export_embeddings(fitted("SASRec, all there is"), tmp_path, NEW, range(7), RAW)
    with pytest.raises(ValueError, match="SASRec has learned nothing yet"):
        item_embeddings(SASRec())
    with pytest.raises(UnknownUserError, match="BPR"):
        user_embeddings(fitted("BPR"), Histories.of([[[1]]], N_ITEMS))


def test_bad_input_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"3 ids for 20 vectors: items.parquet needs one each"):
        export_embeddings(fitted("iALS"), tmp_path, NEW, range(7), RAW[:3])
    with pytest.raises(FileNotFoundError, match=r"holds no items.usearch; export_embeddings writes it"):
        open_index(tmp_path)
