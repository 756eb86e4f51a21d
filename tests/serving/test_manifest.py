"""A saved model is read only when every file is as it was sealed; nothing in it is ever executed."""

import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from omniretail.serving.manifest import MANIFEST, BundleError, check, seal, sha256
from omniretail.serving.pyfunc import load_service
from tests.serving.factories import bundle


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return bundle(tmp_path / "saved")


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


def test_as_sealed_it_is_read(saved: Path) -> None:
    check(saved)
    check(saved, expected=sha256(saved / MANIFEST))
    load_service(saved)


def test_a_changed_byte_is_refused_by_name(saved: Path) -> None:
    file = saved / "counts.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(BundleError, match=r"counts\.npz was changed after it was registered"):
        load_service(saved)


def test_a_file_too_many_or_too_few_is_refused_by_name(saved: Path) -> None:
    (saved / "more.json").write_text("{}")
    with pytest.raises(BundleError, match=r"more\.json is not listed"):
        load_service(saved)
    (saved / "more.json").unlink()
    (saved / "train" / "events.parquet").unlink()
    with pytest.raises(BundleError, match=r"train/events\.parquet is missing"):
        load_service(saved)


def test_without_or_with_a_broken_manifest_it_is_refused(saved: Path) -> None:
    (saved / MANIFEST).write_text("{}")
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        load_service(saved)
    (saved / MANIFEST).unlink()
    with pytest.raises(BundleError, match="no model saved by omniretail"):
        load_service(saved)


def test_a_manifest_made_anew_is_refused_where_the_registry_knows_the_first(saved: Path) -> None:
    registered = sha256(saved / MANIFEST)
    description = json.loads((saved / "bundle.json").read_text())
    (saved / "bundle.json").write_text(json.dumps(description | {"n_users": 7}))
    assert seal(saved) != registered
    with pytest.raises(BundleError, match="not the one that was registered"):
        load_service(saved, expected=registered)


@pytest.mark.parametrize("name", ["model/extra.pkl", "model/weights.pt", "code.py", "hook.so"])
def test_a_pickle_or_code_is_refused_even_when_listed_in_the_manifest(saved: Path, name: str) -> None:
    listed = json.loads((saved / MANIFEST).read_text())
    (saved / name).write_bytes(pickle.dumps(Evil(saved.parent / "mark")))
    listed["sha256"][name] = sha256(saved / name)
    (saved / MANIFEST).write_text(json.dumps(listed))
    with pytest.raises(BundleError, match="is no file of a saved model"):
        load_service(saved)
    assert not (saved.parent / "mark").exists()


@pytest.mark.parametrize("file", ["model/arrays.npz", "counts.npz", "policy.npz"])
def test_a_pickle_inside_an_array_file_is_refused_and_not_run(saved: Path, file: str) -> None:
    with np.load(saved / file) as arrays:
        whole = dict(arrays)
    first = next(iter(whole), "popularity_")
    np.savez(saved / file, **whole | {first: np.array([Evil(saved.parent / "mark")], dtype=object)})
    seal(saved)
    with pytest.raises(BundleError, match=f"{file} holds an array of objects, whose pickle runs code"):
        load_service(saved)
    assert not (saved.parent / "mark").exists()


def test_a_link_is_refused(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (saved / "linked.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(BundleError, match=r"linked\.json is a link"):
        load_service(saved)


@pytest.mark.parametrize("name", ["model", "bundle.json", MANIFEST])
def test_a_link_in_the_place_of_a_part_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    (saved / name).rename(tmp_path / "elsewhere")
    (saved / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=f"{name} is a link"):
        load_service(saved)


@pytest.mark.parametrize("name", ["pipe.json", "bundle.json", MANIFEST])
def test_a_pipe_is_refused_and_not_waited_for(saved: Path, name: str) -> None:
    (saved / name).unlink(missing_ok=True)
    os.mkfifo(saved / name)
    with pytest.raises(BundleError, match=f"{name} is no plain file"):
        load_service(saved)


def bomb(path: Path) -> None:
    """Ones, compressed a thousandfold."""
    np.savez_compressed(path, popular=np.ones(1 << 20))


def claim(path: Path) -> None:
    """An array header that claims a terabyte."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 37,)})
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("popular.npy", header.getvalue())


def repeat(path: Path) -> None:
    """A column of one value, two billion rows in a few bytes."""
    table = pa.table({"user_idx": pa.DictionaryArray.from_arrays(pa.array(np.zeros(1 << 20, dtype=np.int8)), [1])})
    with pq.ParquetWriter(path, table.schema) as writer:
        for _ in range(200):
            writer.write_table(table)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("counts.npz", bomb, "declares compressed content that it does not hold"),
        ("counts.npz", claim, "declares an array popular.npy that it does not hold"),
        ("counts.npz", lambda path: path.write_bytes(b"PK"), "is no .npz file"),
        ("train/events.parquet", repeat, "declares 209,715,200 rows that it does not hold"),
        ("train/events.parquet", lambda path: path.write_bytes(b"PAR1" * 9), "is no .parquet file"),
        (
            "model/net.safetensors",
            lambda path: path.write_bytes(b"\xff" * 8),
            "declares a header that it does not hold",
        ),
        ("model/net.safetensors", lambda path: path.write_bytes(b""), "is no .safetensors file"),
    ],
)
def test_a_file_that_declares_more_than_it_holds_is_refused(
    saved: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    make(saved / name)
    seal(saved)
    with pytest.raises(BundleError, match=f"{name} {message}.*: refused"):
        load_service(saved)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model/settings.json", "omniretail.models.recommenders.personal_top.PersonalTop", "subprocess.Popen"),
        ("model/settings.json", "recommenders.personal_top.PersonalTop", "top_k.ThreadPoolExecutor"),
        ("policy.json", "omniretail.policies.seen.allow_seen", "os.system"),
        ("policy.json", "seen.allow_seen", "chain.get_args"),
    ],
)
def test_a_class_from_elsewhere_is_refused(saved: Path, file: str, old: str, new: str) -> None:
    text = (saved / file).read_text()
    assert old in text
    (saved / file).write_text(text.replace(old, new))
    seal(saved)
    with pytest.raises(BundleError, match="which is no"):
        load_service(saved)


def with_format(bundle: Path, number: int) -> None:
    """Describe the bundle as one of another version's."""
    description = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(description | {"format": number}))
    seal(bundle)


def test_a_bundle_of_a_later_format_says_update(saved: Path) -> None:
    with_format(saved, 99)
    with pytest.raises(BundleError, match="format 99, this omniretail reads 2; update omniretail"):
        load_service(saved)


def test_a_bundle_of_the_first_version_says_how_to_train_it_again(saved: Path) -> None:
    with_format(saved, 1)
    message = "PersonalTop was saved by omniretail 0.1: train it again with: {} and register that run"
    with pytest.raises(BundleError, match=re.escape(message.format("python scripts/train.py model=… source=…"))):
        load_service(saved)
    command = "python scripts/train.py model=recommender/personal_top evaluate=[test]"
    with pytest.raises(BundleError, match=re.escape(message.format(command))):
        load_service(saved, command=command)


def test_a_model_that_other_code_saved_is_refused_in_a_sentence(saved: Path) -> None:
    with np.load(saved / "model/arrays.npz") as arrays:
        whole = {f"renamed_{name}": arrays[name] for name in arrays}
    np.savez(saved / "model/arrays.npz", **whole)
    seal(saved)
    with pytest.raises(BundleError, match=r"does not answer .* where another version of omniretail saved it"):
        load_service(saved)
