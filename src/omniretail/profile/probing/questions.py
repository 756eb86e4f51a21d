"""The questions of the probing task: labels to learn from beside labels to evaluate by."""

from collections.abc import Mapping
from dataclasses import replace

from omniretail.profile.probing.targets import Target, attribute_targets, behaviour_targets
from omniretail.profile.windows import TwoWindows
from omniretail.splits.cutoff import is_empty

Question = tuple[Target, Target]
"""The same question with the labels to learn from and with those to evaluate by."""


def questions(
    windows: TwoWindows,
    attributes: Mapping[str, str],
    levels: Mapping[str, str],
    min_class_customers: int,
    min_buyers: int,
) -> list[Question]:
    """Attributes first, then behaviour, learned in the earlier window and evaluated in the later one if there is one.

    Args:
        windows: of one stage.
        attributes: name of a question -> column of the users table.
        levels: name of a question -> column of the items table.
        min_class_customers: see ``attribute_targets``.
        min_buyers: see ``behaviour_targets``.
    """
    customers = windows.later
    constant = attribute_targets(customers.user_table, attributes, min_class_customers)
    if is_empty(windows.later_window):
        return [(each, each) for each in constant]
    learned, evaluated = (
        behaviour_targets(window, customers.users, customers.item_table, levels, min_buyers)
        for window in (windows.earlier_window, windows.later_window)
    )
    behaviour = [_same_classes(a, b) for a, b in zip(learned, evaluated, strict=True)]
    return [(each, each) for each in constant] + behaviour


def _same_classes(learned: Target, evaluated: Target) -> Question:
    """Both restricted to the classes that both have, in one order."""
    classes = [name for name in evaluated.classes if name in set(learned.classes)]
    return _restricted(learned, classes), _restricted(evaluated, classes)


def _restricted(target: Target, classes: list[str]) -> Target:
    columns = [target.classes.index(name) for name in classes]
    return replace(target, classes=classes, truth=target.truth[:, columns])
