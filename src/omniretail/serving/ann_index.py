"""An index of item vectors for approximate nearest neighbour search by inner product."""

import json
from pathlib import Path

import numpy as np

try:
    import usearch
    from usearch.index import Index
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("an index needs usearch; install it with: pip install 'omniretail[onnx]'") from error

__all__ = ["ABOUT", "INDEX", "Index", "open_index", "search", "usearch"]

INDEX, ABOUT = "items.usearch", "index.json"


def search(index: Index, users: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the k items with the largest inner product, best first, and which places are filled; both (B, k)."""
    matches = index.search(np.atleast_2d(users), k, threads=1)
    keys = np.asarray(matches.keys).reshape(len(np.atleast_2d(users)), -1).astype(np.int64)
    counts = np.asarray(getattr(matches, "counts", [keys.shape[1]]))
    return keys, np.arange(keys.shape[1]) < counts[:, None]


def open_index(folder: Path) -> Index:
    """The index, as it was measured. Reading it runs no code.

    Raises:
        FileNotFoundError: where a file is missing.
    """
    for name in (INDEX, ABOUT):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}; export_embeddings writes it")
    settings = json.loads((folder / ABOUT).read_text())
    index = Index(
        ndim=settings["dim"],
        metric="ip",
        dtype="f32",
        connectivity=settings["connectivity"],
        expansion_add=settings["expansion_add"],
        expansion_search=settings["expansion_search"],
    )
    index.load(str(folder / INDEX))
    index.expansion_search = settings["expansion_search"]
    return index
