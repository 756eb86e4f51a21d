"""A bundle in MLflow's form: data and no code, with signature, example and requirements."""

import warnings
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

from omniretail import __version__
from omniretail.registry.smoke_test import Served
from omniretail.serving.bundle import description_of
from omniretail.serving.profile import FIELDS as PROFILE
from omniretail.serving.recommender import FIELDS as RECOMMENDER

CARD = "model_card.md"
_SUMMARY = ("kind", "model", "n_users", "n_items")
_ANSWERED = (
    ColSpec(DataType.string, "fallback", required=False),
    ColSpec(DataType.long, "unknown_items"),
    ColSpec(DataType.string, "model_version"),
)
_OUTPUTS = {
    "recommender": Schema(
        [
            *(ColSpec(AnyType(), name) for name in ("item_ids", "scores")),
            ColSpec(AnyType(), "names", required=False),
            *_ANSWERED,
        ]
    ),
    "profile": Schema([*(ColSpec(AnyType(), name) for name in ("embedding", "tags", "probabilities")), *_ANSWERED]),
    **dict.fromkeys(
        ("response", "uplift"),
        Schema(
            [
                *(ColSpec(DataType.double, name, required=False) for name in ("probability", "uplift")),
                ColSpec(DataType.string, "model_version"),
            ]
        ),
    ),
}


def write_mlflow_model(folder: Path, bundle: Path, example: pd.DataFrame, served: Served, card: str) -> Path:
    """Write a model that ``omniretail.serving.pyfunc`` reads; the folder is returned.

    Args:
        folder: not there yet.
        bundle: sealed.
        example: requests.
        served: measured in a fresh process, for the requirements.
        card: Markdown.
    """
    with warnings.catch_warnings():  # MLflow warns when it is imported, and of fields that the model itself checks
        warnings.filterwarnings("ignore", ".*AnyType")
        from mlflow.pyfunc import save_model
    description = description_of(bundle)
    save_model(
        path=str(folder),
        loader_module="omniretail.serving.pyfunc",
        data_path=str(bundle),
        signature=ModelSignature(outputs=_OUTPUTS.get(description["kind"])),
        input_example=example,
        pip_requirements=requirements(served),
        metadata={name: description[name] for name in _SUMMARY if name in description}
        | {"fields": _fields(description["kind"], example)},
    )
    (folder / CARD).write_text(card)
    return folder


def requirements(served: Served) -> list[str]:
    """The packages that serving the model needs, pinned; MLflow is what serves it."""
    packages = served.packages | {"mlflow": mlflow.__version__}
    return [f"omniretail=={__version__}", *(f"{name}=={packages[name].partition('+')[0]}" for name in sorted(packages))]


def _fields(kind: str, example: pd.DataFrame) -> list[str]:
    """What a request may have. It is no schema of MLflow's: the model itself checks fields, and names the wrong one."""
    return list({"recommender": RECOMMENDER, "profile": PROFILE}.get(kind, map(str, example.columns)))
