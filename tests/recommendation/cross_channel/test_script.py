import importlib.util
import sys

import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from tests.conftest import ROOT
from tests.recommendation.cross_channel.factories import two_channel_log

spec = importlib.util.spec_from_file_location("channels_script", ROOT / "scripts" / "channels.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def call(folder, monkeypatch, *asked: str) -> None:
    settings = [f"tracking.uri=sqlite:///{folder}/runs.db", f"cache_dir={folder}/cache"]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["channels.py", *settings, *asked])
    script.main()


@pytest.fixture
def two_logs(tmp_path) -> list[str]:
    """The log whose other channel tells, as two files of a shop, days apart, whose customers a third file links."""
    log = two_channel_log(telling=True, n_users=120).events.to_pandas()
    log["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(40 * (log.fold == "test"), unit="D")
    for channel, name in (("a", "web"), ("b", "tills")):
        of = log[log.channel == channel].assign(user_id=lambda own, c=channel: c + own.user_id.astype(str))
        of[["user_id", "item_id", "timestamp"]].to_csv(tmp_path / f"{name}.csv", index=False)
    users = pd.Series(sorted(log[log.channel == "b"].user_id.unique())).astype(str)
    pd.DataFrame({"key_a": "a" + users, "key_b": "b" + users}).to_csv(tmp_path / "link.csv", index=False)
    paths = {"a.path": "web.csv", "b.path": "tills.csv", "link": "link.csv"}
    return ["source=two_logs", *(f"source.{name}={tmp_path / file}" for name, file in paths.items())]


def test_two_logs_of_ones_own(tmp_path, monkeypatch, capsys, two_logs):
    (tmp_path / "settings.yaml").write_text("channel_walk: {online: {both: {other_weight: 1.0}}}\n")
    late = pd.read_csv(tmp_path / "web.csv").assign(item_id="z9", timestamp="2024-02-10").head(3)
    late.assign(user_id=["b1", "b2", "b3"]).to_csv(tmp_path / "tills.csv", mode="a", header=False, index=False)
    given = [*two_logs, "n_negatives=20", "settings=settings.yaml", "csv=card.csv"]
    call(tmp_path, monkeypatch, *given)
    shown = " ".join(capsys.readouterr().out.split())
    assert "ChannelWalk, all items: with both channels significantly better in 1 of 2 targets (online)" in shown
    card = pd.read_csv(tmp_path / "card.csv")
    assert card.direction.unique().tolist() == ["offline → online", "online → offline"]
    assert card[card.target == "offline"].users.max() <= 3
    page = tmp_path / shown.partition("page=")[2].split()[0]
    assert "Does the other channel help?" in page.read_text()
    run_id = shown.partition("run_id=")[2].split()[0]
    metrics = MlflowClient(f"sqlite:///{tmp_path}/runs.db").get_run(run_id).data.metrics
    whole = card[(card.target == "online") & (card.group == "all")].iloc[0]
    assert metrics["test/online/ChannelWalk/all_items/all/ndcg_both"] == pytest.approx(whole.ndcg_both)


def test_settings_reach_the_model_by_target_and_by_what_it_knows(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(
        "ease: {any: {alone: {l2: 1, target: null}, both: {l2: 2}}, phone: {both: {l2: 3, other_weight: .5}}}"
    )
    here = ["source=amazon_cross_domain", "target=phone", "other=electronic"]
    made = {known: compose(*here, *script._model("ease", "phone", known, str(file))).model for known in script.KNOWN}
    assert (made["alone"].l2, made["both"].l2, made["both"].other_weight) == (1, 3, 0.5)
    assert (made["alone"].target, made["both"].target) == (None, "phone")
    assert script._model("ease", "sport", "both", str(file))[-1] == "model.l2=2"
    assert script._model("ease", "sport", "both", "") == ["model=recommender/ease"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["stage=both"], "stage=both: choose val or test"),
        (["pairs=sport"], "pairs=sport: name two channels with a hyphen between"),
        (["n_negatives=-5"], "n_negatives takes a whole number from 1, not -5"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, asked, message):
    with pytest.raises(SystemExit, match=message) as said:
        call(tmp_path, monkeypatch, *asked)
    assert "\n" not in str(said.value)


def test_help_needs_no_libraries(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["channels.py", "--help"])
    script.main()
    assert "pairs=sport-cloth" in capsys.readouterr().out


def test_metrics_have_names_that_mlflow_takes():
    name = script._name("test", "online", "ProfileKNN (OneChannel)", "999 negatives", "all", "p_holm")
    assert name == "test/online/ProfileKNN_OneChannel/999_negatives/all/p_holm"
