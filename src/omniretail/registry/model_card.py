"""The card of a registered model: what it is, how good, on what, for what not, and how to make it again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from omniretail.metrics.names import label
from omniretail.metrics.significance import bootstrap_interval
from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import BLEND, ProbeResult
from omniretail.registry.smoke_test import Served
from omniretail.report.tables.activity_groups import by_group, groups
from omniretail.report.tables.format import figure, interval
from omniretail.result import Result
from omniretail.tracking import DataFacts

_AT = ("_at_10",)
_LIMITS = {
    "recommender": (
        "Knows the items and customers that were there before its cutoff; a new item is not recommended until it is "
        "trained again. Judged on what customers took, not on what they would have taken had they seen these lists.",
    ),
    "profile": (
        "Describes customers as they were at the moment asked about. Facts such as age are statements of probability, "
        "and are not for decisions about single persons.",
    ),
    "response": (
        "Gives probabilities for offers like those it learned from; that a customer acts does not mean that the offer "
        "was the reason.",
    ),
}


def model_card(
    kind: str, result: Result | ProbeResult | OfferResult, data: DataFacts, run: Any, served: Served, name: str
) -> str:
    """The card as Markdown.

    Args:
        kind: ``recommender``, ``profile`` or ``response``.
        result: of the test stage.
        data: what the run says of its data.
        run: MLflow's.
        served: what a fresh process found.
        name: under which it is registered.
    """
    settings = result.settings
    dropped = " · ".join(f"{reason} {count:,}" for reason, count in data.drops.items() if count) or "nothing"
    parts = [
        f"# {name}",
        f"{result.model}, a {kind} trained on {data.card.title} by omniretail.",
        "## Data",
        _list(
            {
                "Source": f"{data.card.title} {data.card.address}".strip(),
                "Terms": data.card.terms or "not stated by the source",
                "Note": data.card.note,
                "Version": f"`{data.version}` (hash of files and reader)",
                "Left out": dropped,
            }
        ),
        "## Protocol",
        _list(
            {
                "Split": f"`{settings.get('split', '')}`",
                "Policy": f"`{settings['policy']}`" if settings.get("policy") else "",
                "Judged": _judged(result),
                "Parameters": f"`{settings.get('parameters', '')}`",
                "Seed": settings.get("seed", ""),
            }
        ),
        "## Figures",
        *_figures(result),
        "## Limits",
        *_LIMITS[kind],
        "## In service",
        _list(
            {
                "Loads in": f"{served.load_s:.1f} s, takes {served.memory_mb:,.0f} MiB",
                "Single request, in process": f"{served.latency_p50_ms:.1f} ms (median), "
                f"{served.latency_p99_ms:.1f} ms (99 of 100)",
                "Packages": ", ".join(f"{package} {found}" for package, found in served.packages.items()),
            }
        ),
        "## Make it again",
        _again(run),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(result: Result | ProbeResult | OfferResult) -> list[str]:
    if isinstance(result, Result):
        return _ranking(result)
    found: Any = result.figures
    if isinstance(result, ProbeResult):
        found = found[found.probe == BLEND]
    rows = [
        (f"{row.get('question', '')} {row['figure']}".strip(), figure(row["value"]), interval(row["low"], row["high"]))
        for row in found.to_dict("records")
    ]
    return [_table(("figure", "value", "95 % interval"), rows)]


def _ranking(result: Result) -> list[str]:
    """Means with intervals, and the first metric by how much was known of the customer."""
    names = [name for name in result.per_user if name.endswith(_AT) and "history" not in name]
    values = result.per_user[names]
    low, high = bootstrap_interval(values.to_numpy(np.float64))
    rows = [
        (label(n), figure(mean), interval(a, b)) for n, mean, a, b in zip(names, values.mean(), low, high, strict=True)
    ]
    rows += [(label(n), figure(v), "–") for n, v in result.overall.items() if n.endswith(_AT)]
    parts = [_table(("metric", "mean", "95 % interval"), rows)]
    primary = names[0]
    grouped = groups(result.per_user.n_history.to_numpy())
    found = by_group({primary: result.per_user[primary].to_numpy()}, grouped)
    lines = [
        (name, f"{size:,}", figure(row["mean"]), interval(row["low"], row["high"]))
        for name, size, row in zip(grouped.names, grouped.sizes, found.to_dict("records"), strict=True)
    ]
    parts.append("By how much was known of the customer:")
    return [*parts, _table(("events before", "customers", label(primary), "95 % interval"), lines)]


def _judged(result: Result | ProbeResult | OfferResult) -> str:
    if isinstance(result, Result):
        return f"{len(result.per_user):,} customers, all items ranked, once"
    if isinstance(result, OfferResult):
        return f"{result.counts['judged']:,} mailings, once"
    return f"{result.answers.shape[0]:,} answers of probes, once"


def _again(run: Any) -> str:
    tags: Mapping[str, str] = run.data.tags
    commit = tags.get("mlflow.source.git.commit", "not recorded")
    changed = " (with changes that were not committed)" if tags.get("git_dirty") == "true" else ""
    versions = ", ".join(f"{k.removeprefix('version/')} {v}" for k, v in tags.items() if k.startswith("version/"))
    return (
        f"Run `{run.info.run_id}`, commit `{commit}`{changed}:\n\n    {tags.get('command', 'not recorded')}\n\n"
        f"Python {tags.get('python', '?')}; {versions}. Every setting is in the run's config.yaml."
    )


def _list(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in facts.items() if text)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    frame = pd.DataFrame(rows, columns=list(header))
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in frame.to_numpy())])
