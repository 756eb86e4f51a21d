"""The task end to end: two logs of one shop, linked by a file, as the command line has it."""

from pathlib import Path

import pandas as pd
import pytest

from omniretail.config import compose
from omniretail.run import run, run_with_page
from omniretail.schema import DataError
from tests.recommendation.cross_channel.factories import two_channel_log


@pytest.fixture
def two_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A log whose other channel is informative, as two files of a shop, whose customers a third file links."""
    monkeypatch.chdir(tmp_path)
    log = two_channel_log(telling=True, n_users=120).events.to_pandas()
    log["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(40 * (log.fold == "test"), unit="D")
    for channel, name in (("a", "web"), ("b", "tills")):
        of = log[log.channel == channel].assign(user_id=lambda own, c=channel: c + own.user_id.astype(str))
        of[["user_id", "item_id", "timestamp"]].to_csv(tmp_path / f"{name}.csv", index=False)
    users = pd.Series(sorted(log[log.channel == "b"].user_id.unique())).astype(str)
    pd.DataFrame({"key_a": "a" + users, "key_b": "b" + users}).to_csv(tmp_path / "link.csv", index=False)
    paths = {"a.path": "web.csv", "b.path": "tills.csv", "link": "link.csv"}
    own = [f"cache_dir={tmp_path}/cache", f"tracking.uri=sqlite:///{tmp_path}/runs.db", "evaluate=[test]"]
    files = [f"source.{name}={tmp_path / file}" for name, file in paths.items()]
    return ["task=cross_channel", "source=two_logs", "task.n_negatives=20", *files, *own]


def test_two_logs_of_ones_own(two_logs: list[str]) -> None:
    done = run_with_page(compose(*two_logs, "model=recommender/channel_walk", "model.source_weight=1.0"))
    (result,) = done.results
    assert result.task == "cross_channel"
    assert result.protocol["target_channel"] == "online"
    values = result.values()
    assert values["all_items/all/gain"] > 0.05
    per_unit = result.per_unit
    assert per_unit["all_items/all/ndcg_both"].mean() == pytest.approx(values["all_items/all/ndcg_both"])
    assert per_unit["all_items/new_here/gain"].notna().sum() == result.counts["customers_new_here"]
    page = done.page.read_text()
    for words in ("does the other channel help online?", "new here", "20 negatives", "significantly better"):
        assert words in page


def test_settings_for_the_target_alone_reach_the_model(two_logs: list[str]) -> None:
    overrides = [*two_logs, "model=recommender/ease"]
    (equal,) = run(compose(*overrides))
    (other,) = run(compose(*overrides, "+task.alone.l2=0.001"))
    assert equal.value("all_items/all/ndcg_both") == other.value("all_items/all/ndcg_both")
    assert equal.value("all_items/all/ndcg_alone") != other.value("all_items/all/ndcg_alone")
    assert equal.protocol != other.protocol


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["source=simulate", "source.n_customers=100"], "set target_channel"),
        (["task.n_negatives=0"], "task.n_negatives=0 must be 1 or more"),
        (["task.new_share=2"], "task.new_share=2 must lie between 0 and 1"),
        (["target_channel=onlin"], "no channel 'onlin'; choose target_channel among offline, online"),
        (["source_channel=ofline"], "no channel 'ofline'; choose source_channel among offline, online"),
        (["task.target_channel=onlin"], "no channel 'onlin'; choose target_channel among offline, online"),
    ],
)
def test_a_mistake_is_one_sentence(two_logs: list[str], overrides: list[str], message: str) -> None:
    kept_overrides = [each for each in two_logs if not (overrides[0].startswith("source=") and "source" in each)]
    with pytest.raises((DataError, ValueError), match=message):
        run(compose(*kept_overrides, *overrides, "model=recommender/popular"))
