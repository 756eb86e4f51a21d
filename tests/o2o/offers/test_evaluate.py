"""The protocol on a random shop; and real campaigns from settings to a table, through the tracking store."""

from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.config import compose
from omniretail.models.responses.single_feature import SingleFeature
from omniretail.o2o.offers.evaluate import Offers
from omniretail.o2o.offers.figures import OfferResult
from omniretail.run import run
from omniretail.schema import DataError, Tables
from omniretail.sweep import compare
from tests.conftest import tables_of
from tests.o2o.offers.factories import EVENTS, random_shop

OFFERS = Offers(levels=["department", "category"], val_from="2024-02-10", test_from="2024-03-10")


class Spy:
    """Notes what it is shown."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        self.learned, self.y = rows, y
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        self.judged = rows
        return np.full(len(rows), self.p)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return replace(random_shop(), version="1")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("groups", [["customer", "past_offers", "offer", "match"], ["match"], ["offer", "words"]])
def test_a_model_sees_the_features_of_its_groups_and_nothing_else(groups: list, tables: Tables, cache: Path) -> None:
    spy = Spy()
    result = replace(OFFERS, groups=groups).take(spy, tables, "test", cache)
    of_group = {"customer": "visits", "past_offers": "redeemed_rate", "offer": "kind", "match": "offered_share"}
    of_group["words"] = "bought_word_kind 3"
    for group, column in of_group.items():
        assert (column in spy.learned) == (group in groups)
    assert list(spy.learned) == list(spy.judged)
    assert not {"user_id", "offer_id", "redeemed_at"} & set(spy.learned)
    assert (len(spy.learned), len(spy.judged)) == (result.counts["learned"], result.counts["judged"])
    assert spy.y.sum() == result.counts["learned_redeemed"]


def test_a_result_says_what_was_judged_and_what_was_left_out(tables: Tables, cache: Path) -> None:
    result = OFFERS.take(SingleFeature("redeemed_rate"), tables, "val", cache)
    assert result.model == "By redeemed rate"
    assert len(result.answers) == result.counts["judged"] == 60
    assert result.left_out["running at the cutoff"] == 20
    assert result.left_out["redemption outside the offer's time"] > 0
    assert set(result.figures.figure) == {"auc", "auc_per_offer", "average_precision", "log_loss", "brier", "ece"}


@pytest.mark.parametrize("p", [np.nan, 1.2, -0.1])
def test_answers_that_are_no_probabilities_are_refused(p: float, tables: Tables, cache: Path) -> None:
    with pytest.raises(ValueError, match="Spy gave answers that are no probabilities"):
        OFFERS.take(Spy(p), tables, "val", cache)


def test_mistakes_are_named(tables: Tables, cache: Path) -> None:
    with pytest.raises(ValueError, match=r"offers.groups=\['past'\]: choose one or more of customer, past_offers"):
        Offers(groups=["past"])
    with pytest.raises(ValueError, match=r"set offers\.val_from"):
        Offers().take(Spy(), tables, "val", cache)
    with pytest.raises(DataError, match="source=complete_journey"):
        OFFERS.take(Spy(), replace(tables_of(EVENTS), version="2"), "val", cache)


def test_real_campaigns_from_settings_to_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    said: list[OfferResult] = []
    for model in ("past_redemptions", "logistic"):
        settings = [f"model=response/{model}", "evaluate=[val]", f"tracking.uri={uri}", "cache_dir=cache"]
        said += run(compose(*settings))  # type: ignore[arg-type]
    floor, logistic = said
    assert logistic.counts["judged"] == 1759
    assert logistic.counts["learned"] == 816
    assert logistic.left_out == {"to judge, but not over when the window ends": 1077, "running at the cutoff": 275}
    assert logistic.value("auc") == pytest.approx(0.815, abs=0.01)
    assert logistic.value("auc_per_offer") == pytest.approx(0.815, abs=0.01)

    back = tracking.load_result(uri, logistic.run_id, "val")
    assert isinstance(back, OfferResult)
    pd.testing.assert_frame_equal(back.answers, logistic.answers, check_dtype=False)
    pd.testing.assert_frame_equal(back.figures, logistic.figures, check_dtype=False)
    assert (back.counts, back.left_out, back.settings) == (logistic.counts, logistic.left_out, logistic.settings)
    metrics = MlflowClient(uri).get_run(logistic.run_id).data.metrics
    assert metrics["val/auc"] == logistic.value("auc")
    assert {"val/auc_per_offer_low", "val/brier", "val/n_judged", "val/fit_s"} <= metrics.keys()

    (compared,) = compare(uri, [floor.run_id, logistic.run_id], "val", [], "ndcg_at_10", "Popular")
    assert compared.table.index.tolist() == ["Logistic", "By redeemed rate"]
    compared.to_csv(Path("results.csv"))
    compared.write_html(Path("page.html"))
    assert "AUC per offer" in Path("page.html").read_text()
    assert "| Logistic |" in compared.markdown()
