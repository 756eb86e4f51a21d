"""Which store next: models above the simple rules, each asked of the first visit and of all, time given or not.

python scripts/stores.py source=complete_journey
python scripts/stores.py source=simulate source.n_customers=5000 models=faded,boosted

Everything is known at the cutoff; customers who visit a store in the window after it are judged, each counting once. A
simulated retailer is asked too, for the chances that visits were drawn with.

Own arguments, besides those of scripts/train.py:
  models=faded,boosted          files of configs/model/store; default: all
  stage=val                     to choose; default: test
  experiment=experiments/015_stores   put the tables into that folder's results.csv and README
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ALL = ("popular", "last", "most_frequent", "faded", "usual", "boosted")
TRUTH = "the truth"
OWN = {"models": ",".join(ALL), "stage": "test", "experiment": ""}


def main() -> None:
    """Learn, ask, print, keep."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        ask(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where a stage is none.
    """
    words = [each.partition("=") for each in given]
    own = OWN | {name: value for name, _, value in words if name in OWN}
    if own["stage"] not in ("val", "test"):
        raise ValueError(f"stage={own['stage']}: choose val or test")
    return own, ["".join(each) for each in words if each[0] not in OWN]


def ask(own: dict[str, str], overrides: Sequence[str]) -> Any:
    """Load, learn, ask, print, track; the table is returned."""
    from hydra.utils import instantiate
    from rich.console import Console
    from tqdm import tqdm

    from omniretail.config import compose
    from omniretail.models.stores.oracle import StoreOracle
    from omniretail.o2o.stores.evaluate import ALL as EVERYBODY
    from omniretail.o2o.stores.evaluate import examine, store_table
    from omniretail.report.tables.plain import plain_terminal
    from omniretail.report.tables.render import refresh
    from omniretail.report.tables.stores import GROUPS, NEXT, group_cells, keep_part, next_cells
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked
    from omniretail.views.stores.visit_log import load_stage

    cfg: Any = compose(*overrides)
    stage: Any = own["stage"]
    models, source = _models(own["models"], overrides), instantiate(cfg.source)
    tables = load(source, Path(cfg.cache_dir))
    log, asked, stores = load_stage(tables, instantiate(cfg.split), stage, Path(cfg.cache_dir))
    if hasattr(source, "world"):
        models[TRUTH] = StoreOracle(source.world(), stores)
    fitted = {name: model.fit(log) for name, model in tqdm(models.items(), desc="learn", unit="model", delay=3)}
    table = store_table(examine(fitted, log, asked))
    params = {"dataset": cfg.dataset, "stage": stage, "models": own["models"], "seed": str(cfg.seed)}
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, "which store next", params) as kept:
        _record(kept, stage, table, cfg)
    everybody = table.group == EVERYBODY
    parts = {NEXT: table.loc[everybody], GROUPS: table.loc[~everybody]}
    console = Console(highlight=False)
    new = f"{(asked.visits.store < 0).sum():,} to new stores, {(asked.visits.row < 0).sum():,} of new customers"
    console.print(f"{tables.card.title}: {len(asked):,} visits in the {stage} window, {new}")
    console.print(plain_terminal(next_cells(parts[NEXT])), plain_terminal(group_cells(parts[GROUPS])))
    console.print(tables.card.note, style="italic")
    if own["experiment"]:
        folder = Path(own["experiment"])
        for part, rows in parts.items():
            keep_part(folder, part, cfg.dataset, rows)
        refresh(folder / "README.md", folder / "results.csv")
    print(f"run_id={kept.run_id}")
    return table


def _models(asked: str, overrides: Sequence[str]) -> dict[str, Any]:
    from hydra.utils import instantiate

    from omniretail.config import compose

    names = [each.strip() for each in asked.split(",")]
    return {name.replace("_", " "): instantiate(compose(*overrides, f"model=store/{name}").model) for name in names}


def _record(kept: Any, stage: str, table: Any, cfg: Any) -> None:
    from omegaconf import OmegaConf

    from omniretail.o2o.stores.evaluate import FIGURES

    figures = {
        "/".join([stage, *(str(row[name]).replace(" ", "_").replace(",", "") for name in names), figure]): row[figure]
        for row in table.to_dict("records")
        for names in [("model", "question", "group")]
        for figure in FIGURES
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "stores").mkdir()
        table.to_csv(folder / "stores" / "next.csv", index=False)
        kept.record(folder, figures)


if __name__ == "__main__":
    main()
