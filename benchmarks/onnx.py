"""What a single request costs: SASRec by torch, by ONNX Runtime, and by ONNX Runtime with an index of the items."""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

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

_K = 100
_REQUESTS, _WARM = 1000, 50


def onnx(fold: Fold, epochs: int, dim: int) -> None:
    """Print the table: the best 100 items of one user at a time, the three ways in turns, each on torch's threads."""
    threads = torch.get_num_threads()
    model = SASRec(dim=dim, training=Training(epochs=epochs)).fit(fold.train)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scores = to_onnx(model, folder)
        said = export_embeddings(model, folder, fold.users, fold.user_ids, fold.train.items.ids)
        vectors = OnnxEncoder(to_onnx(model, folder, "vectors"), threads)
        by_onnx, index = OnnxRecommender(scores, threads), open_index(folder)
        ways = {
            "torch, all scores": lambda user: top_k(model.score(user), _K),
            "ONNX Runtime, all scores": lambda user: top_k(by_onnx.score(user), _K),
            "ONNX Runtime, vector, and the index": lambda user: search(index, vectors.embed(user), _K),
        }
        rows = np.random.default_rng(0).integers(0, len(fold.users), _REQUESTS + _WARM)
        spent = _in_turns(ways, [fold.users.take([row]) for row in rows])
        difference = check_onnx(model, scores, np.random.default_rng(1))
        looks = _looks(index, item_embeddings(model), user_embeddings(model, fold.users.take(rows)))
        size = scores.stat().st_size / 2**20
    _print(spent, f"SASRec (dim {dim}), {len(fold.train.items):,} items, {threads} thread(s), {_REQUESTS:,} requests")
    print(f"\nlargest relative difference {difference:.1e}; the file has {size:.1f} MiB")
    print(f"index of the default: recall@10 {said['recall_at_10']:.3f}, recall@100 {said['recall_at_100']:.3f}\n")
    print(looks)


def _looks(index: Any, items: np.ndarray, users: np.ndarray) -> str:
    """What is found and what it costs, by how many candidates a search looks at."""
    rows = ["| expansion_search | recall@10 | recall@100 | p50 of a search, ms |", "|--:|--:|--:|--:|"]
    for index.expansion_search in (64, 128, 256, 512):
        found = [recall(index, items, users, k) for k in (10, 100)]
        spent = [_ms(partial(search, index, user, _K)) for user in users]
        rows.append(f"| {index.expansion_search} | {found[0]:.3f} | {found[1]:.3f} | {np.median(spent):.2f} |")
    return "\n".join(rows)


def _in_turns(ways: Mapping[str, Callable[[Histories], object]], users: list[Histories]) -> dict[str, np.ndarray]:
    """Milliseconds of each request and way; what disturbs the machine disturbs all of them."""
    spent = {name: np.empty(len(users)) for name in ways}
    for number, user in enumerate(users):
        for name, way in ways.items():
            spent[name][number] = _ms(partial(way, user))
    return {name: each[_WARM:] for name, each in spent.items()}


def _ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def _print(spent: Mapping[str, np.ndarray], title: str) -> None:
    first = np.median(next(iter(spent.values())))
    print(f"{title}\n\n| the best {_K} of one user by | p50, ms | p99, ms | torch's p50 / this |\n|---|--:|--:|--:|")
    for name, each in spent.items():
        print(f"| {name} | {np.median(each):.2f} | {np.quantile(each, 0.99):.2f} | {first / np.median(each):.1f} |")
