"""Figures of offers by hand, their intervals, and several models in one table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from omniretail.o2o.offers.figures import OfferResult, columns, draws, figures_of, measure
from omniretail.report.tables.offers import offer_cells, offer_comparison, offer_legend, offer_markdown
from omniretail.report.tables.render import with_table

PROTOCOL = {"source": "shop", "data": "1", "split": "by start", "policy": ""}
COUNTS = {"learned": 100, "judged": 400, "judged_redeemed": 90, "judged_offers": 5}


def answers(noise: float, seed: int = 0) -> pd.DataFrame:
    """100 customers with four mailings each of five offers; the less noise, the better the scores."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(100), 4), "offer_id": np.tile(np.arange(5), 80)})
    chance = rng.uniform(0.05, 0.5, 400)
    frame["truth"] = (rng.random(400) < chance).astype(float)
    noisy = chance + frame.truth * 0.1 + noise * np.random.default_rng(seed).normal(size=400)
    return frame.assign(score=np.clip(noisy, 0.01, 0.99))


def result(model: str, noise: float, seed: int = 1, **settings: str) -> OfferResult:
    said = answers(noise, seed)
    facts = {**PROTOCOL, "seed": str(seed), **settings}
    figures = figures_of(said, n_resamples=50)
    return OfferResult(model, "test", figures, said, COUNTS, {}, 1.0, 0.1, 100.0, f"{model}{seed}{noise}", facts)


def test_figures_against_an_independent_implementation() -> None:
    truth, score, offer = columns(answers(0.2))
    found = measure(truth, score, offer)
    assert found["auc"] == pytest.approx(roc_auc_score(truth, score))
    assert found["log_loss"] == pytest.approx(log_loss(truth, score))
    assert found["brier"] == pytest.approx(brier_score_loss(truth, score))
    each = [roc_auc_score(truth[offer == number], score[offer == number]) for number in range(5)]
    assert found["auc_per_offer"] == pytest.approx(np.mean(each))


def test_an_offer_that_nobody_redeemed_does_not_count_in_the_mean() -> None:
    truth, score, offer = np.array([0, 1, 0, 0.0]), np.array([0.1, 0.9, 0.3, 0.2]), np.array([0, 0, 1, 1])
    assert measure(truth, score, offer)["auc_per_offer"] == 1.0


def test_where_nobody_redeemed_anything_there_is_no_ranking_to_judge() -> None:
    said = answers(0.1).assign(truth=0.0)
    figures = figures_of(said, n_resamples=5).set_index("figure")
    assert figures.loc[["auc", "auc_per_offer", "average_precision"]].isna().all(axis=None)
    assert figures.loc["brier"].notna().all()


def test_customers_are_drawn_with_all_their_rows() -> None:
    said = answers(0.2).sample(frac=1, random_state=0)
    for rows in draws(said, 3):
        n = pd.Series(said.user_id.to_numpy()[rows]).value_counts()
        assert (n % 4 == 0).all()
        assert len(rows) == 400
        times = np.bincount(rows, minlength=400)
        of_customers = pd.Series(times).groupby(said.user_id.to_numpy())
        assert (of_customers.max() == of_customers.min()).all()
    first, again = ([rows.tolist() for rows in draws(said, 2)] for _ in range(2))
    assert first == again
    assert first[0] != first[1]


def test_the_interval_holds_the_value() -> None:
    figures = figures_of(answers(0.2), n_resamples=200).set_index("figure")
    assert (figures.low <= figures.value).all()
    assert (figures.value <= figures.high).all()
    assert 0.02 < figures.high["auc"] - figures.low["auc"] < 0.25


def test_models_side_by_side() -> None:
    good = [result("Good", 0.02, seed) for seed in (1, 2, 3)]
    table = offer_comparison([result("Noise", 5.0), *good])
    assert table.index.tolist() == ["Good", "Noise"]
    assert table.loc["Good", "seeds"] == 3
    assert table.loc["Good", "auc"] == pytest.approx(np.mean([each.value("auc") for each in good]))
    assert table.loc["Good", "auc_sd"] == pytest.approx(np.std([each.value("auc") for each in good], ddof=1))
    assert np.isnan(table.loc["Good", "auc_p_best"])
    assert table.loc["Noise", "auc_p_best"] < 0.001
    assert offer_cells(table).set_index("model").loc["Good", "AUC"] == f"**{table.auc['Good']:.3f}**"
    assert "400 mailings of 5 offers in the test stage, 22.5% redeemed" in offer_legend(table)[0]


def test_models_that_cannot_be_told_apart_are_marked() -> None:
    table = offer_comparison([result("One", 0.1, 1), result("Other", 0.1, 2)])
    assert offer_cells(table)["AUC"].str.contains("†").tolist() == [False, True]
    equal = offer_comparison([result("One", 0.1), result("Other", 0.1)])
    assert sorted(equal.auc_p_best, key=np.isnan) == [1.0, pytest.approx(np.nan, nan_ok=True)]


def test_the_same_model_on_other_features_has_a_name_of_its_own() -> None:
    runs = [result("A", noise, parameters=f"groups={groups}") for noise, groups in ((0.1, "customer"), (0.2, "match"))]
    assert offer_cells(offer_comparison(runs)).model.tolist() == ["A on customer", "A on match"]


def test_other_protocols_are_refused() -> None:
    with pytest.raises(ValueError, match=r"split: 'by start' .* against 'other'"):
        offer_comparison([result("A", 0.1), result("B", 0.1, split="other")])
    one = result("A", 0.1)
    with pytest.raises(ValueError, match="given twice"):
        offer_comparison([one, replace(one)])


def test_a_readme_holds_the_table() -> None:
    table = offer_comparison([result("A", 0.1), result("B", 1.0)])
    text = with_table("# X\n<!-- table:start -->\n<!-- table:end -->\n", table)
    assert offer_markdown(table) in text
    assert text.count("| A |") == 1
