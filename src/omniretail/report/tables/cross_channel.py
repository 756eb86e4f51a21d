"""The scorecard of two channels for people: in a terminal, in a README, and as a page."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.table import Table

from omniretail.metrics.significance import ALPHA
from omniretail.recommendation.cross_channel.scorecard import ALL, NEW
from omniretail.report.tables.format import figure, probability
from omniretail.report.tables.plain import plain_markdown, plain_terminal
from omniretail.schema import DatasetCard

LEGEND = (
    "Alone: the target channel's log only. Both: the other channel's log as well; only the target's items are ranked.",
    "NDCG@10 and hit rate@10 are means over judged customers; gain is the difference in NDCG@10 with its 95 % interval "
    "(bootstrap over customers).",
    "all items: the whole target catalogue is ranked. … negatives: the held-out item among so many drawn at random, as "
    "papers do; such figures are far higher and say less.",
    f"p: paired t-test over customers, Holm-corrected over all rows of this group; **bold** where both channels are "
    f"significantly better (p < {ALPHA}), ▼ where they are significantly worse.",
)
NEW_LEGEND = (
    "New here: customers drawn at random whose events in the target were forgotten, in training too, so that all that "
    "is known of them comes from the other channel. Alone, they get what is popular.",
)


def warnings(card: pd.DataFrame) -> list[str]:
    """A sentence for every row in which the other channel makes the lists significantly worse."""
    worse = pd.DataFrame(card[(card.gain < 0) & (card.p_holm < ALPHA)])
    return [
        f"WARNING: {row['other']} hurts {row['target']}: {row['model']}, customers {row['group']} ({row['users']:,}), "
        f"{row['protocol']}: NDCG@10 {figure(row['ndcg_alone'])} alone, {figure(row['ndcg_both'])} with both "
        f"(p {probability(row['p_holm'])})."
        for row in worse.to_dict("records")
    ]


def verdicts(card: pd.DataFrame) -> list[str]:
    """Per model and protocol, in how many directions the other channel helps, hurts, or makes no sure difference."""
    sentences = []
    whole = pd.DataFrame(card[card.group == ALL])
    for model, protocol in whole[["model", "protocol"]].drop_duplicates().itertuples(index=False):
        part = pd.DataFrame(whole[(whole.model == model) & (whole.protocol == protocol)])
        sure = part.p_holm < ALPHA
        better, worse = (list(part.target[sure & up]) for up in (part.gain > 0, part.gain < 0))
        hurt = f", worse in {', '.join(worse)}" if len(worse) else ""
        named = f" ({', '.join(better)})" if len(better) else ""
        sentences.append(
            f"{model}, {protocol}: with both channels significantly better in {len(better)} of {len(part)} "
            f"targets{named}{hurt}."
        )
    return sentences


def channel_cells(card: pd.DataFrame, group: str = ALL) -> pd.DataFrame:
    """The rows of one group of customers as text."""
    part = pd.DataFrame(card[card.group == group])
    rows = part.to_dict("records")
    return pd.DataFrame(
        {
            "target (other)": [f"{row['target']} ({row['other']})" for row in rows],
            "model": part.model.to_list(),
            "ranked": part.protocol.to_list(),
            "customers": [f"{n:,}" for n in part.users],
            "alone NDCG@10": [figure(value) for value in part.ndcg_alone],
            "both NDCG@10": [_marked(row) for row in rows],
            "gain": [_gain(row) for row in rows],
            "p": [probability(p) for p in part.p_holm],
            "alone HR@10": [figure(value) for value in part.hit_rate_alone],
            "both HR@10": [figure(value) for value in part.hit_rate_both],
        }
    )


def channel_markdown(card: pd.DataFrame) -> str:
    """For a README: all customers, each group, and how to read it."""
    parts = []
    for group in dict.fromkeys(card.group):
        legend = LEGEND if group == ALL else NEW_LEGEND if group == NEW else ()
        parts.append(f"**Customers: {group}**\n\n{plain_markdown(channel_cells(card, str(group)), legend).rstrip()}\n")
    return "\n".join([*parts, *(f"- {sentence}" for sentence in [*verdicts(card), *warnings(card)])]) + "\n"


def channel_terminal(card: pd.DataFrame) -> list[Table | str]:
    """For ``rich.console.Console.print``."""
    parts: list[Table | str] = []
    for group in dict.fromkeys(card.group):
        parts += [f"\nCustomers: {group}", plain_terminal(channel_cells(card, str(group)))]
    said = [sentence.replace("**", "") for sentence in (*LEGEND, *NEW_LEGEND)]
    return [*parts, "", *said, "", *verdicts(card), *warnings(card)]


def write_channels(path: Path, card: pd.DataFrame, data: Sequence[DatasetCard], facts: dict[str, str]) -> None:
    """Write the page.

    Args:
        path: the file to write; its folder is made.
        card: from ``scorecard``.
        data: cards of what was judged, one per direction.
        facts: of the protocol, for people.
    """
    environment = Environment(loader=PackageLoader("omniretail", "report"), autoescape=True, undefined=StrictUndefined)
    groups = [(str(group), channel_cells(card, str(group))) for group in dict.fromkeys(card.group)]
    page = environment.get_template("channels.html.jinja").render(
        title="Does the other channel help?",
        sentences=verdicts(card),
        warnings=warnings(card),
        groups=[(name, list(shown), shown.to_numpy().tolist()) for name, shown in groups],
        legend=[sentence.replace("**", "") for sentence in (*LEGEND, *NEW_LEGEND)],
        facts=facts,
        data=[". ".join(filter(None, (each.title, each.terms, each.note))) for each in data],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _gain(row: dict) -> str:
    gain, low, high = (f"{row[name]:+.4f}".replace("-", "−") for name in ("gain", "gain_low", "gain_high"))
    return f"{gain} ({low} to {high})"


def _marked(row: dict) -> str:
    text = figure(row["ndcg_both"])
    if row["p_holm"] >= ALPHA:
        return text
    return f"**{text}**" if row["gain"] > 0 else f"{text} ▼"
