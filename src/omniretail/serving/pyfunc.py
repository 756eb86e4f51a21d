"""MLflow's entry: ``mlflow models serve`` and ``mlflow.pyfunc.load_model`` call ``_load_pyfunc``."""

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import yaml

from omniretail.serving.bundle import kind_of, read_recommender
from omniretail.serving.manifest import BundleError
from omniretail.serving.recommender import RecommenderService
from omniretail.serving.response import ResponseService, read_response
from omniretail.serving.validation import RequestError

log = logging.getLogger(__name__)

_REGISTRY_NOTE = "registered_model_meta"


class Service(Protocol):
    """Answers requests, one per row, from any number of threads."""

    def example(self) -> pd.DataFrame:
        """A few requests of every kind, for people to read and for tools to try."""
        ...

    def text_fields(self) -> set[str]:
        """Fields whose values are text, even where they look like numbers."""
        ...

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The answers, row by row.

        Raises:
            RequestError: naming the field that is not as it should be.
        """
        ...


def load_service(folder: Path, version: str = "", expected: str | None = None, command: str = "") -> Service:
    """Check a saved model file by file, read it, and let it answer its own example, which also fills its caches.

    Args:
        folder: of the bundle.
        version: name and version of the model, such as ``grocery/3``, for the answers.
        expected: see ``manifest.check``.
        command: see ``bundle.kind_of``.

    Raises:
        BundleError: where it cannot be trusted.
    """
    kind = kind_of(folder, expected, command)
    try:
        service = _read(kind, folder, version)
        service.predict(service.example())
    except BundleError:
        raise
    except Exception as error:  # whatever fails where another version of the code saved the model
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BundleError(
            f"{folder} cannot be read or does not answer ({reason}): refused; where another version of omniretail "
            "saved it, train and register it again"
        ) from error
    return service


def _read(kind: str, folder: Path, version: str) -> Service:
    if kind == "recommender":
        return RecommenderService(read_recommender(folder), version)
    if kind == "profile":
        from omniretail.serving.profile import ProfileService  # imports LightGBM, and DuckDB for tags
        from omniretail.serving.profile_bundle import read_profile

        return ProfileService(read_profile(folder), version)
    if kind in ("response", "uplift"):
        return ResponseService(read_response(folder), version)
    raise BundleError(f"{folder} holds a {kind}, which this omniretail cannot serve; update it")


class _Pyfunc:
    """A service as MLflow calls it: a mistake of the client is HTTP 400."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

        try:
            return self.service.predict(pd.DataFrame(model_input))
        except RequestError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None
        except Exception:  # MLflow would answer with the stack trace, and with the paths in it
            log.exception("a request could not be answered")
            raise MlflowException("the request could not be answered; the server's log says why") from None


def _load_pyfunc(path: str) -> _Pyfunc:
    """MLflow's entry for a ``loader_module``; ``path`` is the bundle."""
    _hide_stack_traces()
    folder = Path(path)
    return _Pyfunc(load_service(folder, _version(folder)))


def _hide_stack_traces() -> None:
    """Let MLflow's server, where this is one, answer what it cannot parse without its stack trace and paths."""
    server: Any = sys.modules.get("mlflow.pyfunc.scoring_server")
    if server is not None and not isinstance(server._handle_serving_error, partial):
        server._handle_serving_error = partial(server._handle_serving_error, include_traceback=False)


def _version(folder: Path) -> str:
    """``name/version`` where the model came from a registry, which leaves a note in the model's own folder."""
    note = next((parent / _REGISTRY_NOTE for parent in folder.parents[:2] if (parent / _REGISTRY_NOTE).is_file()), None)
    if note is None:
        return ""
    registered = yaml.safe_load(note.read_text())
    return f"{registered['model_name']}/{registered['model_version']}"
