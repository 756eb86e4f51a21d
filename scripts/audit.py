"""Does anything after a moment reach what is said to be known at it? And what would it be worth if it did?

python scripts/audit.py source=complete_journey

Every view of configs/audit is made twice at each moment: from the log as it is, and from one in which what comes after
is another (events and redemptions removed, changed, added; other mailings). A view that does not stay bit-identical
leaks: its columns are named, and the command fails. Where the source has offers, response models are then trained with
and without features that look ahead. Takes what scripts/train.py takes; model= is an encoder of profiles (default:
profile/table), whose vectors are audited as well.

  audit.views.mine=shop.features.last_visit   a view of your own: a function of omniretail.audit.as_of.AsOf
  'audit.at=["2017-06-01"]'                   other moments, UTC
  audit.worth=[]                              no training

Own arguments:
  views=offers,tags                           these views only
  stage=val                                   train and judge on the validation window; default: test
  experiment=experiments/012_leaks            write what a leak is worth into that folder
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

OWN = {"views": "", "stage": "test", "experiment": ""}
DEFAULTS = {"model": "model=profile/table", "tags": "+tags=default", "audit": "+audit=default"}
MINE = "audit.views."


def main() -> None:
    """Audit, print, train, keep; fail where something leaks."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        leaking = examine(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    if leaking:
        sys.exit(f"error: {len(leaking)} of the views leak: {', '.join(leaking)}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where a stage is none.
    """
    words = [each.partition("=") for each in given]
    own = OWN | {name: value for name, _, value in words if name in OWN}
    if own["stage"] not in ("val", "test"):
        raise ValueError(f"stage={own['stage']}: choose val or test")
    named = {name.lstrip("+") for name, _, _ in words}
    defaults = [override for name, override in DEFAULTS.items() if name not in named]
    others = ["".join(each) for each in words if each[0] not in OWN]
    return own, [*defaults, *(f"++{each}" if each.startswith(MINE) else each for each in others)]


def examine(own: dict[str, str], overrides: Sequence[str]) -> list[str]:
    """Load, audit, train, print, track; names of the views that leak are returned."""
    from hydra.utils import instantiate
    from rich.console import Console

    from omniretail.audit.as_of import audit_times
    from omniretail.audit.detect import audit
    from omniretail.config import compose
    from omniretail.report.tables.leaks import audit_sentences, audit_terminal, leaks
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked

    cfg = compose(*overrides)
    views, tables = chosen(cfg, own["views"]), load(instantiate(cfg.source), Path(cfg.cache_dir))
    found = audit_times(tables, instantiate(cfg.split))
    asked = [datetime.fromisoformat(str(at)) for at in cfg.audit.at] if cfg.audit.at else found
    findings = [each for at in asked for each in audit(views, tables, at, seed=cfg.seed)]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(f"\n[bold]{tables.card.title}[/bold]\n")
    console.print(audit_terminal(findings))
    for sentence in audit_sentences(findings):
        console.print(sentence, markup=False)
    leak_value = _worth(cfg, own, overrides, tables, console)
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "views": ",".join(views), "stage": own["stage"]}
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, "audit", params) as kept:
        _record(kept, findings, leak_value, own, cfg)
        run_id = kept.run_id
    print(f"run_id={run_id}")
    return list(dict.fromkeys(each.view for each in leaks(findings)))


def chosen(cfg: Any, names: str) -> dict[str, Any]:
    """The views that were asked for, as functions.

    Raises:
        ValueError: where one is not known, or the model is no profile encoder.
    """
    from hydra.utils import instantiate

    if ".models.profiles." not in cfg.model._target_:
        name = cfg.model._target_.rpartition(".")[2]
        raise ValueError(f"{name} gives lists, not vectors of customers; choose a profile such as model=profile/table")
    asked = names.split(",") if names else list(cfg.audit.views)
    if unknown := [name for name in asked if name not in cfg.audit.views]:
        raise ValueError(f"views={unknown[0]}: there are {', '.join(cfg.audit.views)}")
    given = {name: cfg.audit.views[name] for name in asked}
    made = {name: {"_target_": view} if isinstance(view, str) else view for name, view in given.items()}
    return {name: instantiate(view, _partial_=True, _convert_="all") for name, view in made.items()}


def _worth(cfg: Any, own: dict[str, Any], overrides: Sequence[str], tables: Any, console: Any) -> Any:
    """What each leak is worth; None where nothing was asked for, or the source has no offers."""
    from functools import partial

    from hydra.utils import instantiate

    from omniretail.audit.leak_value import leak_value, task_of
    from omniretail.config import compose
    from omniretail.report.tables.leaks import worth_cells, worth_legend
    from omniretail.report.tables.plain import plain_terminal

    if not cfg.audit.worth or tables.offers is None:
        return None
    try:
        task = task_of(instantiate(compose(*overrides, "task=response").task), tables, own["stage"], Path(cfg.cache_dir))
    except ValueError as error:  # DataError is one
        console.print(f"No model was trained: {error}", markup=False)
        return None
    table = leak_value(task, {name: partial(_model, overrides, name) for name in cfg.audit.worth})
    console.print("\n[bold]What a leak is worth[/bold]\n")
    console.print(plain_terminal(worth_cells(table)))
    for sentence in worth_legend(table):
        console.print(sentence, style="dim", markup=False)
    return table


def _model(overrides: Sequence[str], name: str) -> Any:
    from hydra.utils import instantiate

    from omniretail.config import compose

    others = [each for each in overrides if not each.startswith("model")]
    return instantiate(compose(*others, f"model=response/{name}").model)


def _record(kept: Any, findings: Any, leak_value: Any, own: dict[str, str], cfg: Any) -> None:
    from dataclasses import asdict

    import pandas as pd
    from omegaconf import OmegaConf

    from omniretail.report import refresh
    from omniretail.report.tables.leaks import leaks

    figures = {"leaks": float(len(leaks(findings)))}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "audit").mkdir()
        pd.DataFrame([asdict(each) for each in findings]).to_csv(folder / "audit" / "findings.csv", index=False)
        if leak_value is not None:
            leak_value.to_csv(folder / "audit" / "worth.csv", index=False)
            for row in leak_value.to_dict("records"):
                figures[f"{own['stage']}/{row['model']}/{row['ahead']}/auc".replace("'", "").replace(" ", "_")] = row[
                    "auc"
                ]
        kept.record(folder, figures)
    if own["experiment"] and leak_value is not None:
        leak_value.to_csv(Path(own["experiment"]) / "results.csv", index=False)
        refresh(Path(own["experiment"]) / "README.md", Path(own["experiment"]) / "results.csv")


if __name__ == "__main__":
    main()
