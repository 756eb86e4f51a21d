"""What ``StoreModel`` asks of a model, held against every yaml of ``configs/model/store``."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate

from omniretail.core import engine
from omniretail.core.errors import DataError
from omniretail.models.saving import load, save
from omniretail.models.stores.boosted_choice import BoostedChoice
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.models.stores.popular import PopularStore
from omniretail.models.stores.time_of_week import TimeOfWeekStore
from omniretail.models.stores.visit_probability import VisitProbability, visited
from omniretail.sources.simulator.source import Simulate
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from omniretail.views.stores.visit_log import StoreLog, VisitQueries, held_out_visits, store_log
from tests.conftest import ROOT, composed
from tests.models.stores.factories import log_of, queries_of

NAMES = sorted(path.stem for path in (ROOT / "configs/model/store").glob("*.yaml"))
SAME_FOR_EVERYBODY = {"popular"}
LEARN_FROM_WINDOWS = {"boosted", "visit_probability"}
"""These need visits in earlier windows."""
NOT_SAVED = {"oracle"}
"""It reads the simulated world when it scores."""
SIZES = {"n_customers": 300, "n_items": 30, "n_weeks": 24, "n_stores": 10}

every_model = pytest.mark.parametrize("name", NAMES)


@cache
def simulated() -> tuple[StoreLog, VisitQueries]:
    """The simulated retailer at its cutoff, and the visits of the 28 days after it."""
    tables = Simulate(**SIZES).read(engine.connect())
    cutoff = Temporal(28).cutoff(tables.events, "test")
    train = training_view(tables, cutoff)
    assert tables.stores is not None
    return store_log(train, tables.stores.to_pandas()), held_out_visits(cutoff, train.users, train.stores)


def log() -> StoreLog:
    return simulated()[0]


def queries() -> VisitQueries:
    return simulated()[1]


def made(name: str) -> Any:
    """The yaml's model, its trees small enough for a small log."""
    small = ["model.min_child_samples=20", "model.n_estimators=30"] if name in LEARN_FROM_WINDOWS else []
    world = [f"source.{name}={value}" for name, value in SIZES.items()]
    return instantiate(composed("source=simulate", *world, f"model=store/{name}", *small).model)


@cache
def fitted(name: str) -> Any:
    return made(name).fit(log())


@cache
def scores_of(name: str, timed: bool = True) -> np.ndarray:
    scores = fitted(name).score(queries(), timed)
    scores.flags.writeable = False
    return scores


@pytest.mark.parametrize("timed", [False, True])
@every_model
def test_scores_are_float32_finite_and_one_for_each_store(name: str, timed: bool) -> None:
    scores = scores_of(name, timed)
    assert scores.dtype == np.float32
    assert scores.shape == (len(queries()), log().n_stores)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAME_FOR_EVERYBODY])
def test_choices_of_the_simulator_are_ranked_better_than_by_popularity(name: str) -> None:
    store = queries().visits.store
    numbered = store >= 0

    def mrr(scores: np.ndarray) -> float:
        own = scores[np.arange(len(store)), np.maximum(store, 0)][:, None]
        return float((1 / (1 + (scores > own).sum(axis=1)))[numbered].mean())

    assert mrr(scores_of(name)) > mrr(scores_of("popular")) + 0.1


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAME_FOR_EVERYBODY | {"oracle"}])
def test_customers_who_always_go_to_one_store_go_there_next(name: str) -> None:
    visits = [(user, ago + user / 50, user % 5) for user in range(50) for ago in range(1, 200, 4)]
    model = made(name).fit(log_of(visits, n_users=50, n_stores=5))
    for timed in (False, True):
        best = model.score(queries_of([(user, 3.0, 0) for user in range(50)]), timed).argmax(axis=1)
        assert best.tolist() == [user % 5 for user in range(50)]


@every_model
def test_a_row_depends_on_its_customer_alone(name: str) -> None:
    few = np.arange(0, len(queries()), 40)
    alone = [fitted(name).score(queries().keep(np.array([row])), True) for row in few]
    np.testing.assert_allclose(np.concatenate(alone), scores_of(name)[few], rtol=1e-5)
    backwards = np.argsort(-np.arange(len(queries())))
    np.testing.assert_allclose(fitted(name).score(queries().keep(backwards), True), scores_of(name)[::-1], rtol=1e-5)


@every_model
def test_the_store_of_a_query_is_not_read(name: str) -> None:
    hidden = replace(queries(), visits=replace(queries().visits, store=np.full(len(queries()), -1)))
    np.testing.assert_array_equal(fitted(name).score(hidden, True), scores_of(name))


