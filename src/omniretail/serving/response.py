"""Requests to a response model: rows of features in, probabilities out; and how it is kept."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.responses.features import is_quantity
from omniretail.models.saving import load, save
from omniretail.serving.bundle import facts_of, write_facts
from omniretail.serving.manifest import seal
from omniretail.serving.validation import RequestError, as_number, given, known_fields

_EXAMPLES = 3


@dataclass(frozen=True)
class Responding:
    """All that answers a request for probabilities.

    Attributes:
        model: fitted; one with ``predict_uplift(rows)`` also says how much likelier an act is because of the offer.
        quantities: per column that the model was fitted with, whether it holds a number; else a word.
        example: a few rows.
    """

    model: Any
    quantities: dict[str, bool]
    example: pd.DataFrame


def write_response(folder: Path, model: Any, rows: pd.DataFrame) -> str:
    """Keep a fitted response model; the sha256 of its manifest is returned.

    Args:
        folder: made; must be empty or not there.
        model: fitted on rows with these columns.
        rows: some of them, for their types and as examples.
    """
    (folder / "model").mkdir(parents=True)
    save(model, folder / "model")
    kinds = {str(column): is_quantity(rows, str(column)) for column in rows}
    example = str(rows.head(_EXAMPLES).to_json(orient="records"))
    write_facts(folder, "response", model, {"quantities": kinds, "example": json.loads(example)})
    return seal(folder)


def read_response(folder: Path) -> Responding:
    """Read what ``write_response`` wrote; files are to be checked before."""
    facts = facts_of(folder)
    return Responding(load(folder / "model"), facts["quantities"], pd.DataFrame(facts["example"], dtype=object))


class ResponseService:
    """Answers requests for probabilities.

    Args:
        parts: see ``Responding``.
        version: name and version of the model, for the answers.
    """

    def __init__(self, parts: Responding, version: str = "") -> None:
        self.parts = parts
        self.version = version

    def example(self) -> pd.DataFrame:
        """A few rows as the model learned from."""
        return self.parts.example

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A probability for each row.

        Args:
            frame: the columns that the model was fitted with; null where a value is not known.

        Returns:
            ``probability`` that they act, ``uplift`` (probability with the offer minus without; None where the model
            does not tell) and ``model_version``.

        Raises:
            RequestError: naming the column that is missing or not as it should be.
        """
        known_fields(frame, list(self.parts.quantities))
        for column in self.parts.quantities:
            if column not in frame:
                raise RequestError(f"{column}: is missing; give null where its value is not known")
        rows = pd.DataFrame({name: _column(frame, name, number) for name, number in self.parts.quantities.items()})
        model = self.parts.model
        uplift = model.predict_uplift(rows) if hasattr(model, "predict_uplift") else None
        return pd.DataFrame(
            {
                "probability": model.predict_proba(rows),
                "uplift": pd.Series([None] * len(rows), dtype=object) if uplift is None else uplift,
                "model_version": self.version,
            }
        )


def _column(frame: pd.DataFrame, name: str, number: bool) -> Any:
    values = given(frame, name)
    if number:
        return np.array([np.nan if each is None else as_number(name, each) for each in values], dtype=np.float64)
    for each in values:
        if isinstance(each, list | dict | tuple | np.ndarray):
            raise RequestError(f"{name}: a word or a number is expected, not {each!r}")
    return pd.Series(values, dtype=object)
