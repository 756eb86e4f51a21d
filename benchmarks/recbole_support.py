"""What runs of RecBole, how long and how well: the table of docs/recbole.md."""

import dataclasses
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from benchmarks.arguments import names, parser
from omniretail.config import compose, make
from omniretail.dataset import Dataset
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.scoring import needs_known_users
from omniretail.models.recommenders.recbole.zoo import ZOO
from omniretail.schema import Tables
from omniretail.sources.protocol import load
from omniretail.tasks import Task

DOCS = Path(__file__).parents[1] / "docs" / "recbole.md"
N_USERS, N_ITEMS, SINCE = 500, 1500, "2017-11-13"
SHORT_SEQUENCES = {"MAX_ITEM_LIST_LENGTH": 10}
HEAD = "| model | family | runs | serves | fit, s | NDCG@10 |\n|---|---|---|---|--:|--:|\n"


def main(arguments: list[str]) -> None:
    """Go through the models, and rewrite the table after each."""
    options = parser("recbole_support", __doc__)
    every = [name for name, family in ZOO.items() if family != "context"]
    options.add_argument("--models", type=names, default=every, help="beside two baselines of ours")
    options.add_argument("--epochs", type=int, default=3, help="for every model that is trained")
    options.add_argument("--docs", type=Path, default=DOCS, help="page whose table is rewritten")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as cache:
        cfg = compose("source=complete_journey")
        tables = load(make(cfg.source), Path(cache))
        task, data = make(cfg.task), Dataset(_sliced(tables), make(cfg.split))
        lines: list[str] = []
        for line in _lines(task, data, chosen.models, chosen.epochs):
            print(line, flush=True)
            lines.append(line)
            _write(HEAD + "\n".join(lines), chosen.docs)


def _sliced(tables: Tables) -> Tables:
    """The first households by number, the products bought most often, the last weeks."""
    events = tables.events
    households = events.select("user_id").distinct().order_by("user_id").limit(N_USERS)
    products = events.group_by("item_id").agg(n=_.count()).order_by(ibis.desc("n"), "item_id").limit(N_ITEMS)
    chosen = events.semi_join(households, "user_id").semi_join(products, "item_id")
    return dataclasses.replace(tables, events=chosen.filter(_.timestamp >= ibis.timestamp(SINCE)))


def _lines(task: Task, data: Dataset, models: list[str], epochs: int) -> Iterator[str]:
    for baseline in (Popular(), PersonalTop()):
        yield _line(task, data, baseline, f"| *{type(baseline).__name__}, ours* | | yes | any history |")
    for name in models:
        family: Any = ZOO[name]
        model = RecBole(name, SHORT_SEQUENCES if family == "sequential" else {}, epochs=epochs)
        serves = "training users" if needs_known_users(name) else "any history"
        yield _line(task, data, model, f"| {name} | {family} | yes | {serves} |")


def _line(task: Task, data: Dataset, model: Recommender, beginning: str) -> str:
    try:
        result = task.evaluate(model, data, "test").result
    except Exception as error:  # whatever RecBole raises belongs in the table
        reason = re.sub(r"\s+", " ", str(error)) or type(error).__name__
        return beginning.replace("| yes |", f"| no: {reason} |") + " | |"
    return f"{beginning} {result.cost['fit_s']:.1f} | {result.value('ndcg_at_10'):.4f} |"


def _write(table: str, docs: Path) -> None:
    """Put the table between its two marks."""
    text = docs.read_text(encoding="utf-8")
    page = re.sub(r"(<!-- support -->\n).*(\n<!-- /support -->)", lambda m: m[1] + table + m[2], text, flags=re.DOTALL)
    docs.write_text(page, encoding="utf-8")
