"""The page of the describe task: what a log holds, what looks suspicious, and which tasks it can answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from omniretail.core.overrides import override
from omniretail.describe.evaluate import LogFindings
from omniretail.report.charts.bars import area
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.page import Page, Section, table_section
from omniretail.report.tables.amounts import UNKNOWN, percent
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation

_MANY_REPEATS = 0.05


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write it.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``describe``.
        card: of the dataset.
    """
    findings: LogFindings = evaluation.findings
    sections = _sections(findings, card)
    if charts := _charts(findings):
        sections.insert(0, Section("When", charts=charts))
    Page(
        title="The log",
        card=card,
        sentences=sentences(findings, card),
        sections=sections,
        terms={"Settings": " ".join(override(name, value) for name, value in findings.settings.items()) or "as set"},
    ).write(path)


def sentences(findings: LogFindings, card: DatasetCard) -> list[str]:
    """What to know first, in sentences."""
    total, habits = findings.totals, findings.habits
    when = f", {total['first']:%Y-%m-%d} to {total['last']:%Y-%m-%d} ({total['days']:,} days)" if card.clock else ""
    texts = [
        f"{total['events']:,} events of {total['users']:,} customers and {total['items']:,} items{when}.",
        f"Half of the customers have at most {habits['events_per_user']:,.0f} events; {percent(habits['one_event'])} "
        "have one, and nothing can be held out of theirs.",
    ]
    again = habits["repeats"] > _MANY_REPEATS
    advice = "report repeat and new items apart, beside recommender/personal_top" if again else "hide seen items"
    texts.append(f"{percent(habits['repeats'])} of the events repeat an item of the same customer: {advice}.")
    if habits["ties"] > 0.01:
        texts.append(
            f"{percent(habits['ties'])} of the customers have several items at their last time; a split by position "
            "keeps the order of the file."
        )
    if card.clock and total["midnights"] > 0.99:
        texts.append("Times are dates without an hour, so habits by the hour mean nothing.")
    elif findings.zone:
        texts.append(
            f"The quiet hours are not at night in {card.zone}. A guess by the hours alone: "
            f"{override('source.timezone', findings.zone)}, or another zone with that clock."
        )
    if findings.gap[0] > 1:
        texts.append(f"The longest pause without events is {findings.gap[0]:,} days, from {findings.gap[1]} on.")
    return texts


def text(evaluation: Evaluation, card: DatasetCard) -> str:
    """What the command line prints: what to know first, the settings to keep, and what can be done next."""
    findings: LogFindings = evaluation.findings
    parts = [*sentences(findings, card), ""]
    if findings.settings:
        parts += ["Settings that were guessed, to keep in a yaml of configs/source:", _yaml(findings.settings)]
    if len(findings.items):
        codes = ", ".join(findings.items.item_id.astype(str).head(5))
        parts += [f"Items that may be no products: {codes}; the page says why.", ""]
    width = findings.tasks.task.str.len().max()
    parts += ["What can be done with it:"]
    rows = zip(findings.tasks.task, findings.tasks.settings, strict=True)
    parts += [f"  {task:<{width}}  {settings}" for task, settings in rows]
    return "\n".join(parts)


def _yaml(settings: Mapping[str, Any]) -> str:
    """Dotted settings as nested yaml."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *parents, last = name.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return yaml.safe_dump(nested, allow_unicode=True, sort_keys=False)


def _sections(findings: LogFindings, card: DatasetCard) -> list[Section]:
    types = findings.event_types.copy()
    for name in ("events", "users"):
        types[name] = types[name].map("{:,}".format)
    if "value" in types:
        types["value"] = [UNKNOWN if pd.isna(each) else f"{each:,.2f} {card.currency}".strip() for each in types.value]
    cells = findings.columns.assign(missing=findings.columns.missing.map(percent))
    cells["different"] = cells.different.map("{:,}".format)
    sections = [
        table_section("Event types", types, ["A purchase is money and a basket; source.signals says otherwise."]),
        table_section("Columns", cells),
        table_section("What can be done with it", findings.tasks, ["Settings beside those of the source."]),
    ]
    counted = {**findings.drops, **findings.changes}
    if any(counted.values()):
        rows = pd.DataFrame({"reason": list(counted), "rows": [f"{rows:,}" for rows in counted.values()]})
        sections.insert(1, table_section("Rows dropped or changed", rows))
    if len(findings.items):
        codes = override("source.not_products", findings.items.item_id.astype(str).tolist())
        sections.append(
            table_section(
                "Items that may be no products", findings.items, [f"To leave out those that are none: {codes}"]
            )
        )
    if len(findings.users):
        users = findings.users.assign(share=findings.users.share.map(percent))
        sections.append(table_section("Customers with a large share of the log", users))
    return sections


def _charts(findings: LogFindings) -> list[Chart]:
    charts = []
    if len(findings.days) > 1:
        days = pd.to_datetime(findings.days.index)
        caption = "Gaps and jumps are often faults of an export."
        charts.append(area(days, findings.days.to_numpy(), "Events per day", caption, "events"))
    if len(findings.hours) and findings.hours.sum() > 0:
        shares = 100 * findings.hours.to_numpy()
        caption = "A peak at night points at a wrong time zone."
        charts.append(area(findings.hours.index, shares, "Events by hour", caption, "% of events"))
    return charts
