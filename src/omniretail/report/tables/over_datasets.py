"""Several comparisons of the same models, each on another dataset, as one: the mean over datasets."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import lower_is_better
from omniretail.report.tables.comparison import costs_of, shown_metrics


def mean_over_datasets(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Every figure averaged, for the models that all tables have.

    Args:
        tables: from ``comparison``, of the same metrics.

    Returns:
        A table like that of ``comparison``; ``seeds`` is the number of datasets, ``primary_seed_sd`` the standard
        deviation over them. There are no intervals and no tests.

    Raises:
        SettingsError: where the tables have no model in common, or other metrics.
    """
    first, metrics = tables[0], shown_metrics(tables[0])
    models = [name for name in first.index if all(name in table.index for table in tables)]
    if not models or any(shown_metrics(table) != metrics for table in tables):
        raise SettingsError(
            "only tables of the same models and metrics have a mean; save them one by one, with --table"
        )
    figures = np.stack([table.loc[models, [*metrics, *costs_of(first)]].to_numpy(float) for table in tables])
    mean = pd.DataFrame(
        figures.mean(axis=0), index=pd.Index(models, name="model"), columns=[*metrics, *costs_of(first)]
    )
    ends = {f"{metric}_{end}": np.nan for metric in metrics for end in ("low", "high")}
    about = {"seeds": len(tables), "primary_seed_sd": figures[:, :, 0].std(axis=0, ddof=1), "units": len(tables)}
    about |= {"unit": "datasets", "stage": first.stage.iloc[0], "test": "", "p_best": np.nan, "p_baseline": np.nan}
    order = [column for metric in metrics for column in (metric, f"{metric}_low", f"{metric}_high")]
    table = pd.DataFrame(mean.assign(**ends, **about)[[*order, *about, *costs_of(first)]])
    return table.sort_values(metrics[0], ascending=lower_is_better(metrics[0]), kind="stable")
