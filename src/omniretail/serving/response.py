"""Requests to a response model or an uplift learner: rows of features in; and how they are saved."""

import json
from collections.abc import Sequence
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
        model: fitted.
        quantities: per column that the model was fitted with, whether it holds a number; else a category.
        example: a few rows.
        answers: ``probability`` of a model with ``predict_proba``, ``uplift`` of a learner with ``predict``, or both.
    """

    model: Any
    quantities: dict[str, bool]
    example: pd.DataFrame
    answers: Sequence[str]


def write_response(folder: Path, model: Any, rows: pd.DataFrame, answers: Sequence[str] = ("probability",)) -> str:
    """Save a fitted response model or uplift learner; the sha256 of its manifest is returned.

    Args:
        folder: made; must be empty or not there.
        model: fitted on rows with these columns.
        rows: some of them, for their types and as examples.
        answers: see ``ResponseBundle``.
    """
    (folder / "model").mkdir(parents=True)
    save(model, folder / "model")
    quantities = {str(column): is_quantity(rows, str(column)) for column in rows}
    example = str(rows.head(_EXAMPLES).to_json(orient="records"))
    more = {"quantities": quantities, "example": json.loads(example), "answers": list(answers)}
    write_description(folder, "uplift" if "uplift" in answers else "response", model, more)
    return seal(folder)


def read_response(folder: Path) -> ResponseBundle:
    """Read what ``write_response`` wrote; the files are to be checked before."""
    description = description_of(folder)
    example = pd.DataFrame(description["example"], dtype=object)
    return ResponseBundle(load(folder / "model"), description["quantities"], example, description["answers"])


class ResponseService:
    """Answers requests for probabilities or uplift, from any number of threads, one at a time.

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

    def text_fields(self) -> set[str]:
        """Columns of categories."""
        return {name for name, is_number in self.bundle.quantities.items() if not is_number}

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A probability, an uplift, or both for each row.

        Args:
            frame: the columns that the model was fitted with; null where a value is not known.

        Returns:
            ``probability`` of a response, ``uplift`` (probability with the offer minus without), None where the model
            was not trained for it, and ``model_version``.

        Raises:
            RequestError: naming the column that is missing or not as it should be.
        """
        check_fields(frame, list(self.bundle.quantities))
        for column in self.bundle.quantities:
            if column not in frame:
                raise RequestError(f"{column}: is missing; give null where its value is not known")
        rows = pd.DataFrame({name: _column(frame, name, number) for name, number in self.bundle.quantities.items()})
        model, nothing = self.bundle.model, pd.Series([None] * len(rows), dtype=object)
        with self._one_at_a_time:
            probability = model.predict_proba(rows) if "probability" in self.bundle.answers else nothing
            uplift = model.predict(rows) if "uplift" in self.bundle.answers else nothing
        return pd.DataFrame({"probability": probability, "uplift": uplift, "model_version": self.version})


def _column(frame: pd.DataFrame, name: str, is_number: bool) -> Any:
    values = values_of(frame, name)
    if is_number:
        return np.array([np.nan if each is None else as_number(name, each) for each in values], dtype=np.float64)
    for each in values:
        if isinstance(each, list | dict | tuple | np.ndarray):
            raise RequestError(f"{name}: text or a number is expected, not {each!r}")
    return pd.Series(values, dtype=object)
