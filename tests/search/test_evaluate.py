"""A trial reports its steps, and is stopped where they are worse than those of others or the time is over."""

import math

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.exceptions import TrialPruned

from omniretail.core.errors import DataError
from omniretail.result import Result, metric_rows
from omniretail.search.evaluate import ObjectiveError, Watch, objectives, with_params
from omniretail.search.settings import SearchSettings
from omniretail.search.trials import pruner
from tests.conftest import composed


def watch(study: optuna.Study, sign: float = 1.0, deadline: float = math.inf, prunes: bool = True) -> Watch:
    return Watch(study.ask(), prunes, sign, deadline, "val_ndcg_at_10")


def seen(watch: Watch, *values: float) -> Watch:
    for epoch, value in enumerate(values):
        watch.epoch(epoch, {"val_ndcg_at_10": value, "train_loss": 1.0})
    watch.note()
    return watch


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1.0), ("minimize", -1.0)])
def test_a_trial_worse_than_the_median_is_stopped(direction: str, sign: float) -> None:
    settings = SearchSettings({}, ["ndcg_at_10"])
    study = optuna.create_study(direction=direction, pruner=pruner(settings))
    for _ in range(settings.pruning.after_trials):
        study.tell(seen(watch(study, sign), 0.4, 0.6, 0.5).trial, 0.5)
    better = seen(watch(study, sign), 0.45, 0.7)
    assert better.trial.user_attrs["epochs"] == 2
    with pytest.raises(TrialPruned, match="worse than the median of earlier trials at step 0"):
        seen(watch(study, sign), 0.3)
    seen(watch(study, sign, prunes=False), 0.3)


def test_training_ends_when_the_time_is_over() -> None:
    study = optuna.create_study()
    assert watch(study, deadline=0.0).epoch(0, {"train_loss": 1.0})
    assert not watch(study).epoch(0, {"train_loss": 1.0})


def test_objectives_are_metrics_and_costs() -> None:
    result = Result("EASE", "val", metrics=metric_rows({"ndcg_at_10": 0.4, "mrr_at_10": math.nan}), cost={"fit_s": 2.0})
    assert objectives(result, ["ndcg_at_10", "fit_s"]) == [0.4, 2.0]
    with pytest.raises(ObjectiveError, match=r"search\.objective=auc is not measured .* fit_s, mrr_at_10, ndcg_at_10"):
        objectives(result, ["auc"])
    with pytest.raises(DataError, match="mrr_at_10 has no value"):
        objectives(result, ["mrr_at_10"])


def test_settings_of_a_trial_leave_the_others_as_they_are() -> None:
    cfg = OmegaConf.create(composed("model=recommender/sasrec"), flags={"readonly": False})
    changed = with_params(cfg, {"model.dim": 32, "seed": 7}, {"trainer": {"patience": 3}})
    assert (changed.model.dim, changed.model.seed, changed.model.training.patience) == (32, 7, 3)
    assert (cfg.model.dim, cfg.seed, cfg.trainer.patience) == (64, 1, 0)
    recbole = OmegaConf.create(composed("model=recommender/recbole"), flags={"readonly": False})
    assert with_params(recbole, {"model.params.n_layers": 2}).model.params == {"n_layers": 2}
