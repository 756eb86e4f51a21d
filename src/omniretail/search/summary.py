"""What a search has values, in sentences and tables."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from omniretail.metrics.names import label
from omniretail.report.tables.format import amount, figure
from omniretail.result import Result
from omniretail.search.evaluate import SECONDS
from omniretail.search.savings import share_of_time_saved
from omniretail.search.space import in_words, short_name, written
from omniretail.search.study import ERROR, objective_names, values_of
from omniretail.search.trials import is_lost
from omniretail.search.winner import Winner


def what_was_searched(
    study: Study, model: str, winner: Winner, default: FrozenTrial | None, by: str | None
) -> list[str]:
    """The best trial, how many there were, and what pruning has saved."""
    trials, names = study.get_trials(deepcopy=False), objective_names(study)
    values = ", ".join(f"{label(n)} {figure(v)}" for n, v in zip(names, values_of(winner.trial), strict=True))
    against = (
        ""
        if default is None or default.number == winner.trial.number
        else f"; the default has {_values(study, default)}"
    )
    own = ", the default" if default is not None and default.number == winner.trial.number else ""
    lines = [
        f"{model}: the best of {_counts(trials)} is {in_words(winner.params) or 'the only one'}{own}, "
        f"with {values} on validation{against}."
    ]
    saved = share_of_time_saved(trials, by)
    if np.isfinite(saved):
        lines.append(
            f"Pruning saved {saved:.0%} of the time."
            if saved >= 0
            else f"Pruning cost time: without it, the trials take {1 / (1 - saved):.0%} of it."
        )
    return lines


def _values(study: Study, trial: FrozenTrial) -> str:
    return ", ".join(figure(value) for value in values_of(trial))


def _counts(trials: Sequence[FrozenTrial]) -> str:
    lost = sum(map(is_lost, trials))
    states = {
        "finished": sum(each.state == TrialState.COMPLETE for each in trials),
        "stopped early": sum(each.state == TrialState.PRUNED for each in trials),
        "failed": sum(each.state == TrialState.FAIL for each in trials) - lost,
    }
    parts = ", ".join(f"{n:,} {name}" for name, n in states.items() if n)
    gone = f", and {lost:,} lost with their process" if lost else ""
    return f"{sum(states.values()):,} trials ({parts}{gone})"


def trial_cells(study: Study, trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """Trials as a table of texts, best first, then those that were stopped or failed."""
    names = objective_names(study)
    varied = list(dict.fromkeys(name for each in trials for name in each.params))
    rows = []
    for trial in ordered(study, trials):
        values = values_of(trial) or [float("nan")] * len(names)
        rows.append(
            {"trial": str(trial.number + 1)}
            | {label(name): figure(value) for name, value in zip(names, values, strict=True)}
            | {short_name(name): written(trial.params.get(name, "–")) for name in varied}
            | {"s": amount(trial.user_attrs.get(SECONDS, float("nan"))), "state": _state(trial)}
        )
    return pd.DataFrame(rows)


def ordered(study: Study, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Finished trials by the first objective, best first, then the others."""
    sign = 1 if study.directions[0].name == "MINIMIZE" else -1
    done = [each for each in trials if each.state == TrialState.COMPLETE]
    return [*sorted(done, key=lambda each: sign * values_of(each)[0]), *(each for each in trials if each not in done)]


def _state(trial: FrozenTrial) -> str:
    names = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "stopped early", TrialState.RUNNING: "in hand"}
    if trial.state == TrialState.FAIL:
        return "lost" if is_lost(trial) else f"failed: {trial.user_attrs[ERROR][:80]}"
    return names.get(trial.state, "queued")


def seed_cells(results: Sequence[Result], metrics: Sequence[str]) -> pd.DataFrame:
    """Mean and standard deviation over seeds of the final fits on test."""
    rows = [
        {
            "test": label(name),
            "mean": figure(float(np.mean(of))),
            "SD over seeds": figure(float(np.std(of, ddof=1))) if len(of) > 1 else "–",
            "fits": str(len(of)),
        }
        for name, of in ((name, [result.value(name) for result in results]) for name in metrics)
    ]
    return pd.DataFrame(rows)


def importances(study: Study) -> Mapping[str, float]:
    """Share of each setting in the variance of the first objective; empty where there are too few trials."""
    from optuna.importance import get_param_importances

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = {
        name for name in (done[0].params if done else ()) if len({str(each.params.get(name)) for each in done}) > 1
    }
    if len(done) < 4 or not varied or len({values_of(each)[0] for each in done}) < 2:
        return {}
    sign = 1 if study.directions[0].name == "MINIMIZE" else -1  # the evaluator looks for what makes values low
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes")
        return get_param_importances(study, target=lambda trial: sign * values_of(trial)[0], params=sorted(varied))
