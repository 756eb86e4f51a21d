"""From a run to the registry: what a version holds, and what is refused."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from omniretail.registry.register import register
from omniretail.serving.load_registered import load_registered
from omniretail.serving.manifest import MANIFEST, BundleError, seal, sha256
from omniretail.tracking.logged_models import model_id_of
from tests.registry.conftest import Registered


def saved_model(client: MlflowClient, run_id: str) -> Path:
    """Where the store has the files of the model that a run logged."""
    model = client.get_logged_model(model_id_of(client.get_run(run_id)))
    return Path(model.artifact_location.removeprefix("file://"))


@pytest.fixture(autouse=True)
def _beside_the_store(registered: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(registered.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registered.uri)


@pytest.fixture
def files(registered: Registered) -> Path:
    version = MlflowClient(registered.uri).get_model_version("shop", "1")
    return Path(download_artifacts(str(version.source), tracking_uri=registered.uri))


def test_tags_of_a_version(registered: Registered, files: Path) -> None:
    version = MlflowClient(registered.uri).get_model_version("shop", "1")
    assert version.run_id == registered.run_id
    assert version.tags["kind"] == "recommender"
    assert version.tags["manifest_sha256"] == sha256(files / "data/model" / MANIFEST)
    assert json.loads(version.tags["protocol"])["policy"] == "allow_seen"
    assert float(version.tags["latency_p99_ms"]) >= float(version.tags["latency_p50_ms"]) > 0


def test_the_card_holds_data_protocol_metrics_limits_and_the_command(registered: Registered, files: Path) -> None:
    card = (files / "model_card.md").read_text()
    for heading in ("Data", "Protocol", "Metrics", "Limits", "In service", "How to train it again"):
        assert f"\n## {heading}\n" in card
    assert registered.run_id in card
    assert "| NDCG@10 |" in card
    assert "events before" in card
    assert MlflowClient(registered.uri).get_model_version("shop", "1").description == card


def test_a_version_is_plain_files_with_slim_requirements(files: Path) -> None:
    kinds = {path.suffix for path in (files / "data").rglob("*") if path.is_file()}
    assert kinds <= {".json", ".npz", ".parquet", ".safetensors"}
    requirements = (files / "requirements.txt").read_text()
    assert "omniretail==" in requirements
    assert "numpy==" in requirements
    for heavy in ("lightning", "hydra", "recbole", "completejourney", "torch", "duckdb"):
        assert heavy not in requirements


def test_mlflow_loads_it_and_it_answers_as_the_service_does(registered: Registered) -> None:
    loaded = mlflow.pyfunc.load_model("models:/shop/1")
    example = pd.DataFrame({"user_id": ["1", "2"], "k": [3, 3]})
    answers = loaded.predict(example)
    again = load_registered(registered.uri, "models:/shop/1").service.predict(example)
    assert answers.item_ids.tolist() == again.item_ids.tolist()
    assert set(answers.model_version) == {"shop/1"}
    assert loaded.metadata.metadata["fields"][:3] == ["user_id", "history", "k"]
    assert loaded.metadata.signature.outputs.input_names()[0] == "item_ids"


def test_a_run_that_saved_no_model_says_how_to_get_one(registered: Registered) -> None:
    only_tuned = registered.run("model=recommender/popular", "evaluate=[val]")
    with pytest.raises(LookupError, match=r"saved no model: only runs evaluated on test do.*evaluate=\[test\]"):
        register(registered.uri, only_tuned, "shop")
    with pytest.raises(LookupError, match="there is no run 123"):
        register(registered.uri, "123", "shop")


def test_a_run_whose_model_was_changed_is_not_registered(registered: Registered) -> None:
    run_id = registered.run("model=recommender/popular", "evaluate=[test]")
    saved = saved_model(MlflowClient(registered.uri), run_id)
    (saved / "bundle.json").write_text("{}")
    with pytest.raises(BundleError, match=r"bundle\.json was changed"):
        register(registered.uri, run_id, "tampered")
    assert not MlflowClient(registered.uri).search_registered_models("name = 'tampered'")


def test_a_name_that_cannot_be_one_is_refused(registered: Registered) -> None:
    with pytest.raises(ValueError, match="name='a/b' cannot be registered"):
        register(registered.uri, registered.run_id, "a/b")


def test_what_was_changed_in_the_store_is_refused_even_with_a_manifest_made_anew(registered: Registered) -> None:
    number = register(registered.uri, registered.run_id, "shop")
    version = MlflowClient(registered.uri).get_model_version("shop", number)
    bundle = Path(download_artifacts(str(version.source), tracking_uri=registered.uri)) / "data/model"
    with np.load(bundle / "counts.npz") as counts:
        whole = dict(counts)
    np.savez(bundle / "counts.npz", **whole | {"popular": whole["popular"][::-1]})
    with pytest.raises(BundleError, match=r"counts\.npz was changed after it was registered"):
        load_registered(registered.uri, f"models:/shop/{number}")
    seal(bundle)
    with pytest.raises(BundleError, match="is not the one that was registered"):
        load_registered(registered.uri, f"models:/shop/{number}")


def test_what_is_not_in_the_registry_is_named_with_what_there_is(registered: Registered) -> None:
    for model, message in {
        "models:/shpo/1": "no model is registered as shpo in .*; did you mean shop",
        "models:/shop/99": "shop has no version 99; it has 1",
        "models:/shop@hero": "shop has no alias hero; it has none",
    }.items():
        with pytest.raises(LookupError, match=message):
            load_registered(registered.uri, model)
    for model in ("shop", "models:/shop", "models:/shop@"):
        with pytest.raises(ValueError, match=f"model={model} is not of the form models:/name/3 or models:/name@champ"):
            load_registered(registered.uri, model)


def test_a_run_of_the_first_version_is_refused_with_its_own_command(registered: Registered) -> None:
    run_id = registered.run("model=recommender/popular", "evaluate=[test]")
    client = MlflowClient(registered.uri)
    client.set_tag(run_id, "command", "python scripts/train.py model=recommender/popular")
    saved = saved_model(client, run_id)
    description = json.loads((saved / "bundle.json").read_text())
    (saved / "bundle.json").write_text(json.dumps(description | {"format": 1}))
    seal(saved)
    message = "Popular was saved by omniretail 0.1: train it again with: python scripts/train.py model=recommender/pop"
    with pytest.raises(BundleError, match=message):
        register(registered.uri, run_id, "old")


def test_a_version_of_the_first_version_is_refused_with_the_command_of_its_run(registered: Registered) -> None:
    number = register(registered.uri, registered.run_id, "shop")
    client = MlflowClient(registered.uri)
    version = client.get_model_version("shop", number)
    client.set_tag(registered.run_id, "command", "python scripts/train.py model=recommender/ease")
    bundle = Path(download_artifacts(str(version.source), tracking_uri=registered.uri)) / "data/model"
    description = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(description | {"format": 1}))
    client.set_model_version_tag("shop", number, "manifest_sha256", seal(bundle))
    message = (
        "EASE was saved by omniretail 0.1: train it again with: python scripts/train.py model=recommender/ease and"
    )
    with pytest.raises(BundleError, match=message):
        load_registered(registered.uri, f"models:/shop/{number}")


def test_a_version_whose_files_are_gone_says_so(registered: Registered) -> None:
    number = register(registered.uri, registered.run_id, "shop")
    version = MlflowClient(registered.uri).get_model_version("shop", number)
    shutil.rmtree(download_artifacts(str(version.source), tracking_uri=registered.uri))
    with pytest.raises(LookupError, match=f"shop/{number} has no files in .*: register it again from run"):
        load_registered(registered.uri, f"models:/shop/{number}")


def test_a_version_from_elsewhere_is_not_trusted(registered: Registered) -> None:
    client = MlflowClient(registered.uri)
    source = client.get_model_version("shop", "1").source
    number = client.create_model_version("shop", str(source), registered.run_id).version
    with pytest.raises(LookupError, match=r"was not registered by scripts/export\.py"):
        load_registered(registered.uri, f"models:/shop/{number}")
