"""A small town with names, served by PersonalTop."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.policies.protocol import fitted
from omniretail.policies.seen import allow_seen
from omniretail.serving.bundle import read_recommender, write_recommender
from omniretail.serving.recommender import RecommenderService
from omniretail.views.train import Train
from tests.policies.factories import TOWN

NAMES = ["tea", "milk", "bread", "jam", "eggs", None]
NAMED = replace(
    TOWN,
    item_table=TOWN.item_table.assign(name=NAMES, price=[1.0, 2.0, 3.0, 4.0, 5.0, None]),
    channels=Vocabulary.of(["offline", "online"]),
)


def bundle(folder: Path, model: Any = None, policy: Any = allow_seen, train: Train = NAMED) -> Path:
    """Saved as a run saves it."""
    fitted_model = (model or PersonalTop()).fit(train)
    write_recommender(folder, fitted_model, fitted([policy], train)[0], train)
    return folder


def service(folder: Path, model: Any = None, policy: Any = allow_seen, train: Train = NAMED) -> RecommenderService:
    return RecommenderService(read_recommender(bundle(folder, model, policy, train)), "town/1")


def rows(*requests: dict[str, Any]) -> pd.DataFrame:
    """A frame as JSON gives it: None where a row has no value."""
    names = dict.fromkeys(name for request in requests for name in request)
    return pd.DataFrame([{name: request.get(name) for name in names} for request in requests], dtype=object)
