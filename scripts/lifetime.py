"""Foretell what customers will buy and spend, and hold it against what they did.

python scripts/lifetime.py source=cdnow
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import pandas as pd
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from omniretail.config import compose
from omniretail.models.lifetime.bg_nbd import BGNBD
from omniretail.models.lifetime.gamma_gamma import GammaGamma
from omniretail.profile.lifetime import Examined, examine
from omniretail.run import USER_ERRORS
from omniretail.schema import DataError, Tables
from omniretail.sources.protocol import load
from omniretail.splits.temporal import Temporal
from omniretail.tracking import TrackedRun, tracked
from omniretail.views.profile.recency_frequency import WEEK, purchases, recency_frequency

_MEANINGS = {
    "r": "shape of the buying rates: the smaller, the more customers differ",
    "alpha": "scale of the buying rates: r / alpha purchases per {unit} are the mean",
    "a": "a / (a + b) is the mean chance of leaving after a repeat purchase",
    "b": "see a; the smaller both, the more customers differ",
    "p": "shape of a customer's transactions: the larger, the more alike",
    "q": "shape of customers' means: the smaller, the more customers differ",
    "v": "scale of spending: p v / (q - 1) a purchase is the mean, currency",
}
_HOW_TO_READ = (
    "A model is worth having where its mae and rmse (per customer; lower is better) and its spearman (does it put the "
    "right customers first; 1 is perfect) beat both rates, and its predicted total lies near the actual one."
)


def main() -> None:
    """Parse, examine, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*", help="as for train.py, such as source=cdnow split.horizon_days=91")
    parser.add_argument("--penalty", type=float, help="on extreme parameters; default: 0, or 0.001 where that fails")
    parser.add_argument("--unit-days", type=float, default=WEEK, help="length of the unit of time; default: 7, a week")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        _lifetime(arguments)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def _lifetime(arguments: argparse.Namespace) -> None:
    if arguments.unit_days <= 0 or (arguments.penalty or 0) < 0:
        raise ValueError("--unit-days must be above 0 and --penalty not below it")
    cfg = compose(*arguments.overrides)
    split = instantiate(cfg.split)
    params = {
        "source": cfg.dataset,
        "split": repr(split),
        "penalty": "where needed" if arguments.penalty is None else str(arguments.penalty),
        "unit_days": str(arguments.unit_days),
    }
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, "lifetime", params) as run:
        tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
        examined = _examined(tables, split, arguments)
        _record(run, examined, tables, cfg)
    _show(examined, tables, arguments.unit_days)
    print(f"run_id={run.run_id}")


def _examined(tables: Tables, split: object, arguments: argparse.Namespace) -> Examined:
    if not isinstance(split, Temporal) or not tables.card.clock:
        raise DataError(f"{tables.card.title}: lifetime value needs dates and split=temporal; try source=cdnow")
    cutoff = split.cutoff(tables.events, "test")
    assert cutoff.at is not None
    past = recency_frequency(cutoff.before, at=cutoff.at, unit_days=arguments.unit_days, zone=tables.card.zone)
    customers = past.order_by("user_id").to_pandas()
    bought = purchases(cutoff.held_out, zone=tables.card.zone).to_pandas()
    return examine(customers, bought, horizon=split.horizon_days / arguments.unit_days, penalty=arguments.penalty)


def _record(run: TrackedRun, examined: Examined, tables: Tables, cfg: DictConfig) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "lifetime").mkdir()
        examined.report.to_csv(folder / "lifetime" / "report.csv", index=False)
        examined.forecasts.to_parquet(folder / "lifetime" / "customers.parquet", index=False)
        run.record(folder, _metrics(examined))
    run.describe(f"Lifetime value on {tables.card.title}, data {tables.version}.")


def _metrics(examined: Examined) -> dict[str, float]:
    """The report's figures, such as ``test/lifetime/purchases_mae``, and ``…/own_rate_purchases_mae`` of the rates."""
    parameters = {name: value for model in _models(examined) for name, value in model.parameters.items()}
    parameters["buying_penalty"] = examined.buying.penalty
    figures = examined.report.melt(id_vars=["target", "model"], var_name="figure").dropna()
    prefix = [f"{model.replace(' ', '_')}_" if model.endswith(" rate") else "" for model in figures.model]
    keys = prefix + figures.target + "_" + figures.figure
    found = dict(zip(keys, figures.value, strict=True)) | parameters
    return {f"test/lifetime/{key}": float(value) for key, value in found.items()}


def _models(examined: Examined) -> list[BGNBD | GammaGamma]:
    return [model for model in (examined.buying, examined.spending) if model is not None]


def _show(examined: Examined, tables: Tables, unit_days: float) -> None:
    console = Console(highlight=False)
    unit = "week" if unit_days == WEEK else f"{unit_days:g} days"
    parameters = Table("parameter", "value", "what it says", title=f"{tables.card.title}: what was learned")
    for model in _models(examined):
        for name, value in model.parameters.items():
            parameters.add_row(name, f"{value:,.4f}", _MEANINGS[name].format(unit=unit))
    console.print(parameters)
    console.print(_report_table(examined.report, len(examined.forecasts)))
    console.print(_HOW_TO_READ)


def _report_table(report: pd.DataFrame, n_customers: int) -> Table:
    table = Table(title=f"foretold and done in the test window, {n_customers:,} customers known before it")
    for name in report.columns:
        table.add_column(str(name), justify="left" if name in ("target", "model") else "right")
    for target, model, mae, rmse, spearman, predicted, actual in report.itertuples(index=False):
        figures = (f"{mae:,.3f}", f"{rmse:,.3f}", f"{spearman:.3f}", f"{predicted:,.0f}", f"{actual:,.0f}")
        table.add_row(target, model, *(figure.replace("nan", "–") for figure in figures))
    return table


if __name__ == "__main__":
    main()
