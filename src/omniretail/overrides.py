"""What one writes on the command line, before Hydra reads it."""

from collections.abc import Iterable


def opened(overrides: Iterable[str]) -> list[str]:
    """Let ``model.params.x=1`` set what no yaml lists; Hydra itself asks for pluses in front.

    Which names are right is known to the model, which refuses the others.

    >>> opened(["model.params.n_layers=2", "model.name=LightGCN"])
    ['++model.params.n_layers=2', 'model.name=LightGCN']
    """
    return [f"++{each}" if each.startswith("model.params.") else each for each in overrides]