@every_model
def test_the_time_of_a_query_is_read_only_where_it_is_known(name: str) -> None:
    later = replace(queries(), visits=replace(queries().visits, timestamp=queries().visits.timestamp + 30_000))
    np.testing.assert_array_equal(fitted(name).score(later, False), scores_of(name, timed=False))


@every_model
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    np.testing.assert_array_equal(made(name).fit(log()).score(queries(), True), scores_of(name))


@every_model
def test_refitting_forgets(name: str) -> None:
    model = made(name).fit(log().before(log().at - 30 * 86400))
    model.score(queries(), True)
    np.testing.assert_array_equal(model.fit(log()).score(queries(), True), scores_of(name))


@every_model
def test_eight_threads_get_the_same_scores(name: str) -> None:
    model = made(name).fit(log())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.score(queries(), True), range(8)))
    for scores in answers:
        np.testing.assert_array_equal(scores, scores_of(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oracle"])
def test_an_unknown_customer_gets_the_popular_stores_first(name: str) -> None:
    unknown = replace(queries(), visits=replace(queries().visits, row=np.full(len(queries()), -1)))
    best = fitted(name).score(unknown, False).argmax(axis=1)
    popular = np.argsort(-PopularStore().fit(log()).popularity_)[:3]
    assert np.isin(best, popular).all()


@every_model
def test_no_queries_no_scores(name: str) -> None:
    assert fitted(name).score(queries().keep(np.array([], dtype=int)), True).shape == (0, log().n_stores)


@every_model
def test_a_log_without_visits_gives_finite_scores_or_one_sentence(name: str) -> None:
    empty = log().before(0)
    if name in LEARN_FROM_WINDOWS:
        with pytest.raises(DataError, match="no window of 28 days has visits in it and before it"):
            made(name).fit(empty)
    else:
        assert np.isfinite(made(name).fit(empty).score(queries(), True)).all()
        assert np.isfinite(made(name).fit(empty).visit_probability(empty, 28).toarray()).all()


@every_model
def test_scores_may_be_written_to(name: str) -> None:
    scores = fitted(name).score(queries(), True)
    scores[:] = np.inf
    np.testing.assert_array_equal(fitted(name).score(queries(), True), scores_of(name))


@every_model
def test_chances_of_a_visit_are_those_of_customers_and_stores(name: str) -> None:
    chances = fitted(name).visit_probability(log(), 28)
    assert chances.shape == (log().n_users, log().n_stores)
    assert 0 <= chances.min() <= chances.max() <= 1
    went = visited(queries(), log().n_users, log().n_stores)
    assert chances.sum() == pytest.approx(went.sum(), rel=0.45), "the rules alone do not know how many come"
    if name not in SAME_FOR_EVERYBODY:
        assert chances.toarray()[went].mean() > 1.5 * chances.toarray()[~went].mean()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SAVED])
def test_saved_and_loaded_gives_equal_scores(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    for timed in (False, True):
        np.testing.assert_array_equal(load(tmp_path).score(queries(), timed), scores_of(name, timed))
    model = load(tmp_path)  # what is loaded late is loaded by several threads at once
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.score(queries(), True), range(8)))
    for scores in answers:
        np.testing.assert_array_equal(scores, scores_of(name))


@pytest.mark.parametrize("name", sorted(NOT_SAVED))
def test_what_cannot_be_saved_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match="saved"):
        save(fitted(name), tmp_path)


@pytest.mark.parametrize(
    ("model", "setting", "value", "rule"),
    [
        (PopularStore, "days", 0, "be above 0"),
        (MostFrequentStore, "half_life_days", 0, "be above 0"),
        (TimeOfWeekStore, "half_life_days", -1, "be above 0"),
        (TimeOfWeekStore, "both", -1, "be 0 or more"),
        (BoostedChoice, "candidates", 0, "be 1 or more"),
        (BoostedChoice, "n_windows", 0, "be 1 or more"),
        (BoostedChoice, "horizon_days", 0, "be above 0"),
        (BoostedChoice, "step_days", -7, "be above 0"),
        (BoostedChoice, "max_visits", 0, "be 1 or more"),
        (BoostedChoice, "colsample_bytree", 0, "be above 0"),
        (BoostedChoice, "colsample_bytree", 1.5, "lie between 0 and 1"),
        (BoostedChoice, "reg_lambda", -1, "be 0 or more"),
        (VisitProbability, "learning_rate", 0, "be above 0"),
        (VisitProbability, "num_leaves", 1, "be 2 or more"),
        (VisitProbability, "candidates", 0, "be 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(model: type, setting: str, value: float, rule: str) -> None:
    with pytest.raises(ValueError, match=f"{model.__name__}: {setting}={value} must {rule}"):
        model(**{setting: value})
