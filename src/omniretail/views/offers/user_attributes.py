"""Attributes of the customers beside the features of mailings: what a shop knows of them at any time."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from omniretail.core.errors import DataError
from omniretail.schema import Tables
from omniretail.views.offers.dictionary import OfferFeature
from omniretail.views.offers.rows import OfferRows


def with_user_attributes(rows: OfferRows, tables: Tables, attributes: Mapping[str, str]) -> OfferRows:
    """The rows with the group ``user_attributes``: numbers as float64, all else as text, missing values missing.

    Args:
        rows: of mailings.
        tables: with users; their attributes do not change in time.
        attributes: name -> column of the users table.

    Raises:
        DataError: where the dataset has no attributes of users.
    """
    if tables.users is None or not attributes:
        raise DataError(
            f"{tables.card.title} has no attributes of customers for task.groups=[user_attributes]: "
            "set source.users_path to a file that has them, or leave the group out"
        )
    users = tables.users.select("user_id", *dict.fromkeys(attributes.values())).to_pandas().set_index("user_id")
    of_row = users.reindex(pd.Index(rows.user_id))
    columns = {f"user_{name}": _typed(of_row.loc[:, column]) for name, column in attributes.items()}
    features = [OfferFeature(f"user_{name}", "user_attributes", f"the customer's {name}") for name in attributes]
    return replace(rows, rows=rows.rows.assign(**columns), features=[*rows.features, *features])


def _typed(values: pd.Series) -> np.ndarray:
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        return values.to_numpy(np.float64, na_value=np.nan)
    texts = values.astype(object)
    return texts.where(texts.isna(), texts.map(str)).where(texts.notna(), None).to_numpy(dtype=object)
