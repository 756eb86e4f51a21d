"""A kept model is read only when every file is as it was sealed; nothing in it is ever executed."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from omniretail.serving.manifest import MANIFEST, BundleError, check, seal, sha256
from omniretail.serving.pyfunc import load_service
from tests.serving.factories import bundle


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return bundle(tmp_path / "kept")


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


def test_as_sealed_it_is_read(kept: Path) -> None:
    check(kept)
    check(kept, expected=sha256(kept / MANIFEST))
    load_service(kept)


def test_a_changed_byte_is_refused_by_name(kept: Path) -> None:
    file = kept / "counts.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(BundleError, match=r"counts\.npz was changed after it was registered"):
        load_service(kept)


def test_a_file_too_many_or_too_few_is_refused_by_name(kept: Path) -> None:
    (kept / "more.json").write_text("{}")
    with pytest.raises(BundleError, match=r"more\.json is not listed"):
        load_service(kept)
    (kept / "more.json").unlink()
    (kept / "train" / "events.parquet").unlink()
    with pytest.raises(BundleError, match=r"train/events\.parquet is missing"):
        load_service(kept)


def test_without_or_with_a_broken_manifest_it_is_refused(kept: Path) -> None:
    (kept / MANIFEST).write_text("{}")
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        load_service(kept)
    (kept / MANIFEST).unlink()
    with pytest.raises(BundleError, match="no model kept by omniretail"):
        load_service(kept)


def test_a_manifest_made_anew_is_refused_where_the_registry_knows_the_first(kept: Path) -> None:
    registered = sha256(kept / MANIFEST)
    facts = json.loads((kept / "bundle.json").read_text())
    (kept / "bundle.json").write_text(json.dumps(facts | {"n_users": 7}))
    assert seal(kept) != registered
    with pytest.raises(BundleError, match="not the one that was registered"):
        load_service(kept, expected=registered)


@pytest.mark.parametrize("name", ["model/extra.pkl", "model/weights.pt", "code.py", "hook.so"])
def test_a_pickle_or_code_is_refused_even_when_listed_in_the_manifest(kept: Path, name: str) -> None:
    listed = json.loads((kept / MANIFEST).read_text())
    (kept / name).write_bytes(pickle.dumps(Evil(kept.parent / "mark")))
    listed["sha256"][name] = sha256(kept / name)
    (kept / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(BundleError, match="is no file of a kept model"):
        load_service(kept)
    assert not (kept.parent / "mark").exists()


@pytest.mark.parametrize("file", ["model/arrays.npz", "counts.npz", "policy.npz"])
def test_a_pickle_inside_an_array_file_is_refused_and_not_run(kept: Path, file: str) -> None:
    with np.load(kept / file) as arrays:
        whole = dict(arrays)
    first = next(iter(whole), "popularity_")
    np.savez(kept / file, **whole | {first: np.array([Evil(kept.parent / "mark")], dtype=object)})
    seal(kept)
    try:
        load_service(kept).predict(load_service(kept).example())
    except BundleError as error:
        assert "cannot be read" in str(error)  # noqa: PT017  (an array that nothing names is never opened)
    else:
        assert file == "policy.npz"
    assert not (kept.parent / "mark").exists()


def test_a_link_is_refused(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (kept / "linked.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(BundleError, match=r"linked\.json is a link"):
        load_service(kept)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model/settings.json", "omniretail.models.recommenders.personal_top.PersonalTop", "subprocess.Popen"),
        ("model/settings.json", "recommenders.personal_top.PersonalTop", "recommend.ThreadPoolExecutor"),
        ("policy.json", "omniretail.policies.seen.allow_seen", "os.system"),
        ("policy.json", "seen.allow_seen", "chain.get_args"),
    ],
)
def test_a_class_from_elsewhere_is_refused(kept: Path, file: str, old: str, new: str) -> None:
    text = (kept / file).read_text()
    assert old in text
    (kept / file).write_text(text.replace(old, new))
    seal(kept)
    with pytest.raises(BundleError, match="which is no"):
        load_service(kept)


def test_a_bundle_of_a_later_format_says_update(kept: Path) -> None:
    facts = json.loads((kept / "bundle.json").read_text())
    (kept / "bundle.json").write_text(json.dumps(facts | {"format": 99}))
    seal(kept)
    with pytest.raises(BundleError, match="format 99, this omniretail reads 1; update it"):
        load_service(kept)


def test_a_model_that_other_code_kept_is_refused_in_a_sentence(kept: Path) -> None:
    with np.load(kept / "model/arrays.npz") as arrays:
        whole = {f"renamed_{name}": arrays[name] for name in arrays}
    np.savez(kept / "model/arrays.npz", **whole)
    seal(kept)
    with pytest.raises(BundleError, match=r"does not answer .* where another version of omniretail kept it"):
        load_service(kept)
