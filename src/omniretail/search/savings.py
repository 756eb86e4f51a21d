"""How much of the time pruning has saved."""

from collections.abc import Sequence

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from omniretail.search.evaluate import SECONDS, STEPS


def share_of_time_saved(trials: Sequence[FrozenTrial], by: str | None) -> float:
    """Share of the time that the same trials would take without pruning; below 0 where the samples cost more.

    A stopped trial would have taken the median ratio, of trials that finished, between their whole time and their time
    until the same step.

    Args:
        trials: of a study.
        by: see ``Pruning``.

    Returns:
        NaN where nothing was pruned.
    """
    finished = [each for each in trials if each.state == TrialState.COMPLETE and SECONDS in each.user_attrs]
    pruned = [each for each in trials if each.state == TrialState.PRUNED and each.user_attrs.get(STEPS)]
    if not finished or not pruned or by is None:
        return float("nan")
    spent = sum(each.user_attrs[SECONDS] for each in (*finished, *pruned))
    without = sum(_alone(each, by) for each in finished)
    without += sum(each.user_attrs[SECONDS] * _ratio(finished, len(each.user_attrs[STEPS]), by) for each in pruned)
    return 1 - spent / without


def _alone(trial: FrozenTrial, by: str) -> float:
    """Seconds of a trial without those of its samples of users."""
    steps = trial.user_attrs.get(STEPS) or []
    return trial.user_attrs[SECONDS] - (steps[-1][1] if by == "users" and steps else 0.0)


def _ratio(finished: Sequence[FrozenTrial], n_steps: int, by: str) -> float:
    """Time of a whole trial over the time until its ``n_steps``-th step."""
    reached = [(each, each.user_attrs[STEPS]) for each in finished if len(each.user_attrs.get(STEPS) or ()) >= n_steps]
    return float(np.median([_alone(each, by) / steps[n_steps - 1][1] for each, steps in reached])) if reached else 1.0
