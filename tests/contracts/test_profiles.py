"""What ``ProfileEncoder`` asks of an encoder, held against every yaml of ``configs/model/profile``."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.audit.perturbations import everything
from omniretail.models.profiles.coles import CoLES
from omniretail.models.profiles.gru_autoencoder import GRUAutoencoder
from omniretail.models.profiles.ials import IALSFactors
from omniretail.models.profiles.item2vec import Item2Vec
from omniretail.models.profiles.next_item import NextItem
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.random import Random
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.profiles.table import ProfileTable
from omniretail.models.saving import load, save
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Train
from tests.conftest import ROOT, composed, tables_of

NAMES = sorted(path.stem for path in (ROOT / "configs/model/profile").glob("*.yaml"))
NOISE = {"random"}
N_USERS, N_ITEMS, N_DAYS, DAY_S = 60, 24, 120, 24 * 3600
SPLIT = Temporal(horizon_days=28, end="2024-05-01")
AMOUNTS_AND_STORES = ["store_id", "quantity", "value", "discount", "coupon"]

every_encoder = pytest.mark.parametrize("name", NAMES)


def planted_events(seed: int = 0) -> pd.DataFrame:
    """A log in which even customers take even items and odd ones odd items; all else is the same for both kinds."""
    rng = np.random.default_rng(seed)
    n = N_USERS * 10
    baskets = pd.DataFrame(
        {
            "basket_id": np.arange(n),
            "user_id": np.arange(n) % N_USERS,
            "timestamp": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, N_DAYS * 24, n), unit="h"),
            "store_id": rng.integers(0, 3, n),
            "size": rng.integers(1, 6, n),
        }
    )
    events = baskets.loc[baskets.index.repeat(baskets["size"])].drop(columns="size").reset_index(drop=True)
    events["item_id"] = 2 * rng.integers(0, N_ITEMS // 2, len(events)) + events.user_id % 2
    events["quantity"] = rng.integers(1, 4, len(events)).astype(float)
    events["value"] = (events.quantity * rng.uniform(1, 9, len(events))).round(2)
    events["discount"] = np.where(rng.random(len(events)) < 0.3, 0.5, 0.0)
    events["coupon"] = np.where(rng.random(len(events)) < 0.1, 0.25, 0.0)
    return events.assign(event_type="purchase", channel="offline")


@cache
def shop(changed_afterwards: bool = False) -> Train:
    """The log up to the cutoff; on demand with other events after it."""
    items = pd.DataFrame({"item_id": np.arange(N_ITEMS + 8)})
    items["category"] = "kind " + (items.item_id % 12).astype(str)
    items["department"] = items.item_id % 4
    users = pd.DataFrame({"user_id": np.arange(N_USERS + 11), "age": 30})
    tables = tables_of(planted_events(), items=items, users=users)
    if changed_afterwards:
        tables = everything(tables, datetime(2024, 4, 3), np.random.default_rng(1))
    return training_view(tables, SPLIT.cutoff(tables.events, "test"))


@cache
def bare_shop() -> Train:
    """Users, items and times only: no prices, stores, categories, baskets or users' table."""
    tables = tables_of(planted_events().drop(columns=[*AMOUNTS_AND_STORES, "basket_id"]))
    return training_view(tables, SPLIT.cutoff(tables.events, "test"))


def made(name: str) -> ProfileEncoder:
    """The yaml's encoder; where it is trained, for as short as possible."""
    tiny = ["trainer=cpu", "trainer.max_epochs=2", "trainer.checkpoints=null"]
    return instantiate(composed(f"model=profile/{name}", *tiny).model)


@cache
def fitted(name: str) -> ProfileEncoder:
    return made(name).fit(shop())


@cache
def vectors_of(name: str) -> np.ndarray:
    """Of all training customers; shape (U, D)."""
    vectors = fitted(name).embed(shop().histories, shop().at)
    vectors.flags.writeable = False
    return vectors


