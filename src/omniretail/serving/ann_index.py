"""An index of item vectors, searched for the items of the largest product with a user's vector."""

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


def search(made: Index, users: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the k items of the largest product, best first, and which of them were found; both (B, k)."""
    matches = made.search(np.atleast_2d(users), k, threads=1)
    keys = np.asarray(matches.keys).reshape(len(np.atleast_2d(users)), -1).astype(np.int64)
    counts = np.asarray(getattr(matches, "counts", [keys.shape[1]]))
    return keys, np.arange(keys.shape[1]) < counts[:, None]


def open_index(folder: Path) -> Index:
    """The index, as it was measured. It is read as data: no pickle, no code.

    Raises:
        FileNotFoundError: where a file is missing.
    """
    for name in (INDEX, ABOUT):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}; export_embeddings writes it")
    said = json.loads((folder / ABOUT).read_text())
    made = Index(
        ndim=said["dim"],
        metric="ip",
        dtype="f32",
        connectivity=said["connectivity"],
        expansion_add=said["expansion_add"],
        expansion_search=said["expansion_search"],
    )
    made.load(str(folder / INDEX))
    made.expansion_search = said["expansion_search"]
    return made
