"""What one customer will do: calibrated probabilities and lifetime value, beside those of all customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import DataError, SettingsError
from omniretail.dataset import Dataset
from omniretail.models.lifetime.bg_nbd_gamma_gamma import BGNBDGammaGamma
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.lifetime import Lifetime
from omniretail.profile.probing.probes import Probes
from omniretail.profile.propensity.evaluate import Propensities, Propensity
from omniretail.profile.tags.population import percentile
from omniretail.splits.cutoff import Stage


@dataclass(frozen=True)
class Prediction:
    """One figure of one customer.

    Attributes:
        what: is predicted, a phrase for people.
        value: a probability, a number or an amount.
        everybody: the mean of all customers.
        percentile: rank among all customers, 0 the lowest and 1 the highest.
        unit: ``probability``, ``count`` or the currency.
        error: expected calibration error of a probability; NaN for the others.
    """

    what: str
    value: float
    everybody: float
    percentile: float
    unit: str
    error: float = float("nan")


@dataclass(frozen=True)
class CustomerPredictions:
    """Fits propensities and lifetime value at a stage's cutoff, and looks a customer up.

    Attributes:
        levels: name of a question -> column of the items table whose values customers buy.
        n_seeds: of the probes.
        min_buyers: customers who buy, and who do not buy, a value in the learning window.
        most: likeliest values shown of each question.
    """

    levels: Mapping[str, str] = field(default_factory=dict)
    n_seeds: int = 1
    min_buyers: int = 50
    most: int = 5

    def __post_init__(self) -> None:
        at_least(self, "n_seeds", "min_buyers", "most", low=1)

    def of(self, customer: object, data: Dataset, stage: Stage) -> tuple[list[Prediction], list[str]]:
        """The predictions, and in sentences why some are missing.

        Args:
            customer: raw id, or its text.
            data: of all customers.
            stage: at whose cutoff.
        """
        predictions: list[Prediction] = []
        missing: list[str] = []
        for name, predict in (("probabilities", self._chances), ("lifetime value", self._lifetime)):
            try:
                predictions += predict(str(customer), data, stage)
            except (DataError, SettingsError) as error:
                missing.append(f"No {name}: {error}.")
        return predictions, missing

    def _chances(self, customer: str, data: Dataset, stage: Stage) -> list[Prediction]:
        task = Propensity(Probes(n_seeds=self.n_seeds), self.levels, self.min_buyers)
        all_: Propensities = task.evaluate(ProfileTable(), data, stage).findings
        row, days = _row(all_.ids, customer), f"{all_.window_s // 86400:g} days"
        predictions = []
        for each in all_.reports:
            errors = each.per_class.ece.to_numpy(float)
            for column in np.argsort(-each.after[row], kind="stable")[: self.most]:
                level = each.question.removesuffix("_propensity")
                what = f"stays away for {days}" if each.question == "churn" else f"buys {level} {each.classes[column]}"
                predictions.append(_prediction(what, each.after[:, column], row, "probability", float(errors[column])))
        if all_.spend is not None:
            unit = data.tables.card.currency or "currency"
            predictions.append(_prediction(f"spends in {days}", all_.spend.after, row, unit))
        return predictions

    def _lifetime(self, customer: str, data: Dataset, stage: Stage) -> list[Prediction]:
        predicted: pd.DataFrame = Lifetime().evaluate(BGNBDGammaGamma(), data, stage).tables["predictions"]
        row, unit = _row(predicted.user_id.to_numpy(), customer), data.tables.card.currency or "currency"
        named = {
            "p_alive": ("is still a customer", "probability"),
            "purchases": ("purchases in the window", "count"),
            "value": ("value of these purchases", unit),
        }
        return [
            _prediction(f"{what} (BG/NBD)", predicted[name].to_numpy(float), row, of)
            for name, (what, of) in named.items()
            if name in predicted
        ]


def _row(ids: np.ndarray, customer: str) -> int:
    rows = np.flatnonzero(ids.astype(str) == customer)
    if not len(rows):
        raise DataError(f"customer {customer} has no purchase before the cutoff")
    return int(rows[0])


def _prediction(what: str, values: np.ndarray, row: int, unit: str, error: float = float("nan")) -> Prediction:
    own = float(values[row])
    return Prediction(what, own, float(np.nanmean(values)), percentile(values, own), unit, error)
