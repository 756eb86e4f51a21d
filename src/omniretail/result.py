"""What one evaluation found: the unit that reports compare and tracking keeps."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Result:
    """One model judged on one stage of one dataset.

    Attributes:
        model: its name for people, e.g. ``EASE``.
        stage: ``val`` or ``test``.
        per_user: a value per judged user and metric (``ndcg_at_10``, ``new_recall_at_20``, …), NaN where the user has
            nothing held out for it, and the column ``n_history`` (events before the cutoff); indexed by ``user_id``.
        overall: figures of all lists together (``coverage_at_10``, ``gini_at_10``, …) and counts (``cold_items``, …).
        fit_s: seconds to fit.
        score_s: seconds to score and rank all judged users.
        peak_memory_mb: highest resident memory while fitting and scoring, MiB.
        run_id: the MLflow run behind it; empty before it is tracked.
        settings: what was compared under which protocol (source, split, seed, data version, …).
    """

    model: str
    stage: str
    per_user: pd.DataFrame
    overall: dict[str, float] = field(default_factory=dict)
    fit_s: float = 0.0
    score_s: float = 0.0
    peak_memory_mb: float = 0.0
    run_id: str = ""
    settings: dict[str, str] = field(default_factory=dict)
