"""Every benchmark, shortened: it runs, and its figures are about what it says."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from benchmarks.__main__ import WHAT, main

from tests.conftest import ROOT

SMALL = ["source=simulate", "source.n_customers=150", "source.n_weeks=14"]
COMMANDS = {
    "views": [*SMALL],
    "evaluation": [*SMALL],
    "training": [*SMALL, "--models=sasrec_sampled", "--epochs=1", "--dim=8"],
    "profiles": [*SMALL, "--models=svd", "--customers=5000"],
    "lifetime": ["--customers=20000"],
    "allocation": ["--users=500", "--places=10", "--exact"],
    "tianchi": ["--offline=5000", "--online=5000", "--test=500"],
    "onnx": [*SMALL, "--epochs=1", "--dim=8", "--requests=5"],
    "serving": [*SMALL, "--models=ease", "--clients=2", "--requests=10"],
    "recbole_cost": ["--models=BPR", "--epochs=1", "--repeat=1", "--users=50", "--items=60"],
    "recbole_support": ["--models=BPR", "--epochs=1"],
}
EXPECTED = {
    "views": r"^source=.*, 3,294 training events: cold \d+\.\d+ s, from the cache \d+\.\d+ s, peak [\d,]+ MiB$",
    "evaluation": r"^source=simulate .*, \d\d+ users x 693 items, \d+ metrics at k = .* s besides scoring$",
    "training": r": 118 users, 693 items, 3,294 events; dim 8.*\n\n.*\n.*\n\| sasrec_sampled \| \d+\.\d\d \| ",
    "profiles": r"^svd: fit .* s of CPU\); 118 customers x 32 embedded .*\n5,000 customers: BG/NBD fit",
    "lifetime": r"^20,000 customers: .*\nfitted .*: r 0\.2\d+ \(0\.2426\).*\nfitted .*: p 6\.\d+ \(6\.25\)",
    "allocation": r"greedy .* 118\.8\nauction .* 119\.\d, at most 0\.\d+% missing\noptimal .* 119\.1, at most 0\.0000%",
    "tianchi": r"^10,500 generated rows to 10,739 events(.*\n)+mean AUC per coupon, on generated data: 0\.6\d+$",
    "onnx": r"\| torch, all scores .*\n\| ONNX Runtime, all scores(.*\n)+largest relative difference \d\.\de-0[5-9]",
    "serving": r"118 users.*\nease: cold load .* users a second\nease over HTTP, 2 clients, 10 requests: .*, 0 errors$",
    "recbole_cost": r"^\| BPR \| \d+\.\d \| \d+\.\d \| \d+\.\d\d \|$",
    "recbole_support": r"Popular, ours\* .* 0\.2047 \|\n.*PersonalTop, ours\* .* 0\.3179 \|\n\| BPR \| .* 0\.0\d+ \|",
}
SLOW = {"tianchi", "onnx", "training", "serving", "recbole_cost", "recbole_support"}


def test_every_benchmark_is_tested_and_has_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(WHAT) == set(COMMANDS) == set(EXPECTED)
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert re.findall(r"^  (\S+) +\S.*$", capsys.readouterr().out, re.MULTILINE) == list(WHAT)
    with pytest.raises(SystemExit, match="error: no benchmark speed"):
        main(["speed"])


@pytest.mark.parametrize("what", [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOW)) for each in WHAT])
def test_runs(what: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = [what, *COMMANDS[what]]
    if what.startswith("recbole") and find_spec("recbole") is None:
        pytest.skip("RecBole is not installed")
    if what == "recbole_support":
        arguments += [f"--docs={shutil.copy(ROOT / 'docs' / 'recbole.md', tmp_path)}"]
    main(arguments)
    assert re.search(EXPECTED[what], capsys.readouterr().out.strip(), re.MULTILINE)


@pytest.mark.slow
def test_a_large_csv_beside_pandas_and_duckdb(capsys: pytest.CaptureFixture[str]) -> None:
    main(["views", "--rows=2000"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["2,000", "omniretail", "pandas", "DuckDB"]
    assert all(re.search(r" s \(.* s of processor\), peak [\d,]+ MiB: ", line) for line in lines[1:])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("recbole") is None, reason="RecBole is not installed")
def test_training_beside_recbole(capsys: pytest.CaptureFixture[str]) -> None:
    small = [*SMALL, "--models=sasrec_softmax", "--epochs=1", "--dim=8"]
    main(["training", *small, "--peers=recbole", "--peer-batches=1"])
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert rows[0].startswith("| RecBole SASRec, softmax (scaled up from 1 of 2 batches) | ")
    assert float(rows[1].split("|")[-2]) > 0


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(SystemExit, match="bert4rec not among sasrec_softmax, sasrec_sampled"):
        main(["training", *SMALL, "--models=bert4rec"])
