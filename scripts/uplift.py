"""Who buys because of the coupon: learn from past campaigns with a random control group, rank for the last one.

python scripts/uplift.py source=simulate source.n_customers=20000

Rows are customers known when a campaign began; what is sought is who bought in its time because it sent the coupon. The
page holds the Qini curves, and what each ranking spends on customers who would have bought anyway.

Own arguments, besides those of scripts/train.py:
  learners=s_learner,x_learner   files of configs/model/uplift; default: all
  stage=val                      judge by the last campaign but one, to choose; default: test, the last one
  experiment=experiments/013_…   put the figures of this simulated world into that folder's table
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OWN = {"learners": "", "stage": "test", "experiment": ""}
ALL = ("chance", "response", "s_learner", "t_learner", "x_learner", "class_transformation", "two_forests")
TRUE = "the true effect"


def main() -> None:
    """Learn, rank, judge, write the page."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        judge(own, overrides)
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
    named = {name.lstrip("+") for name, _, _ in words}
    source = [] if "source" in named else ["source=simulate"]
    return own, [*source, *("".join(each) for each in words if each[0] not in OWN)]


def judge(own: dict[str, str], overrides: Sequence[str]) -> Path:
    """Load, learn, rank, judge, write, track; the page's path is returned."""
    from hydra.utils import instantiate
    from rich.console import Console

    from omniretail.config import compose
    from omniretail.o2o.uplift.evaluate import balance, coupon_figures, ranking_figures
    from omniretail.o2o.uplift.experiment_rows import campaigns, experiment
    from omniretail.report.pages.uplift import uplift_terminal, write_uplift
    from omniretail.sources.protocol import load
    from omniretail.tracking import tracked

    cfg = compose(*overrides)
    source = instantiate(cfg.source)
    tables = load(source, Path(cfg.cache_dir))
    offers: Any = campaigns(tables)
    last = len(offers) - (2 if own["stage"] == "val" else 1)
    past = offers[: max(last, 0)]
    past = past[past.end <= offers.start[last]] if last > 0 else past
    if past.empty:
        raise ValueError(f"stage={own['stage']}: no campaign was over when the one to judge by began")
    learned, judged = experiment(tables, past), experiment(tables, offers[last : last + 1])
    models = _fitted(own["learners"], overrides, learned)
    x = judged.x.reindex(columns=learned.x.columns)
    scores = {name: model.predict(x.to_numpy(float)) for name, model in models.items()}
    if hasattr(source, "world"):
        scores[TRUE] = source.world().effect(int(judged.offer_id[0]) - 1)[judged.user_id - 1]
    rankings, coupons = ranking_figures(judged, scores), coupon_figures(judged, scores)
    told = balance(learned)
    page = Path("reports") / f"uplift_{cfg.dataset}.html"
    write_uplift(page, tables.card, learned, judged, scores, rankings, coupons, told)
    Console(highlight=False).print(*uplift_terminal(tables.card, learned, judged, rankings, coupons, told))
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "stage": own["stage"], "seed": str(cfg.seed)}
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, "uplift", params) as kept:
        _record(kept, own["stage"], rankings, coupons, told, page, cfg)
        for model in models.values():
            if hasattr(model, "predict_uplift") and own["stage"] == "test":
                _keep(kept, model, learned, judged, rankings, tables, cfg)
        run_id = kept.run_id
    if own["experiment"]:
        _add_world(Path(own["experiment"]), cfg, rankings, coupons, len(judged))
    print(f"page={page}\nrun_id={run_id}")
    return page


def _fitted(asked: str, overrides: Sequence[str], learned: Any) -> dict[str, Any]:
    from hydra.utils import instantiate
    from tqdm import tqdm

    from omniretail.config import compose

    fitted = {}
    for name in tqdm(asked.split(",") if asked else ALL, desc="learn", unit="learner"):
        model = instantiate(compose(*overrides, f"model=uplift/{name.strip()}").model)
        fitted[type(model).__name__] = model.fit(learned.x.to_numpy(float), learned.treated, learned.y)
    return fitted


def _record(kept: Any, stage: str, rankings: Any, coupons: Any, told: float, page: Path, cfg: Any) -> None:
    from omegaconf import OmegaConf

    figures = {
        f"{stage}/{row['ranking'].replace(' ', '_')}/{name}": float(value)
        for row in rankings.to_dict("records")
        for name, value in row.items()
        if name != "ranking" and value == value
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (folder / "uplift").mkdir()
        rankings.to_csv(folder / "uplift" / "rankings.csv", index=False)
        coupons.to_csv(folder / "uplift" / "coupons.csv", index=False)
        (folder / "uplift" / page.name).write_bytes(page.read_bytes())
        kept.record(folder, figures | {f"{stage}/balance_auc": told})


def _keep(kept: Any, model: Any, learned: Any, judged: Any, rankings: Any, tables: Any, cfg: Any) -> None:
    """A model that can be served, so that scripts/export.py registers it; judged as a response model beside uplift."""
    from omegaconf import OmegaConf

    from omniretail.bundles import as_response, keep_response
    from omniretail.tracking import record_results

    settings = {"source": tables.card.title, "data": tables.version, "split": "the last campaign", "policy": ""}
    result = as_response(model, learned, judged, rankings, {**settings, "seed": str(cfg.seed), "parameters": ""})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        keep_response(folder / "model", model, learned.x)
        record_results(kept, [result], OmegaConf.to_yaml(cfg, resolve=True), tables, {}, folder)


def _add_world(folder: Path, cfg: Any, rankings: Any, coupons: Any, customers: int) -> None:
    from omniretail.report import refresh
    from omniretail.report.tables.uplift_over_seeds import add_world, of_world

    if "seed" not in cfg.source:
        raise ValueError("experiment= collects simulated worlds, told apart by source.seed: take source=simulate")
    add_world(of_world(cfg.source.seed, rankings, coupons, customers), folder / "results.csv")
    refresh(folder / "README.md", folder / "results.csv")


if __name__ == "__main__":
    main()
