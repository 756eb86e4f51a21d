"""What commands return to Hydra's sweepers: the objective."""

import pytest
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback

from tests.commands import command
from tests.search.conftest import STORAGE

RETURNED: list[object] = []


class Returned(Callback):
    """Keeps what jobs return."""

    def on_job_end(self, config: object, job_return: JobReturn, **kwargs: object) -> None:
        RETURNED.append(job_return.return_value)


@pytest.mark.slow
@pytest.mark.usefixtures("own_folder")
def test_the_objective_is_returned() -> None:
    RETURNED.clear()
    words = ["source=csv", "source.path=log.csv", "model=recommender/popular"]
    listener = "+hydra.callbacks.returned._target_=tests.search.test_returned.Returned"
    assert command("train", *words, listener, "evaluate=[val]").returncode == 0
    done = command("search", *words, listener, f"search.storage={STORAGE}", "search.n_trials=1", "search.seeds=0")
    assert done.returncode == 0, done.stderr
    trained, searched = RETURNED
    assert isinstance(trained, float)
    assert 0 < trained < 1
    assert trained == searched  # the only trial is the default
