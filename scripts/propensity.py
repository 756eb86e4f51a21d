"""Calibrated probabilities of what every customer does in the next window, and how true such promises were.

python scripts/propensity.py source=complete_journey model=profile/table

Churn, a purchase in each department and category, and the spend to expect: learned two windows before the test cutoff,
calibrated on the validation window, held against the test window. Takes what scripts/train.py takes; model= is an
encoder of profiles (default: profile/table). Probabilities go to reports/propensity_<dataset>.parquet, a row per
customer; figures and diagrams to the page beside it.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main() -> None:
    """Promise, judge, write the page."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        promise(with_model(sys.argv[1:]))
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def with_model(given: Sequence[str]) -> list[str]:
    """The overrides of a run, with the table as the encoder where none is named."""
    named = any(each.partition("=")[0].lstrip("+") == "model" for each in given)
    return list(given) if named else ["model=profile/table", *given]


def promise(overrides: Sequence[str]) -> Path:
    """Load, learn, calibrate, judge, write, track; the page's path is returned.

    Raises:
        ValueError: where the model is no profile encoder.
    """
    from hydra.utils import instantiate

    from omniretail.config import compose
    from omniretail.profile.propensity.evaluate import propensities
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked

    cfg = compose(*overrides)
    name = cfg.model._target_.rpartition(".")[2]
    if ".models.profiles." not in cfg.model._target_:
        raise ValueError(f"{name} gives lists, not vectors of customers; choose a profile such as model=profile/table")
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "split": cfg.split._target_, "model": name}
    tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
    asked, split = cfg.probes, instantiate(cfg.split)
    found = propensities(
        *(instantiate(cfg.model), tables, split, Path(cfg.cache_dir), dict(asked.levels)),
        at_least=asked.at_least_buyers,
        protocol=instantiate(asked.protocol),
    )
    page = Path("reports") / f"propensity_{cfg.dataset}.html"
    _write(page, found, tables.card, name, split.horizon_days)
    _show(found, name)
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, f"propensity {name}", params) as kept:
        _record(kept, found, page, cfg)
        run_id = kept.run_id
    print(f"page={page}\nrun_id={run_id}")
    return page


def _write(page: Path, found: Any, card: Any, name: str, days: int) -> None:
    from omniretail.profile.windows import date_text
    from omniretail.report.pages.propensity import write_propensities

    first, second, third, end = (date_text(found.at + shift * days * 86400) for shift in (-2, -1, 0, 1))
    facts = {
        "Encoder": name,
        "Customers": f"{len(found.ids):,}",
        "Learned from": f"[{first}, {second})",
        "Calibrated on": f"[{second}, {third})",
        "Judged on": f"[{third}, {end})",
        "Seconds": f"fit {found.fit_s:.1f}, embed {found.embed_s:.1f}, learn and answer {found.ask_s:.1f}",
    }
    context = (
        f"{card.title}: what each of {len(found.ids):,} customers does in the {days} days from {third} on, told from "
        "what was known before."
    )
    write_propensities(page, found, "What customers will do", context, facts, card)
    found.table().to_parquet(page.with_suffix(".parquet"), index=False)


def _record(kept: Any, found: Any, page: Path, cfg: Any) -> None:
    from omegaconf import OmegaConf

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "propensity").mkdir()
        found.figures().to_parquet(folder / "propensity" / "figures.parquet", index=False)
        for file in (page, page.with_suffix(".parquet")):
            (folder / "propensity" / file.name).write_bytes(file.read_bytes())
        kept.record(folder, metrics(found))


def metrics(found: Any) -> dict[str, float]:
    """Under their MLflow keys, e.g. ``test/churn/ece_before``; what nobody can say is left out."""
    rows = [(row["question"], row) for row in found.summary().to_dict("records")]
    if found.spend_forecast is not None:
        parts = {"before": "_before", "after": "", "own rate": "_own_rate"}
        for row in found.spend_forecast.figures().to_dict("records"):
            suffix = parts[row.pop("forecast")]
            rows.append(("spend", {f"{name}{suffix}": value for name, value in row.items() if name != "actual"}))
    figures = {
        f"test/{question}/{name}": float(value)
        for question, row in rows
        for name, value in row.items()
        if isinstance(value, float) and value == value
    }
    return figures | {f"test/{name}": getattr(found, name) for name in ("fit_s", "embed_s", "ask_s")}


def _show(found: Any, name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from omniretail.report.pages.propensity_text import question, spending_rows

    console = Console(highlight=False)
    shown = Table(title=f"{name}: {len(found.ids):,} customers, before and after calibration")
    for heading in ("question", "", "mean", "Brier", "log loss", "ECE", "(luck)"):
        shown.add_column(heading, justify="left" if heading in ("question", "") else "right")
    for row in found.summary().to_dict("records"):
        auc = f", AUC {row['auc']:.3f}" if row["auc"] == row["auc"] else ""
        classes = f", {row['classes']:,} classes" if row["classes"] > 1 else ""
        shown.add_row(f"{question(row['question'])}{classes}{auc}", "did", f"{row['base_rate']:.1%}")
        for when, end in (("before", "_before"), ("after", "")):
            figures = [f"{row[each + end]:.4f}" for each in ("brier", "log_loss", "ece")]
            luck = "" if end else f"{row['ece_if_true']:.4f}"
            shown.add_row("", when, f"{row['promised' + end]:.1%}", *figures, luck)
    console.print(shown)
    if found.spend_forecast is not None:
        spent = Table("expected spend", "MAE", "RMSE", "Spearman", "predicted", "paid")
        for row in spending_rows(found.spend_forecast.figures()):
            spent.add_row(*row)
        console.print(spent)


if __name__ == "__main__":
    main()
