"""Requests to a response model: rows of features in, probabilities out; and how it is saved."""

import json
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.responses.features import is_quantity
from omniretail.models.saving import load, save
from omniretail.serving.bundle import description_of, write_description
from omniretail.serving.manifest import seal
from omniretail.serving.validation import RequestError, as_number, check_fields, values_of

_EXAMPLES = 3


@dataclass(frozen=True)
class ResponseBundle:
    """All that answers a request for probabilities.

    Attributes:
        model: fitted; one with ``predict_uplift(rows)`` also gives the difference that the offer makes.
        quantities: per column that the model was fitted with, whether it holds a number; else a category.
        example: a few rows.
    """

    model: Any
    quantities: dict[str, bool]
    example: pd.DataFrame


def write_response(folder: Path, model: Any, rows: pd.DataFrame) -> str:
    """Save a fitted response model; the sha256 of its manifest is returned.

    Args:
        folder: made; must be empty or not there.
        model: fitted on rows with these columns.
        rows: some of them, for their types and as examples.
    """
    (folder / "model").mkdir(parents=True)
    save(model, folder / "model")
    quantities = {str(column): is_quantity(rows, str(column)) for column in rows}
    example = str(rows.head(_EXAMPLES).to_json(orient="records"))
    write_description(folder, "response", model, {"quantities": quantities, "example": json.loads(example)})
    return seal(folder)


def read_response(folder: Path) -> ResponseBundle:
    """Read what ``write_response`` wrote; the files are to be checked before."""
    description = description_of(folder)
    example = pd.DataFrame(description["example"], dtype=object)
    return ResponseBundle(load(folder / "model"), description["quantities"], example)


class ResponseService:
    """Answers requests for probabilities, from any number of threads, one at a time.

    Args:
        bundle: see ``ResponseBundle``.
        version: name and version of the model, for the answers.
    """

    def __init__(self, bundle: ResponseBundle, version: str = "") -> None:
        self.bundle = bundle
        self.version = version
        self._one_at_a_time = Lock()

    def example(self) -> pd.DataFrame:
        """A few training rows."""
        return self.bundle.example

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A probability for each row.

        Args:
            frame: the columns that the model was fitted with; null where a value is not known.

        Returns:
            ``probability`` of a response, ``uplift`` (probability with the offer minus without; None where the model
            was not trained for that) and ``model_version``.

        Raises:
            RequestError: naming the column that is missing or not as it should be.
        """
        check_fields(frame, list(self.bundle.quantities))
        for column in self.bundle.quantities:
            if column not in frame:
                raise RequestError(f"{column}: is missing; give null where its value is not known")
        rows = pd.DataFrame({name: _column(frame, name, number) for name, number in self.bundle.quantities.items()})
        model = self.bundle.model
        with self._one_at_a_time:
            probability = model.predict_proba(rows)
            uplift = model.predict_uplift(rows) if hasattr(model, "predict_uplift") else None
        return pd.DataFrame(
            {
                "probability": probability,
                "uplift": pd.Series([None] * len(rows), dtype=object) if uplift is None else uplift,
                "model_version": self.version,
            }
        )


def _column(frame: pd.DataFrame, name: str, is_number: bool) -> Any:
    values = values_of(frame, name)
    if is_number:
        return np.array([np.nan if each is None else as_number(name, each) for each in values], dtype=np.float64)
    for each in values:
        if isinstance(each, list | dict | tuple | np.ndarray):
            raise RequestError(f"{name}: text or a number is expected, not {each!r}")
    return pd.Series(values, dtype=object)
