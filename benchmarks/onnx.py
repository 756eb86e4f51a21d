"""One request to SASRec by torch, ONNX Runtime, and ONNX Runtime with an index of items: milliseconds."""

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.arguments import fold_of, parser, seconds
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.top_k import top_k
from omniretail.models.training import Training
from omniretail.registry.formats.ann_index import recall
from omniretail.registry.formats.embeddings import export_embeddings, item_embeddings, user_embeddings
from omniretail.registry.formats.onnx import to_onnx
from omniretail.registry.formats.onnx_check import check_onnx
from omniretail.serving.ann_index import open_index, search
from omniretail.serving.onnx_runtime import OnnxEncoder, OnnxRecommender
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories

_K, _WARM_UP = 100, 50


def main(arguments: list[str]) -> None:
    """Print the table: the best 100 items of one user at a time, in the three ways alternately, on torch's threads."""
    options = parser("onnx", __doc__, "source=beauty")
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--dim", type=int, default=64)
    options.add_argument("--requests", type=int, default=1000)
    chosen = options.parse_intermixed_args(arguments)
    with fold_of(chosen.settings) as fold, tempfile.TemporaryDirectory() as folder:
        model = SASRec(dim=chosen.dim, training=Training(max_epochs=chosen.epochs)).fit(fold.train)
        _measure(model, fold, chosen.requests, Path(folder))


def _measure(model: SASRec, fold: Fold, n_requests: int, folder: Path) -> None:
    threads = torch.get_num_threads()
    scores = to_onnx(model, folder)
    exported = export_embeddings(model, folder, fold.users, fold.user_ids, fold.train.items.ids)
    vectors = OnnxEncoder(to_onnx(model, folder, "vectors"), threads)
    by_onnx, index = OnnxRecommender(scores, threads), open_index(folder)
    ways = {
        "torch, all scores": lambda user: top_k(model.score(user), _K),
        "ONNX Runtime, all scores": lambda user: top_k(by_onnx.score(user), _K),
        "ONNX Runtime, vector, and the index": lambda user: search(index, vectors.embed(user), _K),
    }
    rows = np.random.default_rng(0).integers(0, len(fold.users), n_requests + _WARM_UP)
    spent = _alternately(ways, [fold.users.take([row]) for row in rows])
    difference = check_onnx(model, scores, np.random.default_rng(1))
    title = f"SASRec (dim {model.dim}), {len(fold.train.items):,} items, {threads} thread(s), {n_requests:,} requests"
    _print(spent, title)
    print(f"\nlargest relative difference {difference:.1e}; the file has {scores.stat().st_size / 2**20:.1f} MiB")
    recalls = ", ".join(f"recall@{k} {exported[f'recall_at_{k}']:.3f}" for k in (10, 100))
    print(f"index with default settings: {recalls}\n")
    print(_recall_by_expansion(index, item_embeddings(model), user_embeddings(model, fold.users.take(rows))))


def _recall_by_expansion(index: Any, items: np.ndarray, users: np.ndarray) -> str:
    """Recall and cost of a search by the number of candidates that it visits."""
    rows = ["| expansion_search | recall@10 | recall@100 | p50 of a search, ms |", "|--:|--:|--:|--:|"]
    for index.expansion_search in (64, 128, 256, 512):
        recalls = [recall(index, items, users, k) for k in (10, 100)]
        spent = [_ms(partial(search, index, user, _K)) for user in users]
        rows.append(f"| {index.expansion_search} | {recalls[0]:.3f} | {recalls[1]:.3f} | {np.median(spent):.2f} |")
    return "\n".join(rows)


def _alternately(ways: Mapping[str, Callable[[Histories], object]], users: list[Histories]) -> dict[str, np.ndarray]:
    """Milliseconds of each request by each way; a busy machine is busy for all of them."""
    spent = {name: np.empty(len(users)) for name in ways}
    for number, user in enumerate(users):
        for name, way in ways.items():
            spent[name][number] = _ms(partial(way, user))
    return {name: each[_WARM_UP:] for name, each in spent.items()}


def _ms(work: Callable[[], object]) -> float:
    return 1000 * seconds(work)


def _print(spent: Mapping[str, np.ndarray], title: str) -> None:
    first = np.median(next(iter(spent.values())))
    print(f"{title}\n\n| the best {_K} of one user by | p50, ms | p99, ms | torch's p50 / this |\n|---|--:|--:|--:|")
    for name, each in spent.items():
        print(f"| {name} | {np.median(each):.2f} | {np.quantile(each, 0.99):.2f} | {first / np.median(each):.1f} |")