def assert_close(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def continued(histories: Histories, days: int = 60) -> Histories:
    """Every customer does all they did once more, ``days`` later."""
    ends = zip(histories.offsets[:-1], histories.offsets[1:], strict=True)
    twice = np.concatenate([np.tile(np.arange(start, end), 2) for start, end in ends])
    second = np.concatenate([np.repeat([False, True], length) for length in histories.lengths])
    arrays = {name: getattr(histories, name)[twice] for name in PER_EVENT}
    arrays["timestamp"] = arrays["timestamp"] + second * days * DAY_S
    arrays["basket"] = arrays["basket"] + second * np.repeat(histories.n_baskets, 2 * histories.lengths)
    return replace(histories, offsets=2 * histories.offsets, **arrays)


@every_encoder
def test_vectors_are_float32_finite_and_of_one_length(name: str) -> None:
    vectors = vectors_of(name)
    assert vectors.dtype == np.float32
    assert vectors.ndim == 2
    assert vectors.shape[0] == N_USERS
    assert vectors.shape[1] > 0
    assert np.isfinite(vectors).all()


@every_encoder
def test_a_row_depends_on_its_customer_alone(name: str) -> None:
    histories, at = shop().histories, shop().at
    alone = [fitted(name).embed(histories.take([user]), at) for user in range(0, N_USERS, 6)]
    assert_close(np.concatenate(alone), vectors_of(name)[::6])
    order = np.random.default_rng(0).permutation(N_USERS)
    assert_close(fitted(name).embed(histories.take(order), at), vectors_of(name)[order])


@every_encoder
def test_the_same_seed_gives_the_same_vectors(name: str) -> None:
    again = made(name).fit(shop())
    np.testing.assert_array_equal(again.embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_eight_threads_get_the_same_vectors(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    encoder, few = load(tmp_path), shop().histories.take(np.arange(12))  # what is loaded late is loaded by several
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: encoder.embed(few, shop().at), range(8)))
    for vectors in answers:
        assert_close(vectors, vectors_of(name)[:12])


@every_encoder
def test_refitting_forgets(name: str) -> None:
    encoder = made(name).fit(bare_shop()).fit(shop())
    np.testing.assert_array_equal(encoder.embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_saved_and_loaded_gives_equal_vectors(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_an_empty_history_has_a_vector_alone_and_among_others(name: str) -> None:
    among_others = fitted(name).embed(shop().histories.take([3, -1, 5]), shop().at)
    assert np.isfinite(among_others).all()
    assert_close(among_others[[0, 2]], vectors_of(name)[[3, 5]])
    alone = fitted(name).embed(Histories.of([[], []], N_ITEMS), shop().at)
    assert_close(alone, among_others[[1, 1]])


@every_encoder
def test_a_customer_who_is_not_in_training_is_embedded_by_the_history_alone(name: str) -> None:
    others = replace(shop().histories, user_idx=np.full(N_USERS, -1, dtype=np.int32))
    assert_close(fitted(name).embed(others, shop().at), vectors_of(name))


@every_encoder
def test_a_history_of_one_event(name: str) -> None:
    histories = shop().histories
    first = histories.keep(np.isin(np.arange(len(histories.item_idx)), histories.offsets[:-1]))
    assert (first.lengths == 1).all()
    vectors = fitted(name).embed(first, shop().at)
    assert vectors.shape == vectors_of(name).shape
    assert np.isfinite(vectors).all()


@every_encoder
def test_a_history_that_is_all_of_one_day(name: str) -> None:
    one_day = replace(shop().histories, timestamp=shop().histories.timestamp // DAY_S % 2 + shop().at - DAY_S)
    vectors = fitted(name).embed(one_day, shop().at)
    assert vectors.shape == vectors_of(name).shape
    assert np.isfinite(vectors).all()


@every_encoder
def test_customers_with_the_same_history_have_the_same_vector(name: str) -> None:
    twins = shop().histories.take([7, 12, 7])
    twins = replace(twins, user_idx=np.array([7, 12, 3], dtype=np.int32))
    vectors = fitted(name).embed(twins, shop().at)
    assert_close(vectors[0], vectors[2])
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


@every_encoder
def test_customers_with_one_and_the_same_visit(name: str) -> None:
    """One event each, all at one time, of one item at one price."""
    same = {"item_id": 3, "store_id": 1, "quantity": 1.0, "value": 2.0, "discount": 0.0, "coupon": 0.0}
    events = planted_events().head(7).assign(user_id=[*range(6), 0], basket_id=range(7), **same)
    events["timestamp"] = pd.to_datetime(["2024-03-01 12:00"] * 6 + ["2024-04-10 12:00"])  # the last after the cutoff
    tables = tables_of(events)
    train = training_view(tables, SPLIT.cutoff(tables.events, "test"))
    vectors = made(name).fit(train).embed(train.histories, train.at)
    assert len(vectors) == 6
    assert np.isfinite(vectors).all()
    assert_close(vectors, np.tile(vectors[:1], (6, 1)))


@every_encoder
def test_a_bare_history_without_times_or_amounts(name: str) -> None:
    vectors = fitted(name).embed(Histories.of([[[3, 5], [8]]], N_ITEMS), shop().at)
    assert vectors.shape == (1, vectors_of(name).shape[1])
    assert np.isfinite(vectors).all()


@every_encoder
def test_histories_may_go_on_after_the_cutoff(name: str) -> None:
    longer, at = continued(shop().histories), shop().at + 60 * DAY_S
    vectors = fitted(name).embed(longer, at)
    assert vectors.shape == vectors_of(name).shape
    assert np.isfinite(vectors).all()
    assert_close(fitted(name).embed(longer.take([7]), at), vectors[[7]])


@every_encoder
def test_what_happens_after_the_cutoff_changes_nothing(name: str) -> None:
    other = shop(changed_afterwards=True)
    np.testing.assert_array_equal(made(name).fit(other).embed(other.histories, other.at), vectors_of(name))


@every_encoder
def test_a_log_of_users_items_and_times_is_enough(name: str) -> None:
    vectors = made(name).fit(bare_shop()).embed(bare_shop().histories, bare_shop().at)
    assert vectors.shape[0] == N_USERS
    assert np.isfinite(vectors).all()


@every_encoder
def test_no_customers_no_vectors(name: str) -> None:
    none = fitted(name).embed(shop().histories.take([]), shop().at)
    assert none.shape == (0, vectors_of(name).shape[1])


@every_encoder
def test_vectors_may_be_written_to(name: str) -> None:
    vectors = fitted(name).embed(shop().histories, shop().at)
    vectors[:] = np.inf
    np.testing.assert_array_equal(fitted(name).embed(shop().histories, shop().at), vectors_of(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOISE])
def test_customers_of_two_kinds_are_separated(name: str) -> None:
    """The kinds' centres are taken of half the customers; each of the others lies nearer to that of its kind."""
    vectors, kind = vectors_of(name), np.arange(N_USERS) % 2
    first_half = np.arange(N_USERS) < N_USERS // 2
    centres = np.stack([vectors[first_half & (kind == one)].mean(axis=0) for one in (0, 1)])
    distance = np.linalg.norm(vectors[~first_half, None] - centres[None], axis=2)
    assert np.mean(distance.argmin(axis=1) == kind[~first_half]) > 0.9


@pytest.mark.parametrize(
    ("encoder", "setting", "value", "rule"),
    [
        (Random, "dim", 0, "be 1 or more"),
        (CountSVD, "dim", 0, "be 1 or more"),
        (CountSVD, "weighting", "logarithm", "be one of log, tf-idf"),
        (Item2Vec, "dim", 0, "be 1 or more"),
        (Item2Vec, "negatives", 0, "be 1 or more"),
        (Item2Vec, "half_life_days", 0, "be above 0"),
        (Item2Vec, "sets", "session", "be one of basket, history"),
        (ProfileTable, "max_values", -1, "be 0 or more"),
        (CoLES, "views", 1, "be 2 or more"),
        (CoLES, "learning_rate", 0, "be above 0"),
        (GRUAutoencoder, "n_targets", 0, "be 1 or more"),
        (GRUAutoencoder, "amounts", -1, "be 0 or more"),
        (NextItem, "heads", 3, "divide dim=64"),
        (NextItem, "block", "modern", "be one of classic, ligr"),
        (NextItem, "context", ["weather"], "hold names among"),
    ],
)
def test_settings_out_of_range_are_refused(encoder: type, setting: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=rf"{encoder.__name__}: {setting}={re.escape(repr(value))} must {rule}"):
        encoder(**{setting: value})


def test_factors_are_refused_as_the_recommender_refuses_them() -> None:
    with pytest.raises(ValueError, match="IALS: alpha=-1 must be above 0"):
        IALSFactors(alpha=-1)
