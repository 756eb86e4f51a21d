"""The card of a registered model: what it is, how good, on which data, its limits, and how to train it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from mlflow.entities import Run

from omniretail.metrics.names import label
from omniretail.registry.gate import Guards, default_guards
from omniretail.registry.smoke_test import Served
from omniretail.report.tables.activity_groups import by_group, groups
from omniretail.report.tables.comparison import comparison, shown_metrics
from omniretail.report.tables.format import figure, interval
from omniretail.result import Result
from omniretail.tracking import DataSummary

_LIMITS = {
    "recommender": (
        "Knows the items and customers of its training data; a new item is not recommended before the next training. "
        "Evaluated on what customers bought without these lists, which is not what they would have bought with them."
    ),
    "profile": (
        "Describes customers as of the time in the request. Attributes such as age are probabilities, and are not for "
        "decisions about single persons."
    ),
    "response": (
        "Gives probabilities for offers like those of its training data; that a customer responds does not mean that "
        "the offer caused it."
    ),
    "uplift": (
        "Gives the effect of offers like those of its training data, learned beside a random control group; the effect "
        "of another offer, or on other customers, is not known from it."
    ),
}


@dataclass(frozen=True)
class ModelCard:
    """All that the card of a version is made from.

    Attributes:
        name: under which the model is registered.
        kind: ``recommender``, ``profile``, ``response`` or ``uplift``.
        result: of the test stage.
        report: section ``report`` of the run's settings: ``primary`` and ``metrics``.
        data: the run's summary of its data.
        run: MLflow's.
        served: measured in a fresh process.
    """

    name: str
    kind: str
    result: Result
    report: Mapping[str, Any]
    data: DataSummary
    run: Run
    served: Served

    def markdown(self) -> str:
        """The card."""
        sections = {
            "Data": self._data(),
            "Protocol": self._protocol(),
            "Metrics": self._metrics(),
            "Limits": _LIMITS[self.kind],
            "In service": self._service(),
            "How to train it again": self._reproduction(),
        }
        intro = f"{self.result.model}, a {self.kind} model trained on {self.data.card.title} by omniretail."
        return (
            "\n\n".join([f"# {self.name}", intro, *(f"## {title}\n\n{text}" for title, text in sections.items())])
            + "\n"
        )

    def _data(self) -> str:
        card, drops = self.data.card, self.data.drops
        return _list(
            {
                "Source": f"{card.title} {card.address}".strip(),
                "Terms": card.terms or "not stated by the source",
                "Note": card.note,
                "Version": f"`{self.data.version}` (hash of files and reader)",
                "Dropped rows": " · ".join(f"{reason} {n:,}" for reason, n in drops.items() if n) or "none",
            }
        )

    def _protocol(self) -> str:
        result = self.result
        units = result.per_unit.index.name or "units"
        settings = {name: f"`{value}`" for name, value in result.protocol.items() if name not in ("source", "data")}
        own = {"parameters": f"`{result.parameters}`", "seed": str(result.seed)}
        return _list({"evaluated": f"{len(result.per_unit):,} ({units})", **settings, **own})

    def _metrics(self) -> str:
        table = comparison([self.result], self.report["metrics"], self.report["primary"])
        metrics = shown_metrics(table)
        (row,) = table.to_dict("records")
        rows = [(label(m), figure(row[m]), interval(row[f"{m}_low"], row[f"{m}_high"])) for m in metrics]
        return "\n\n".join([_table(("metric", "value", "95 % interval"), rows), *self._by_activity(metrics[0])])

    def _by_activity(self, primary: str) -> list[str]:
        """The primary metric in the groups of users that the gate guards."""
        n_groups = default_guards().get(self.result.task, Guards()).activity_groups
        if not n_groups:
            return []
        per_unit = self.result.per_unit
        grouped = groups(per_unit["n_history"].to_numpy(), n_groups)
        means = by_group({primary: per_unit[primary].to_numpy()}, grouped)
        rows = [
            (name, f"{size:,}", figure(row["mean"]), interval(row["low"], row["high"]))
            for name, size, row in zip(grouped.names, grouped.sizes, means.to_dict("records"), strict=True)
        ]
        header = ("events before", "users", label(primary), "95 % interval")
        return ["By number of events before the cutoff:", _table(header, rows)]

    def _service(self) -> str:
        served = self.served
        return _list(
            {
                "Loads in": f"{served.load_s:.1f} s, uses {served.memory_mb:,.0f} MiB",
                "Single request, in process": (
                    f"{served.latency_p50_ms:.1f} ms (median), {served.latency_p99_ms:.1f} ms (99th percentile)"
                ),
                "Packages": ", ".join(f"{package} {version}" for package, version in served.packages.items()),
            }
        )

    def _reproduction(self) -> str:
        tags = self.run.data.tags
        commit = tags.get("mlflow.source.git.commit", "not recorded")
        changed = " (with changes that were not committed)" if tags.get("git_dirty") == "true" else ""
        versions = ", ".join(f"{k.removeprefix('version/')} {v}" for k, v in tags.items() if k.startswith("version/"))
        command = tags.get("command", "not recorded")
        return (
            f"Run `{self.run.info.run_id}`, commit `{commit}`{changed}:\n\n    {command}\n\n"
            f"Python {tags.get('python', '?')}; {versions}. Every setting is in the run's config.yaml."
        )


def _list(lines: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in lines.items() if text)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    frame = pd.DataFrame(rows, columns=list(header))
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in frame.to_numpy())])
