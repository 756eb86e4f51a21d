"""The describe task: what a log holds, what is suspicious in it, and which tasks it can answer; nothing is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from omniretail.dataset import Dataset
from omniretail.describe import facts
from omniretail.describe.answers import answerable
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, protocol_of


@dataclass(frozen=True)
class LogFindings:
    """What the page shows.

    Attributes:
        totals: see ``facts.totals``.
        habits: see ``facts.habits``.
        event_types: see ``facts.by_event_type``.
        columns: see ``facts.columns``.
        items: see ``facts.suspicious_items``.
        users: see ``facts.suspicious_users``.
        days: events per day.
        hours: share of events per hour.
        gap: days of the longest pause, and its first day.
        tasks: see ``answerable``.
        drops: rows that were dropped, by reason.
        changes: rows that were changed, by reason.
        settings: that were guessed, to be kept in a yaml.
        zone: the customers' time zone, guessed by the quiet hours; None: the hours are right as they are, or show none.
    """

    totals: Mapping[str, Any]
    habits: Mapping[str, float]
    event_types: pd.DataFrame
    columns: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame
    days: pd.Series
    hours: pd.Series
    gap: tuple[int, str]
    tasks: pd.DataFrame
    drops: Mapping[str, int]
    changes: Mapping[str, int]
    settings: Mapping[str, Any]
    zone: str | None = None


@dataclass(frozen=True)
class Describe:
    """Describe the log; the model is not looked at.

    Attributes:
        guess: columns and event types that no setting names are guessed from their names; for ``source=csv``.
    """

    guess: bool = field(default=True, metadata=NOT_PROTOCOL)

    def evaluate(self, model: Any, data: Dataset, stage: Stage) -> Evaluation:
        """Count; see ``Task``."""
        tables = data.tables
        days, total = facts.per_day(tables), facts.totals(tables)
        hours = facts.per_hour(tables) if tables.card.clock else pd.Series(dtype=float)
        zone = facts.guessed_zone(hours, tables.card.zone) if len(hours) else None
        findings = LogFindings(
            totals=total,
            habits=facts.habits(tables),
            event_types=facts.by_event_type(tables),
            columns=facts.columns(tables),
            items=facts.suspicious_items(tables),
            users=facts.suspicious_users(tables),
            days=days,
            hours=hours,
            gap=facts.longest_gap(days),
            tasks=answerable(tables, total),
            drops=tables.drops,
            changes=tables.changes,
            settings=tables.guesses | ({"source.timezone": zone} if zone and tables.guesses else {}),
            zone=zone,
        )
        numbers = {name: float(findings.totals[name]) for name in ("events", "users", "items", "days")}
        numbers |= {**findings.habits, "dropped": float(sum(tables.drops.values())), "gap_days": findings.gap[0]}
        numbers |= {"suspicious_items": len(findings.items), "suspicious_users": len(findings.users)}
        result = Result(
            model="log",
            stage=stage,
            task="describe",
            metrics=metric_rows(numbers),
            protocol=protocol_of(self, "describe", data, stage),
            cost={"fit_s": 0.0, "score_s": 0.0, "peak_memory_mb": 0.0},
        )
        shown = {"event_types": findings.event_types, "columns": findings.columns, "tasks": findings.tasks}
        return Evaluation(result, tables=shown, findings=findings)
