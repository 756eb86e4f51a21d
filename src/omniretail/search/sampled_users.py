"""The same dataset with a share of its customers."""

from dataclasses import replace

import ibis
from ibis import _

from omniretail.core.cache import digest
from omniretail.dataset import Dataset

_DIGITS = 6


def of_users(data: Dataset, share: float) -> Dataset:
    """The dataset with a share of its customers and all that they did; a larger share holds those of a smaller one.

    Args:
        data: whole.
        share: above 0; 1 or more is the dataset itself.
    """
    if share >= 1:
        return data
    named = data.tables.named()
    fewer = {name: _of_share(table, share) for name, table in named.items() if "user_id" in table.columns}
    version = digest(data.tables.version, "users", share)
    return replace(data, tables=replace(data.tables, **fewer, version=version))


def _of_share(table: ibis.Table, share: float) -> ibis.Table:
    hashed = (_.user_id.cast("string") + "|search").hexdigest("md5")  # the same on every engine and in every release
    return table.filter(hashed.substr(0, _DIGITS) < f"{int(share * 16**_DIGITS):0{_DIGITS}x}")
