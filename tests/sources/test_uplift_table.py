"""Uplift experiments of one's own: a table, no log."""

import numpy as np
import pandas as pd
import pytest

import omniretail as om
from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.sources.protocol import load
from omniretail.sources.uplift_table import UpliftTable


def customers(n: int = 4000) -> pd.DataFrame:
    """The coupon works on the young alone."""
    rng = np.random.default_rng(0)
    young, treated = rng.random(n) < 0.5, rng.random(n) < 0.5
    bought = rng.random(n) < 0.2 + 0.5 * (young & treated)
    return pd.DataFrame(
        {
            "age": np.where(young, "18-30", "31+"),
            "income": rng.normal(size=n),
            "segment": np.where(treated, "E-Mail", "No E-Mail"),
            "visit": bought.astype(int),
            "cost": 0.5,
        }
    )


def read(tmp_path, frame: pd.DataFrame, name: str = "experiment.csv", **settings):
    (frame.to_csv if name.endswith("csv") else frame.to_parquet)(tmp_path / name, index=False)
    columns = {"treated": "segment", "outcome": "visit"}
    return load(UpliftTable(path=tmp_path / name, columns=columns, **settings), tmp_path / "cache")


@pytest.mark.parametrize("name", ["experiment.csv", pytest.param("experiment.parquet", marks=pytest.mark.slow)])
def test_learners_rank_those_who_buy_because_of_it(tmp_path, name):
    tables = read(tmp_path, customers(), name, treated="E-Mail", control="No E-Mail")
    data = Dataset(tables, om.splits.Temporal(), tmp_path / "cache")
    result = om.evaluate(om.models.LightGBMTLearner(), data, None, "task.n_resamples=20", task="uplift")
    values = result.values()
    assert values["uplift_at_30"] > 0.35
    assert values["qini"] > 0.04
    assert values["cost_per_response_at_30"] == pytest.approx(0.5 / values["uplift_at_30"])
    assert result.counts["learned"] + result.counts["judged"] == 4000


@pytest.mark.parametrize("words", [(1, 0), (True, False), ("treatment", "control"), ("yes", "no")])
def test_treatment_in_the_usual_words(tmp_path, words):
    frame = customers(50).assign(segment=lambda rows: np.where(rows.segment == "E-Mail", *words))
    read_back = read(tmp_path, frame).experiment.to_pandas()
    assert read_back.treated.sum() == (frame.segment.astype(str) == str(words[0])).sum()


def test_words_that_nobody_can_know_are_named(tmp_path):
    with pytest.raises(DataError, match=r"which of 'E-Mail', 'No E-Mail' .* source\.treated=<value>"):
        read(tmp_path, customers(50))


def test_rows_of_a_third_group_are_dropped_and_counted(tmp_path):
    frame = customers(50)
    frame.loc[:4, "segment"] = "Phone"
    tables = read(tmp_path, frame, treated="E-Mail", control="No E-Mail")
    assert tables.drops["neither treated nor control"] == 5


def test_a_column_with_a_canonical_name_beside_a_mapped_one_is_no_feature(tmp_path):
    frame = customers(200).assign(treated="when", outcome="what", user_id=range(200))
    experiment = read(tmp_path, frame, treated="E-Mail", control="No E-Mail").experiment.to_pandas()
    assert set(experiment) == {"user_id", "treated", "outcome", "cost", "age", "income"}
    assert experiment.treated.sum() == (frame.segment == "E-Mail").sum()


def test_an_unknown_feature_names_those_there_are(tmp_path):
    words = r"no column 'agee' to learn from; set 'source\.features=\[income,age\]' \(there are age, income\)"
    with pytest.raises(DataError, match=words):
        read(tmp_path, customers(50), features=["agee", "income"])


def test_features_with_a_decimal_comma_are_numbers(tmp_path):
    customers(50).to_csv(tmp_path / "e.csv", index=False, sep=";", decimal=",")
    columns = {"treated": "segment", "outcome": "visit"}
    source = UpliftTable(tmp_path / "e.csv", columns, "E-Mail", "No E-Mail", delimiter=";", decimal=",")
    assert load(source, tmp_path / "cache").experiment.to_pandas().income.dtype == float
