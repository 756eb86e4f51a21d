"""Networks in ONNX files, run by ONNX Runtime without torch; reading a file runs no code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.core.threads import n_threads
from omniretail.serving.onnx_inputs import Layout, groups, laid_out
from omniretail.views.histories import Histories

try:
    import onnxruntime
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "ONNX files are run by ONNX Runtime; install it with: pip install 'omniretail[onnx]'"
    ) from error

if TYPE_CHECKING:
    from omniretail.views.profile.basket_events import EventCoding

ABOUT = "omniretail"
"""Key of the file's metadata under which ``About`` stands, as JSON."""
CODING = "coding.npz"
"""File beside the network of a profile encoder: how baskets become codes and numbers."""

Output = Literal["scores", "vectors"]


@dataclass(frozen=True)
class About:
    """The metadata of a file.

    Attributes:
        model: the name of its class.
        output: scores of the catalogue, or vectors of users.
        width: numbers per user that come out: items, or dimensions.
        n_items: of the catalogue.
        n_users: of the training, where the network has vectors or attributes of them; 0: it reads no user index.
        layout: of the inputs.
        inputs: axes and meaning of each input, for readers of the file.
    """

    model: str
    output: Output
    width: int
    n_items: int
    n_users: int
    layout: Layout
    inputs: dict[str, str]


class OnnxRecommender:
    """The scoring half of a ``Recommender``, from a file.

    Args:
        path: written by ``registry.formats.onnx.to_onnx``.
        threads: of ONNX Runtime; 0: as many as the process may use.

    Raises:
        FileNotFoundError: where a file is missing.
        SettingsError: where it is not such a file, or gives vectors.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._network = _Network(path, threads)
        self.about = self._network.about
        if self.about.output != "scores":
            raise SettingsError(f"{path} gives vectors of users, not scores; open it with OnnxEncoder")

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list.

        Raises:
            SettingsError: where the histories are of another catalogue.
        """
        return self._network.run(users)


class OnnxEncoder:
    """Vectors of users, from a file: a profile encoder's, or those whose products with item vectors are scores.

    Args:
        path: written by ``registry.formats.onnx.to_onnx``.
        threads: of ONNX Runtime; 0: as many as the process may use.

    Raises:
        FileNotFoundError: where a file is missing.
        SettingsError: where it is not such a file, or gives scores.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._network = _Network(path, threads)
        self.about = self._network.about
        if self.about.output != "vectors":
            raise SettingsError(f"{path} gives scores, not vectors of users; open it with OnnxRecommender")

    def embed(self, users: Histories, at: int | np.ndarray = 0) -> np.ndarray:
        """See ``ProfileEncoder``; none of these networks depends on ``at``. A user without a history gets zeros."""
        return self._network.run(users)


class _Network:
    def __init__(self, path: Path, threads: int) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no file {path}; write one with omniretail.registry.formats.onnx.to_onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or n_threads()
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._names = [each.name for each in self._session.get_inputs()]
        self.about = _about(path, self._session.get_modelmeta().custom_metadata_map)
        self._coding = _coding(Path(path).parent / CODING) if self.about.layout.kind == "baskets" else None

    def run(self, users: Histories) -> np.ndarray:
        """A row per user; float32, shape (B, width)."""
        about = self.about
        if users.n_items != about.n_items:
            raise SettingsError(f"these histories are of {users.n_items} items, {about.model} is of {about.n_items}")
        if about.n_users and len(users) and users.user_idx.max() >= about.n_users:
            raise SettingsError(f"user_idx {users.user_idx.max()} is beyond the {about.n_users} users of the training")
        parts = list(groups(users))
        if len(parts) == 1:
            return self._run(users)
        rows = np.empty((len(users), about.width), dtype=np.float32)
        for part in parts:
            rows[part] = self._run(users.take(part))
        return rows

    def _run(self, users: Histories) -> np.ndarray:
        arrays = laid_out(users, self.about.layout, self._coding)
        return np.asarray(self._session.run(None, {name: arrays[name] for name in self._names})[0])


def _about(path: Path, metadata: dict[str, str]) -> About:
    if ABOUT not in metadata:
        raise SettingsError(
            f"{path} has no metadata on its inputs; write it with omniretail.registry.formats.onnx.to_onnx"
        )
    about = json.loads(metadata[ABOUT])
    return About(**(about | {"layout": Layout(**about["layout"])}))


def _coding(file: Path) -> "EventCoding":
    from omniretail.views.profile.basket_events import EventCoding

    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; it belongs beside the network of a profile encoder")
    with np.load(file, allow_pickle=False) as arrays:
        return EventCoding.from_arrays(dict(arrays))
