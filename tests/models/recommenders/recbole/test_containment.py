"""After RecBole has been used, the process and its folder are as they were."""

import logging
import os
import random
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import sparse

from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.containment import contained
from tests.models.recommenders.recbole.conftest import needs_recbole, shop

PARAMS = {"train_batch_size": 128, "MAX_ITEM_LIST_LENGTH": 8}


@needs_recbole
@pytest.mark.parametrize("name", ["EASE", "GRU4Rec", "S3Rec", "SINE"])
def test_nothing_is_left_behind(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "--learning_rate=7", "--epochs=100"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    before = traces()
    model = RecBole(name, PARAMS, epochs=1, patience=1).fit(shop())
    model.score(shop().histories)
    assert traces() == before
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")
    assert "ray" not in sys.modules


def traces() -> dict[str, object]:
    """All that RecBole is known to touch."""
    import torch

    root = logging.getLogger()
    return {
        "argv": list(sys.argv),
        "numpy": sorted(vars(np)),
        "numpy values": [vars(np).get(name) for name in ("bool", "long", "int", "float", "str", "object")],
        "dok": sorted(vars(sparse.dok_matrix)),
        "environment": dict(os.environ),
        "root": (list(root.handlers), list(root.filters), root.level),
        "yaml": vars(yaml.FullLoader).get("yaml_implicit_resolvers"),
        "python generator": random.getstate(),
        "numpy generator": [str(part) for part in import_module("numpy.random").get_state()],
        "torch generator": torch.get_rng_state().tolist(),
        "torch": (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()),
        "anomaly": torch.is_anomaly_enabled(),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic),
        "working folder": os.getcwd(),
    }


@needs_recbole
def test_what_was_changed_is_put_back_after_an_error_too() -> None:
    def fail() -> None:
        with contained(3):
            assert vars(np)["float_"] is np.float64
            raise RuntimeError("midway")

    before = sorted(vars(np)), list(sys.argv)
    with pytest.raises(RuntimeError, match="midway"):
        fail()
    assert (sorted(vars(np)), list(sys.argv)) == before


def test_the_rest_never_imports_recbole_or_torch() -> None:
    """Importing the project, its models, even this one, brings in neither."""
    code = (
        "import sys, omniretail.run, omniretail.models.recommenders.ease\n"
        "from omniretail.models.recommenders.recbole import RecBole\n"
        "RecBole('SASRec')\n"
        "print(sorted({'recbole', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
