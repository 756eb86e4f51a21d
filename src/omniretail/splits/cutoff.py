"""The line that one evaluation draws through the events."""

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

import ibis
from ibis import _

from omniretail.core.errors import SettingsError

Stage = Literal["val", "test"]


def require_stage(stage: str) -> None:
    """Refuse any other word, so that test is never evaluated by a slip.

    Raises:
        SettingsError: naming the stages.
    """
    if stage not in get_args(Stage):
        raise SettingsError(f"stage={stage!r}: choose val or test")


@dataclass(frozen=True)
class Cutoff:
    """Events to learn from, and events to judge by.

    Attributes:
        before: the only events that views, vocabularies and models may depend on.
        held_out: the events that the model is judged by.
        at: the time between them, UTC without a zone; None where each user's history is cut by position.
        histories: what the judged users are known to have done when they are asked; None: what they did ``before``.
        validation: by which epochs and weights are chosen, where nothing is fitted anew for test; ``before`` is then
            the same there.
    """

    before: ibis.Table
    held_out: ibis.Table
    at: datetime | None = None
    histories: ibis.Table | None = None
    validation: "Cutoff | None" = None


class Split(Protocol):
    """A frozen dataclass that draws the line."""

    @property
    def refit(self) -> bool:
        """Whether what is judged on test learns from the events that validation holds out.

        False is the protocol of most papers on sequences: those events are in the histories at test time, and never
        learned from.
        """
        ...

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """The line for ``val`` (for tuning) or ``test`` (for the final figure).

        Events that ``test`` holds out are absent from ``val``; events that ``val`` holds out come before the cutoff
        of ``test``.
        """
        ...


def refits(split: Split | None) -> bool:
    """Whether a split refits for test, as one does that does not say."""
    return getattr(split, "refit", True)


def drawn(split: Split, events: ibis.Table, stage: Stage) -> Cutoff:
    """The split's line; where ``refit`` is False, with what is learned from cut before validation at both stages."""
    cut = split.cutoff(events, stage)
    if refits(split):
        return cut
    if stage == "val":
        return replace(cut, validation=cut)
    validation = split.cutoff(events, "val")
    histories = cut.before if cut.histories is None else cut.histories
    return replace(cut, before=validation.before, histories=histories, validation=validation)


def protocol_text(split: Split | None) -> str:
    """The split as a protocol names it.

    >>> from omniretail.splits import LeaveLast
    >>> protocol_text(LeaveLast()), protocol_text(LeaveLast(refit=False))
    ('LeaveLast(min_events=3)', 'LeaveLast(min_events=3, refit=False)')
    """
    text = repr(split)
    return text if refits(split) else f"{text[:-1]}{'' if text.endswith('()') else ', '}refit=False)"


def in_zone(split: Any, zone: str) -> Any:
    """A split, and those inside it, by the days of a time zone; a zone that it names itself stays."""
    if not is_dataclass(split) or isinstance(split, type):
        return split
    values = {each.name: getattr(split, each.name) for each in fields(split)}
    inner = {name: in_zone(value, zone) for name, value in values.items() if is_dataclass(value)}
    own = {"zone": zone} if "zone" in values and values["zone"] is None else {}
    return replace(split, **inner, **own)


def judged(events: ibis.Table) -> ibis.Table:
    """The events that may be held out: those marked ``judged``, or all where there are no marks."""
    return events.filter(_.judged) if "judged" in events.columns else events


def bought(events: ibis.Table) -> ibis.Table:
    """The events that are purchases: those marked ``purchase``, or all where there are no marks."""
    return events.filter(_.purchase) if "purchase" in events.columns else events


def cut_by_position(events: ibis.Table, stage: Stage, minimum: int) -> Cutoff:
    """Hold out position 0 (test) or 1 (validation) of every user who has the minimum.

    Args:
        events: with ``position``, how many judged ones of the user are newer, and ``total``, how many there are.
        stage: decides which position is held out; newer ones are dropped.
        minimum: users with fewer positions stay in training whole and are not judged.
    """
    require_stage(stage)
    held_out_position = 0 if stage == "test" else 1
    few = _.total < minimum
    before = events.filter(few | (_.position > held_out_position))
    held_out = judged(events.filter(~few, _.position == held_out_position))
    return Cutoff(before.drop("position", "total"), held_out.drop("position", "total"))


def is_empty(events: ibis.Table) -> bool:
    """Whether there is no event."""
    return events.limit(1).to_pyarrow().num_rows == 0
