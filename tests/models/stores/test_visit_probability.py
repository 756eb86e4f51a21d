import numpy as np
import pytest

from omniretail.core import engine
from omniretail.models.stores.boosted_choice import BoostedChoice
from omniretail.models.stores.last import LastStore
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.models.stores.popular import PopularStore
from omniretail.models.stores.visit_probability import VisitProbability, visited
from omniretail.models.stores.within_horizon import habit_concentration, visit_chances, visit_rates, within_horizon
from omniretail.schema import DataError
from omniretail.sources.simulator.source import Simulate
from omniretail.splits.temporal import Temporal
from omniretail.views.stores.visit_log import load_stage
from tests.models.stores.factories import log_of, queries_of, street

LOG, QUERIES = street()


def test_it_learns_who_will_come_at_all() -> None:
    model = VisitProbability(n_estimators=40, n_windows=3, candidates=6, min_child_samples=20).fit(LOG)
    chances, went = model.visit_probability(LOG, 28).toarray(), visited(QUERIES, LOG.n_users, LOG.n_stores)
    assert chances.shape == went.shape
    assert ((chances >= 0) & (chances <= 1)).all()
    assert chances.sum() == pytest.approx(went.sum(), rel=0.12)
    assert chances[went].mean() > 2 * chances[~went].mean()


def test_another_horizon_than_it_has_learned_from_is_refused() -> None:
    model = VisitProbability(n_estimators=2, n_windows=1, min_child_samples=20).fit(LOG)
    with pytest.raises(ValueError, match=r"windows of 28 days and the horizon is 14; set model.horizon_days=14"):
        model.visit_probability(LOG, 14)


def test_where_all_went_alike_there_is_nothing_to_tell_apart() -> None:
    log = log_of([(user, ago, 0) for user in range(9) for ago in range(1, 90, 3)], n_users=9, n_stores=1)
    with pytest.raises(DataError, match="every customer went to every candidate store, or to none"):
        VisitProbability(n_windows=2).fit(log)


@pytest.mark.parametrize("model", [BoostedChoice(), VisitProbability()])
def test_a_short_log_is_refused(model) -> None:
    with pytest.raises(DataError, match="no window of 28 days has visits in it and before it; choose a smaller model"):
        model.fit(log_of([(0, 3, 0), (0, 2, 1)], n_users=1, n_stores=2))
    with pytest.raises(DataError, match="no window of 28 days"):
        model.fit(log_of([], n_users=1, n_stores=2))


def test_only_numbered_pairs_are_visited() -> None:
    queries = queries_of([(-1, 1, 0), (0, 1, -1), (1, 1, 1), (1, 2, 1)])
    assert visited(queries, 2, 2).tolist() == [[False, False], [False, True]]


def test_rates_of_visits_by_hand() -> None:
    log = log_of([(0, ago, 0) for ago in (40, 30, 20, 10)] + [(1, 5, 1)], n_users=3, n_stores=2)
    shape, rate = visit_rates(log).T
    decay = np.log(2) / 56
    days = (1 - np.exp(-decay * np.array([40, 5, 40]))) / decay
    repeats = np.exp(-decay * np.array([30, 20, 10])).sum()
    assert shape == pytest.approx([1 + repeats, 1, 1]), "the first visit does not count"
    assert rate == pytest.approx((days.sum() + 1) / (repeats + 1) + days), "without a visit: the whole log"


def test_a_longer_horizon_makes_a_visit_likelier_and_the_last_store_takes_all() -> None:
    model = LastStore().fit(LOG)
    short, long = (model.visit_probability(LOG, days).toarray() for days in (7, 28))
    assert ((short > 0).sum(axis=1) == 1).all()
    assert (long[short > 0] > short[short > 0]).all()
    assert (long <= 1).all()


