"""A candidate's time beside the champion's, measured on real files in a process of its own."""

import shutil

import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from omniretail.registry.gate import Gate
from omniretail.registry.gate_checks import failed, latency_ratio
from omniretail.registry.latency import measured_latency
from omniretail.registry.promotion import promote
from omniretail.registry.register import register
from tests.registry.conftest import Registered


@pytest.fixture(autouse=True)
def _beside_the_store(registered: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the time of versions without files
    monkeypatch.chdir(registered.folder)


def test_a_model_is_as_fast_as_itself_however_busy_the_machine(registered: Registered) -> None:
    latency = measured_latency(registered.uri, "shop", "1", "1")
    assert latency.champion_median is not None
    assert 0 < latency.median <= latency.p99
    assert latency_ratio(latency, times=1.5).passed
    assert not latency_ratio(latency, times=0.5).passed


def test_the_first_version_is_measured_alone(registered: Registered) -> None:
    latency = measured_latency(registered.uri, "shop", "1")
    assert (latency.champion_median, latency.failure) == (None, "")
    outcome = promote(registered.uri, "shop", 1, Gate(max_latency_ms=1e-6), force="for the next test")
    assert [check.name for check in outcome.failed] == ["p99 latency"]
    MlflowClient(registered.uri).delete_registered_model_alias("shop", "champion")


def test_files_that_are_gone_are_a_check_that_fails(registered: Registered) -> None:
    number = register(registered.uri, registered.run_id, "shop")
    version = MlflowClient(registered.uri).get_model_version("shop", number)
    shutil.rmtree(download_artifacts(str(version.source), tracking_uri=registered.uri))
    latency = measured_latency(registered.uri, "shop", "1", number)
    (check,) = failed([latency_ratio(latency, 2.0)])
    assert f"shop/{number} has no files in" in check.measured
    assert "gate.max_latency_ratio=null" in check.way_out
