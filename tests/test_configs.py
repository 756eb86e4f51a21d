"""Every yaml and every experiment composes and instantiates, and every mistake in one is said by name."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import hydra
import pytest
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from omniretail.config import CONFIGS, compose
from omniretail.metrics.evaluate_lists import Metrics
from omniretail.report.compare import Report
from tests.conftest import ROOT, composed


def options(group: str) -> list[str]:
    return sorted(
        path.relative_to(CONFIGS / group).with_suffix("").as_posix() for path in (CONFIGS / group).rglob("*.yaml")
    )


@pytest.mark.parametrize("source", options("source"))
def test_sources(source: str) -> None:
    path = ["source.path=log.csv"]
    own = {"csv": path, "uplift_table": path, "two_logs": ["source.a.path=web.csv", "source.b.path=tills.csv"]}
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
    rule = instantiate(compose(f"policy={policy}").policy)
    assert callable(rule) or callable(rule.fit)


@pytest.mark.parametrize("metrics", options("metrics"))
def test_metrics(metrics: str) -> None:
    assert isinstance(instantiate(compose(f"metrics={metrics}").metrics), Metrics)


@pytest.mark.parametrize("model", options("model"))
def test_models(model: str) -> None:
    cfg = OmegaConf.create(composed(f"model={model}", "source=simulate"), flags={"readonly": False})  # for the oracles
    assert hasattr(instantiate(cfg.model), "fit")


@pytest.mark.parametrize("model", options("model"))
def test_class_defaults_are_those_of_the_yaml(model: str) -> None:
    cfg = OmegaConf.create(composed(f"model={model}", "source=simulate"), flags={"readonly": False})
    made, plain = instantiate(cfg.model), hydra.utils.get_class(cfg.model._target_)
    unset = {"seed", "training", "encoder", "base", "parts", "world", "name", "feature", "highest_first"}
    required = {f.name for f in fields(plain) if f.default is MISSING and f.default_factory is MISSING}
    default = plain(**{name: getattr(made, name) for name in required})
    differing = {
        f.name: (getattr(default, f.name), getattr(made, f.name))
        for f in fields(plain)
        if f.name not in unset | required
        and plain_value(getattr(default, f.name)) != plain_value(getattr(made, f.name))
    }
    one_class_several_yamls = {"store/decayed_frequency", "response/recency", "response/past_redemptions"}
    assert not differing or model in one_class_several_yamls, differing


def plain_value(value: object) -> object:
    """Lists and tuples are equal; so are two models of one class and settings."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_value(each) for each in value]
    return repr(value) if is_dataclass(value) else value if not hasattr(value, "get_params") else repr(value)


@pytest.mark.parametrize("model", options("model"))
def test_models_carry_the_task_that_evaluates_them(model: str) -> None:
    tasks = {
        "recommender": "Recommendation",
        "profile": "Probing",
        "response": "Response",
        "uplift": "Uplift",
        "store": "NextStore",
        "lifetime": "Lifetime",
    }
    own = {"store/visit_probability": "Allocation"}
    target = composed(f"model={model}", "source=simulate").task._target_
    assert target.rpartition(".")[2] == own.get(model, tasks[model.partition("/")[0]])


@pytest.mark.parametrize("task", options("task"))
def test_tasks(task: str) -> None:
    model = {"propensity": "profile/table", "segmentation": "profile/table", "tags": "profile/table"}.get(task)
    cfg = compose(f"task={task}", "source=simulate", *([f"model={model}"] if model else []))
    assert hasattr(instantiate(cfg.task), "evaluate")
    Report(**OmegaConf.to_container(cfg.report, resolve=True))
    for output in cfg.outputs.values():
        assert output is None or callable(instantiate(output))


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
