"""What ``ProfileEncoder`` promises, asked of every encoder there is a yaml for."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.audit.perturbations import everything
from omniretail.config import compose
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.saving import load, save
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Train
from tests.conftest import ROOT, tables_of

NAMES = sorted(path.stem for path in (ROOT / "configs/model/profile").glob("*.yaml"))
TELL_NOTHING = {"random"}
"""By design."""
N_USERS, N_ITEMS, N_DAYS, DAY_S = 60, 24, 120, 24 * 3600
SPLIT = Temporal(horizon_days=28, end="2024-05-01")
AMOUNTS_AND_STORES = ["store_id", "quantity", "value", "discount", "coupon"]

every_encoder = pytest.mark.parametrize("name", NAMES)


def planted_events(seed: int = 0) -> pd.DataFrame:
    """A log in which even customers take even items and odd ones odd items; all else is alike for both kinds."""
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
    """The log up to the cutoff; what comes after it is another one if asked."""
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
    """Nothing but who took what when: no prices, stores, categories, baskets or customers' table."""
    tables = tables_of(planted_events().drop(columns=[*AMOUNTS_AND_STORES, "basket_id"]))
    return training_view(tables, SPLIT.cutoff(tables.events, "test"))


def made(name: str) -> ProfileEncoder:
    """The yaml's encoder; where it is trained, for as short as possible."""
    tiny = ["trainer=cpu", "trainer.max_epochs=2", "trainer.checkpoints=null"]
    return instantiate(compose(f"model=profile/{name}", *tiny).model)


@cache
def fitted(name: str) -> ProfileEncoder:
    return made(name).fit(shop())


@cache
def vectors_of(name: str) -> np.ndarray:
    """Of all training customers; shape (U, D)."""
    vectors = fitted(name).embed(shop().histories, shop().at)
    vectors.flags.writeable = False
    return vectors


def assert_alike(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def gone_on(histories: Histories, days: int = 60) -> Histories:
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
    assert_alike(np.concatenate(alone), vectors_of(name)[::6])
    order = np.random.default_rng(0).permutation(N_USERS)
    assert_alike(fitted(name).embed(histories.take(order), at), vectors_of(name)[order])


@every_encoder
def test_the_same_seed_gives_the_same_vectors(name: str) -> None:
    again = made(name).fit(shop())
    np.testing.assert_array_equal(again.embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_refitting_forgets(name: str) -> None:
    encoder = made(name).fit(bare_shop()).fit(shop())
    np.testing.assert_array_equal(encoder.embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_saved_and_loaded_gives_equal_vectors(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    np.testing.assert_array_equal(load(tmp_path).embed(shop().histories, shop().at), vectors_of(name))


@every_encoder
def test_an_empty_history_has_a_vector_whoever_else_is_asked_for(name: str) -> None:
    among_others = fitted(name).embed(shop().histories.take([3, -1, 5]), shop().at)
    assert np.isfinite(among_others).all()
    assert_alike(among_others[[0, 2]], vectors_of(name)[[3, 5]])
    alone = fitted(name).embed(Histories.of([[], []], N_ITEMS), shop().at)
    assert_alike(alone, among_others[[1, 1]])


@every_encoder
def test_an_unknown_customer_is_known_by_the_history_alone(name: str) -> None:
    strangers = replace(shop().histories, user_idx=np.full(N_USERS, -1, dtype=np.int32))
    assert_alike(fitted(name).embed(strangers, shop().at), vectors_of(name))


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
def test_customers_who_did_the_same_have_the_same_vector(name: str) -> None:
    twins = shop().histories.take([7, 12, 7])
    twins = replace(twins, user_idx=np.array([7, 12, 3], dtype=np.int32))
    vectors = fitted(name).embed(twins, shop().at)
    assert_alike(vectors[0], vectors[2])
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


@every_encoder
def test_everybody_did_the_same_in_one_visit(name: str) -> None:
    """Nothing tells these customers apart: one event each, all at one moment, one item, one price."""
    alike = {"item_id": 3, "store_id": 1, "quantity": 1.0, "value": 2.0, "discount": 0.0, "coupon": 0.0}
    events = planted_events().head(7).assign(user_id=[*range(6), 0], basket_id=range(7), **alike)
    events["timestamp"] = pd.to_datetime(["2024-03-01 12:00"] * 6 + ["2024-04-10 12:00"])  # the last after the cutoff
    tables = tables_of(events)
    train = training_view(tables, SPLIT.cutoff(tables.events, "test"))
    vectors = made(name).fit(train).embed(train.histories, train.at)
    assert len(vectors) == 6
    assert np.isfinite(vectors).all()
    assert_alike(vectors, np.tile(vectors[:1], (6, 1)))


@every_encoder
def test_a_bare_history_without_times_or_amounts(name: str) -> None:
    vectors = fitted(name).embed(Histories.of([[[3, 5], [8]]], N_ITEMS), shop().at)
    assert vectors.shape == (1, vectors_of(name).shape[1])
    assert np.isfinite(vectors).all()


@every_encoder
def test_histories_may_go_on_after_the_cutoff(name: str) -> None:
    longer, at = gone_on(shop().histories), shop().at + 60 * DAY_S
    vectors = fitted(name).embed(longer, at)
    assert vectors.shape == vectors_of(name).shape
    assert np.isfinite(vectors).all()
    assert_alike(fitted(name).embed(longer.take([7]), at), vectors[[7]])


@every_encoder
def test_what_happens_after_the_cutoff_changes_nothing(name: str) -> None:
    other = shop(changed_afterwards=True)
    np.testing.assert_array_equal(made(name).fit(other).embed(other.histories, other.at), vectors_of(name))


@every_encoder
def test_a_log_of_nothing_but_who_what_and_when_is_enough(name: str) -> None:
    vectors = made(name).fit(bare_shop()).embed(bare_shop().histories, bare_shop().at)
    assert vectors.shape[0] == N_USERS
    assert np.isfinite(vectors).all()


@every_encoder
def test_no_customers_no_vectors(name: str) -> None:
    none = fitted(name).embed(shop().histories.take([]), shop().at)
    assert none.shape == (0, vectors_of(name).shape[1])


@every_encoder
def test_what_is_done_to_vectors_does_not_reach_the_encoder(name: str) -> None:
    vectors = fitted(name).embed(shop().histories, shop().at)
    vectors[:] = np.inf
    np.testing.assert_array_equal(fitted(name).embed(shop().histories, shop().at), vectors_of(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TELL_NOTHING])
def test_customers_of_two_kinds_lie_apart(name: str) -> None:
    """The kinds' centres are taken of half the customers; each of the others lies nearer to that of its kind."""
    vectors, kind = vectors_of(name), np.arange(N_USERS) % 2
    known = np.arange(N_USERS) < N_USERS // 2
    centres = np.stack([vectors[known & (kind == one)].mean(axis=0) for one in (0, 1)])
    distance = np.linalg.norm(vectors[~known, None] - centres[None], axis=2)
    assert np.mean(distance.argmin(axis=1) == kind[~known]) > 0.9
