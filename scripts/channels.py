"""Does the other channel help? One channel alone, both together, and customers new to one of them, in both directions.

python scripts/channels.py source=amazon_cross_domain pairs=sport-cloth,phone-electronic models=channel_walk

Each pair of channels is judged in both directions: its items are ranked with the target's log alone and with both, all
of them and among 999 negatives as papers do, by group of customers; a warning says where the other channel hurts.

Own arguments, besides those of scripts/train.py (split, policy, source.…):
  models=channel_walk,user_knn   files of configs/model/recommender; default: channel_walk
  pairs=sport-cloth              channels to judge, each pair in both directions; default: the source's target and other
  stage=val                      to choose settings; default: test
  n_negatives=999                of the sampled protocol
  new_share=0.2                  of the judged customers, made new to the target
  settings=tuned.yaml            settings of each model by target (or ``any``) and by what it knows, alone or both:
                                 {channel_walk: {sport: {both: {other_weight: 0.2}}}}
  csv=results.csv                write the scorecard there as well
"""

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OWN = {"models": "channel_walk", "pairs": "", "stage": "test", "n_negatives": "999", "new_share": "0.2"}
OWN |= {"settings": "", "csv": ""}
KNOWN = ("alone", "both")


def main() -> None:
    """Examine, print, write the page."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    from hydra.errors import HydraException  # here, so that --help does not wait for the numerical libraries

    from omniretail.run import USER_ERRORS

    try:
        own, overrides = arguments(sys.argv[1:])
        examine(own, overrides)
    except (*USER_ERRORS, HydraException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The script's own arguments, and the overrides of a run.

    Raises:
        ValueError: where one cannot be used.
    """
    words = [each.partition("=") for each in given]
    own = OWN | {name: value for name, _, value in words if name in OWN}
    if own["stage"] not in ("val", "test"):
        raise ValueError(f"stage={own['stage']}: choose val or test")
    if not own["n_negatives"].isdecimal() or int(own["n_negatives"]) < 1:
        raise ValueError(f"n_negatives takes a whole number from 1, not {own['n_negatives']}")
    for pair in filter(None, own["pairs"].split(",")):
        if len(pair.split("-")) != 2:
            raise ValueError(f"pairs={pair}: name two channels with a hyphen between, such as sport-cloth")
    named = {name.lstrip("+") for name, _, _ in words}
    source = [] if "source" in named else ["source=amazon_cross_domain"]
    return own, [*source, *("".join(each) for each in words if each[0] not in OWN)]


def examine(own: dict[str, str], overrides: Sequence[str]) -> Path:
    """Load, examine every model in every direction, write, track; the page's path is returned."""
    from rich.console import Console

    from omniretail.config import compose
    from omniretail.recommendation.cross_channel.scorecard import scorecard
    from omniretail.report.tables.cross_channel import channel_terminal, write_channels
    from omniretail.tracking import tracked

    first = compose(*overrides)
    judged: dict[tuple[str, str, str], Any] = {}
    cards = []
    params = {"dataset": first.dataset, "overrides": " ".join(overrides), **own}
    with tracked(first.tracking.uri, first.tracking.experiment, "channels", params) as kept:
        for target, other in _directions(own["pairs"], first):
            found, data = _direction(own, overrides, target, other)
            judged |= found
            cards.append(data)
        card = scorecard(judged)
        page = Path("reports") / f"channels_{first.dataset}.html"
        write_channels(page, card, cards, _facts(own, overrides))
        Console(highlight=False, width=160).print(*channel_terminal(card))
        if own["csv"]:
            card.to_csv(own["csv"], index=False)
        _record(kept, own["stage"], card, page)
        run_id = kept.run_id
    print(f"page={page}\nrun_id={run_id}")
    return page


def _directions(pairs: str, cfg: Any) -> list[tuple[str, str]]:
    named = [pair.split("-") for pair in pairs.split(",")] if pairs else [[cfg.target, cfg.other]]
    return [direction for one, other in named for direction in ((one, other), (other, one))]


def _direction(own: dict[str, str], overrides: Sequence[str], target: str, other: str) -> tuple[dict, Any]:
    """Every model on one target: (target, other, model) -> its rows; and the data's card."""
    from hydra.utils import instantiate
    from tqdm import tqdm

    from omniretail.config import compose
    from omniretail.recommendation.cross_channel.evaluate import ChannelExamination
    from omniretail.sources.protocol import load
    from omniretail.views.cached import load_fold

    here = [*overrides, f"target={target}", f"other={other}"]
    cfg = compose(*here)
    cache = Path(cfg.cache_dir)
    tables = load(instantiate(cfg.source), cache)
    fold = load_fold(tables, instantiate(cfg.split), "val" if own["stage"] == "val" else "test", cache)
    examination = ChannelExamination(
        target, instantiate(cfg.policy), int(own["n_negatives"]), float(own["new_share"]), cfg.seed, cfg.memory_mb
    )
    found = {}
    for name in tqdm(own["models"].split(","), desc=f"{other} → {target}", unit="model", leave=False, disable=None):
        alone, both = (
            instantiate(compose(*here, *_model(name, target, known, own["settings"])).model) for known in KNOWN
        )
        label = getattr(both, "label", type(both).__name__)
        found[target, other, label] = examination.take(alone, both, fold)
    return found, tables.card


def _model(name: str, target: str, known: str, settings: str) -> list[str]:
    """Overrides that make a model with the settings asked for."""
    from omegaconf import OmegaConf

    asked: Any = OmegaConf.to_container(OmegaConf.load(settings)) if settings else {}
    of_model = asked.get(name, {})
    chosen = {**of_model.get("any", {}).get(known, {}), **of_model.get(target, {}).get(known, {})}
    return [f"model=recommender/{name}", *(f"model.{key}={json.dumps(value)}" for key, value in chosen.items())]


def _facts(own: dict[str, str], overrides: Sequence[str]) -> dict[str, str]:
    asked = {"Stage": own["stage"], "Negatives": own["n_negatives"], "Share made new": own["new_share"]}
    return asked | {"Settings": " ".join(overrides)}


def _record(kept: Any, stage: str, card: Any, page: Path) -> None:
    shown = ("ndcg_alone", "ndcg_both", "hit_rate_alone", "hit_rate_both", "p_holm")
    figures = {}
    for row in card.to_dict("records"):
        place = (stage, *(row[name] for name in ("target", "model", "protocol", "group")))
        figures |= {_name(*place, key): float(row[key]) for key in shown if row[key] == row[key]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "channels"
        folder.mkdir()
        card.to_csv(folder / "scorecard.csv", index=False)
        (folder / page.name).write_bytes(page.read_bytes())
        kept.record(Path(temporary), figures)


def _name(*parts: str) -> str:
    """A metric's name of the characters that MLflow takes."""
    return "/".join(re.sub(r"[^\w.-]+", "_", str(part)).strip("_") for part in parts)


if __name__ == "__main__":
    main()