def test_on_the_simulator_chances_of_the_choice_model_are_calibrated(tmp_path) -> None:
    """Chances are those of customers; by tenths of the chances, as many visit as expected."""
    tables = Simulate(n_customers=2000, n_items=50, seed=3).read(engine.connect())
    log, queries, _ = load_stage(tables, Temporal(28), "test", tmp_path)
    went = visited(queries, log.n_users, log.n_stores)
    chances = {
        type(model).__name__: model.fit(log).visit_probability(log, 28).toarray()
        for model in (BoostedChoice(), PopularStore())
    }
    assert chances["BoostedChoice"].sum() == pytest.approx(went.sum(), rel=0.1)
    errors = {name: calibration_error(each, went) for name, each in chances.items()}
    assert errors["BoostedChoice"] < 0.5 * errors["PopularStore"]
    assert errors["BoostedChoice"] < 0.02
    brier = {name: ((each - went) ** 2).mean() for name, each in chances.items()}
    assert brier["BoostedChoice"] < 0.9 * brier["PopularStore"]


def calibration_error(chances: np.ndarray, went: np.ndarray, n_bins: int = 10) -> float:
    """Expected calibration error over bins of equally many pairs."""
    order = np.argsort(chances, axis=None, kind="stable")
    bins = zip(np.array_split(chances.ravel()[order], n_bins), np.array_split(went.ravel()[order], n_bins), strict=True)
    return float(np.mean([abs(p.mean() - y.mean()) for p, y in bins]))


def test_habits_within_a_horizon_against_draws() -> None:
    """Shares are drawn once for the horizon, then a rate, then visits."""
    rng, choice, rates, horizon, concentration = np.random.default_rng(0), np.array([0.7, 0.3]), (2.0, 10.0), 28.0, 1.5
    share = rng.beta(concentration * choice, concentration * (1 - choice), size=(200_000, 2))
    rate = rng.gamma(rates[0], 1 / rates[1], size=(200_000, 1))
    drawn = (rng.poisson(horizon * rate * share) > 0).mean(axis=0)
    (chances,) = visit_chances(choice[None], np.array([rates]), horizon, concentration)
    assert chances == pytest.approx(drawn, abs=0.005)
    (anew,) = visit_chances(choice[None], np.array([rates]), horizon, np.inf)
    assert anew == pytest.approx(1 - (1 + horizon * choice / rates[1]) ** -rates[0])
    assert (anew > chances + 0.05).all()
    (close,) = visit_chances(choice[None], np.array([rates]), horizon, 300)
    assert close == pytest.approx(anew, abs=0.005)


def test_customers_who_stay_with_a_store_for_weeks_visit_fewer_stores_than_if_each_visit_chose_anew() -> None:
    rng, visits = np.random.default_rng(1), list[tuple[int, float, int]]()
    for user in range(300):
        stores = rng.integers(6, size=8)  # another for each 28 days
        days = np.flatnonzero(rng.random(224) < 0.3)
        visits += [(user, day - 196.0, int(stores[day // 28])) for day in days.tolist()]
    log = log_of([(user, -when, store) for user, when, store in visits if when < 0], 300, 6)
    went = visited(queries_of([visit for visit in visits if visit[1] >= 0]), 300, 6)
    model = MostFrequentStore().fit(log)
    concentration = habit_concentration(model, log, 28)
    assert within_horizon(model, log, 28, concentration=concentration).sum() == pytest.approx(went.sum(), rel=0.1)
    assert within_horizon(model, log, 28).sum() > 3 * went.sum()


def test_a_short_log_says_nothing_about_habits() -> None:
    log = log_of([(0, 3, 0), (0, 2, 1)], n_users=1, n_stores=2)
    assert habit_concentration(MostFrequentStore().fit(log), log, 28) == np.inf
    longer = log_of([(0, 40, 0), (0, 3, 0), (0, 2, 1)], n_users=1, n_stores=2)
    assert habit_concentration(BoostedChoice(), longer, 28) == np.inf, "cannot be fitted a window earlier"
