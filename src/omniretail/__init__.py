"""omniretail: recommenders, customer profiles and O2O models under one leak-free protocol.

    import omniretail as om

    data = om.Dataset.from_frames(events=log, columns={"user_id": "CustomerID"})     # or om.load("complete_journey")
    result = om.evaluate(om.models.EASE(l2=200.0), data, om.splits.Temporal(horizon_days=28))

Names are imported when they are used, so that importing the package takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from omniretail.core.extras import missing_package

__version__ = "0.2.0"

if TYPE_CHECKING:
    from omniretail import models, splits
    from omniretail.api import compare, embed, evaluate, findings, fit, load, predict, recommend
    from omniretail.dataset import Dataset

__all__ = [
    "Dataset",
    "compare",
    "embed",
    "evaluate",
    "findings",
    "fit",
    "load",
    "models",
    "predict",
    "recommend",
    "splits",
]

_MODULES = {"models", "splits"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'omniretail' has no attribute {name!r}; it has {', '.join(__all__)}")
    if name in _MODULES:
        return import_module(f"omniretail.{name}")
    try:
        return getattr(import_module("omniretail.dataset" if name == "Dataset" else "omniretail.api"), name)
    except ModuleNotFoundError as error:
        raise ImportError(missing_package(error) or str(error)) from None


def __dir__() -> list[str]:
    return sorted(__all__)
