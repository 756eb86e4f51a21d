"""The commands of docs/serving.md work in their order in a fresh folder; what serves over HTTP is in ``test_http``."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from omniretail.registry import latency, promotion
from tests.commands import Done, command
from tests.conftest import ROOT

NOT_HERE = ("mlflow", "pip", "curl", "export", "  {")
SHORT = ("source.n_customers=150", "source.n_weeks=16", "evaluate=[test]")


def commands() -> list[str]:
    """The lines of the page's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/serving.md").read_text(), flags=re.DOTALL)
    lines = (line.partition("  #")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line and not line.startswith(NOT_HERE) and not line.startswith("{")]


def done(line: str, run_id: str) -> Done:
    """The line, run; the data is a small simulated shop, so that each run takes seconds."""
    if not line.startswith("python scripts/"):
        subprocess.run(line, shell=True, check=True)
        return Done(0, "", "")
    words = [word.strip("'") for word in re.findall(r"(?:'[^']*'|\S)+", line.replace("<id>", run_id))[1:]]
    words = ["source=simulate" if word == "source=complete_journey" else word for word in words]
    name = Path(words[0]).stem
    return command(name, *words[1:], *(SHORT if name == "train" else ()))


@pytest.mark.slow
def test_the_page_works_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "measured_latency", latency.measured_latency)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("OMNIRETAIL_CACHE", str(tmp_path / "cache"))
    run_id, refused = "", []
    for line in commands():
        end = done(line, run_id)
        refused += [line] if end.returncode else []
        run_id = next(iter(re.findall(r"^run_id=(\w+)", end.stdout, flags=re.MULTILINE)), run_id)
        assert not end.returncode or "action=promote" in line, f"{line}: {end.stdout[-2000:]} {end.stderr[-2000:]}"
    assert [line.rpartition("version=")[2] for line in refused] in ([], ["2"]), "only what the page calls refused"
    assert len(pd.read_parquet("recommendations.parquet")) == 2
    assert {path.suffix for path in Path("folder").iterdir()} >= {".onnx", ".parquet", ".usearch"}
    shutil.rmtree("folder")
