"""Try every RecBole model on a small real slice and write what runs, how long and how well into docs/recbole.md."""

import argparse
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import ibis
from hydra.utils import instantiate
from ibis import _

from omniretail.config import compose
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.scoring import needs_known_users
from omniretail.models.recommenders.recbole.zoo import ZOO
from omniretail.recommendation.evaluate import Examination
from omniretail.schema import Tables
from omniretail.sources.protocol import load
from omniretail.views.fold import Fold, fold

DOCS = Path(__file__).parents[1] / "docs" / "recbole.md"
N_USERS, N_ITEMS, SINCE = 500, 1500, "2017-11-13"
SHORT_SEQUENCES = {"MAX_ITEM_LIST_LENGTH": 10}
HEAD = "| model | family | runs | serves | fit, s | NDCG@10 |\n|---|---|---|---|--:|--:|\n"


def main() -> None:
    """Go through the models, writing the table anew after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3, help="for every model that is trained")
    parser.add_argument("--names", nargs="*", help="only these models; default: all, beside two floors of ours")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="where prepared data is kept")
    arguments = parser.parse_args()
    names = arguments.names or [name for name, family in ZOO.items() if family != "context"]
    slice_, examination = _prepared(arguments.cache)
    lines: list[str] = []
    for line in _lines(slice_, examination, names, arguments.epochs):
        print(line, flush=True)
        lines.append(line)
        _write(HEAD + "\n".join(lines))


def _prepared(cache: Path) -> tuple[Fold, Examination]:
    cfg = compose("source=complete_journey")
    tables = _sliced(load(instantiate(cfg.source), cache))
    cutoff = instantiate(cfg.split).cutoff(tables.events, "test")
    examination = Examination(instantiate(cfg.metrics), instantiate(cfg.policy), cfg.memory_mb, {})
    return fold(tables, cutoff), examination


def _sliced(tables: Tables) -> Tables:
    """The first households by number, the products bought most often, the last weeks."""
    events = tables.events
    households = events.select("user_id").distinct().order_by("user_id").limit(N_USERS)
    products = events.group_by("item_id").agg(n=_.count()).order_by(ibis.desc("n"), "item_id").limit(N_ITEMS)
    chosen = events.semi_join(households, "user_id").semi_join(products, "item_id")
    return dataclasses.replace(tables, events=chosen.filter(_.timestamp >= ibis.timestamp(SINCE)))


def _lines(slice_: Fold, examination: Examination, names: list[str], epochs: int) -> Iterator[str]:
    for floor in (Popular(), PersonalTop()):
        yield _tried(floor, f"| *{type(floor).__name__}, ours* | | yes | any history |", slice_, examination)
    for name in names:
        family = ZOO[name]
        model = RecBole(name, SHORT_SEQUENCES if family == "sequential" else {}, epochs=epochs)
        serves = "training users" if needs_known_users(name) else "any history"
        yield _tried(model, f"| {name} | {family} | yes | {serves} |", slice_, examination)


def _tried(model: Recommender, beginning: str, slice_: Fold, examination: Examination) -> str:
    try:
        result = examination.take(model, slice_, "test")
    except Exception as error:  # whatever RecBole raises is the finding
        reason = re.sub(r"\s+", " ", str(error)) or type(error).__name__
        return beginning.replace("| yes |", f"| no: {reason} |") + " | |"
    return f"{beginning} {result.fit_s:.1f} | {result.per_user.ndcg_at_10.mean():.4f} |"


def _write(table: str) -> None:
    """Put the table between its two marks."""
    text = DOCS.read_text(encoding="utf-8")
    made = re.sub(r"(<!-- support -->\n).*(\n<!-- /support -->)", lambda m: m[1] + table + m[2], text, flags=re.DOTALL)
    DOCS.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
