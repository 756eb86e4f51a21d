"""Every yaml and every experiment composes and instantiates, and every mistake in one is said by name."""

from pathlib import Path

import hydra
import pytest
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import instantiate

from omniretail.config import compose
from omniretail.metrics.evaluate_lists import Metrics
from tests.conftest import ROOT

CONFIGS = ROOT / "configs"


def options(group: str) -> list[str]:
    return sorted(
        path.relative_to(CONFIGS / group).with_suffix("").as_posix() for path in (CONFIGS / group).rglob("*.yaml")
    )


@pytest.mark.parametrize("source", options("source"))
def test_sources(source: str) -> None:
    own = {"csv": ["source.path=log.csv"], "two_logs": ["source.a.path=web.csv", "source.b.path=tills.csv"]}
    cfg = compose(f"source={source}", *own.get(source, []))
    assert cfg.dataset == source
    assert instantiate(cfg.source).files() or source == "simulate"  # which draws its own
    instantiate(cfg.split)
    instantiate(cfg.policy)


@pytest.mark.parametrize("split", options("split"))
def test_splits(split: str) -> None:
    assert hasattr(instantiate(compose(f"split={split}").split), "cutoff")


@pytest.mark.parametrize("policy", options("policy"))
def test_policies(policy: str) -> None:
    assert callable(instantiate(compose(f"policy={policy}").policy))


@pytest.mark.parametrize("metrics", options("metrics"))
def test_metrics(metrics: str) -> None:
    assert isinstance(instantiate(compose(f"metrics={metrics}").metrics), Metrics)


@pytest.mark.parametrize("model", options("model"))
def test_models(model: str) -> None:
    assert hasattr(instantiate(compose(f"model={model}").model), "fit")


@pytest.mark.parametrize("tuned", options("tuned"))
def test_tuned_settings_reach_their_model(tuned: str) -> None:
    source, _, model = tuned.partition("/")
    default = compose("source=csv", f"model={model}").model  # nothing can be tuned for a log we do not know
    preferred = compose(f"source={source}", f"model={model}").model
    assert default.keys() == preferred.keys(), "a tuned yaml may only change settings that the model has"
    assert default != preferred
    instantiate(preferred)


@pytest.mark.parametrize(
    "experiment", sorted((ROOT / "experiments").glob("*/config.yaml")), ids=lambda p: p.parent.name
)
def test_experiments(experiment: Path) -> None:
    here = f"hydra.searchpath=[file://{CONFIGS}]"
    with hydra.initialize_config_dir(str(experiment.parent), version_base="1.3"):
        sweep = hydra.compose("config", overrides=[here], return_hydra_config=True).hydra.sweeper.params
        for model in sweep.model.split(","):
            instantiate(hydra.compose("config", overrides=[here, f"model={model}"]).model)


@pytest.mark.parametrize("path", [*CONFIGS.rglob("*.yaml"), *(ROOT / "experiments").glob("*/config.yaml")], ids=str)
def test_each_yaml_opens_with_what_it_is_for(path: Path) -> None:
    lines = path.read_text().splitlines()
    first = next(line for line in lines if not line.startswith("# @package"))
    assert first.startswith("# "), f"{path} should open with its purpose and command"


def test_commands_choose_a_sensible_split_by_themselves() -> None:
    assert compose("source=complete_journey").split.end == "2018-01-01T05:00"
    assert compose("source=gowalla").split._target_.endswith("Fixed")
    assert compose("source=beauty").split._target_.endswith("LeaveLast")
    assert compose("source=beauty").policy._target_.endswith("hide_seen")
    assert compose("source=tafeng").split._target_.endswith("LastBasket")
    assert compose("source=beauty", "split=temporal").split._target_.endswith("Temporal")


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(ConfigCompositionException, match=r"model\.cuont"):
        compose("model=recommender/popular", "model.cuont=users")


def test_an_unknown_parameter_is_named() -> None:
    cfg = compose("model=recommender/popular", "+model.cuont=users")
    with pytest.raises(InstantiationException, match="cuont"):
        instantiate(cfg.model)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(hydra.errors.MissingConfigException, match="recommender/populra"):
        compose("model=recommender/populra")
