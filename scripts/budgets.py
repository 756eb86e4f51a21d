"""Who is sent where when each store can serve only so many: greedy, auction and the exact best, judged by who went.

python scripts/budgets.py source=complete_journey
python scripts/budgets.py source=simulate source.n_customers=5000

Chances that a customer visits a store within the window are told at the cutoff by a model (configs/model/visiting), and
each way of making offers under budgets is held against the visits that followed.

Own arguments, besides those of scripts/train.py:
  tightness=0.1,0.5,1           shares of the demand that budgets can serve; default: .1, .25, .5, .75, 1
  k=1,2                         offers a customer gets at most
  stage=val                     to choose; default: test
  experiment=experiments/015_stores   put the table into that folder's results.csv and README
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OWN = {"tightness": "0.1,0.25,0.5,0.75,1", "k": "1,2", "stage": "test", "experiment": ""}


def main() -> None:
    """Learn, allocate, print, keep."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        allocate(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where a stage is none, or a number no number.
    """
    words = [each.partition("=") for each in given]
    own = OWN | {name: value for name, _, value in words if name in OWN}
    if own["stage"] not in ("val", "test"):
        raise ValueError(f"stage={own['stage']}: choose val or test")
    if not all(each.strip().isdecimal() and int(each) for each in own["k"].split(",")):
        raise ValueError(f"k={own['k']}: give whole numbers from 1, such as k=1,2")
    named = {name.lstrip("+") for name, _, _ in words}
    model = [] if "model" in named else ["model=visiting/trees"]
    return own, [*model, *("".join(each) for each in words if each[0] not in OWN)]


def allocate(own: dict[str, str], overrides: Sequence[str]) -> Any:
    """Load, learn, allocate, judge, print, track; the table is returned."""
    from hydra.utils import instantiate
    from rich.console import Console

    from omniretail.config import compose
    from omniretail.models.stores.visit_probability import visited
    from omniretail.o2o.allocation.evaluate import examine_budgets
    from omniretail.report.tables.plain import plain_terminal
    from omniretail.report.tables.render import refresh
    from omniretail.report.tables.stores import BUDGETS, budget_cells, keep_part
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked
    from omniretail.views.stores.visit_log import load_stage

    cfg: Any = compose(*overrides)
    stage: Any = own["stage"]
    ks, shares = [int(each) for each in own["k"].split(",")], [float(each) for each in own["tightness"].split(",")]
    tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
    log, asked, _ = load_stage(tables, instantiate(cfg.split), stage, Path(cfg.cache_dir))
    chances = instantiate(cfg.model).fit(log).chances_
    went = visited(asked, log.n_users, log.n_stores)
    table = examine_budgets(chances, went, ks=ks, tightness=shares)
    params = {"dataset": cfg.dataset, "stage": stage, "k": own["k"], "tightness": own["tightness"]}
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, "offers under budgets", params) as kept:
        _record(kept, stage, table, cfg)
    console = Console(highlight=False)
    sizes = f"{log.n_users:,} customers, {log.n_stores:,} stores"
    console.print(f"{tables.card.title}: {sizes}; pairs that meet: {chances.sum():,.0f} told, {went.sum():,} true")
    console.print(plain_terminal(budget_cells(table)))
    console.print(tables.card.note, style="italic")
    if own["experiment"]:
        folder = Path(own["experiment"])
        keep_part(folder, BUDGETS, cfg.dataset, table)
        refresh(folder / "README.md", folder / "results.csv")
    print(f"run_id={kept.run_id}")
    return table


def _record(kept: Any, stage: str, table: Any, cfg: Any) -> None:
    from omegaconf import OmegaConf

    figures = {}
    for row in table.dropna(subset=["tightness"]).to_dict("records"):
        case = f"{row['budgets']}/k_{row['k']}/{row['tightness']:g}/{row['method']}/{row['aim']}".replace(" ", "_")
        told = {name: float(row[name]) for name in ("expected", "served", "f1") if row[name] == row[name]}
        figures |= {f"{stage}/{case}/{name}": value for name, value in told.items()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "stores").mkdir()
        table.to_csv(folder / "stores" / "budgets.csv", index=False)
        kept.record(folder, figures)


if __name__ == "__main__":
    main()
