"""Downloads against a server of our own: whole, resumed, cut off, refused, and not what was published."""

import gzip
import hashlib
import io
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from omniretail.config import CONFIGS
from omniretail.sources.download.dataset import Dataset, fetch, read_datasets
from omniretail.sources.download.download import FetchError, download, verify

ROOT = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 1_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """What the server serves, how it behaves, and what it was asked."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    resumes: bool = True
    cut_after: int | None = None  # bytes of an answer before the line goes dead
    stalls: bool = False  # whether a dead line stays open until ``release``
    release: threading.Event = field(default_factory=threading.Event)
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, asked = site.files.get(self.path), self.headers["Range"]
            site.ranges.append(asked)
            if content is None:
                return self.send_error(404)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and site.resumes else 0
            if start >= len(content):
                return self.send_error(416)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: site.cut_after])
            if site.stalls:
                site.release.wait(timeout=30)
            return None

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_address[1]}", {"/data/file.bin": CONTENT})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def dataset(site) -> Dataset:
    return Dataset("A file", "none stated", "folder", {"file.bin": SHA256}, root=f"{site.address}/data")


@pytest.fixture
def said() -> list[str]:
    return []


def test_a_whole_download(site, dataset, tmp_path, said):
    fetch(dataset, tmp_path, said.append)
    assert (tmp_path / "folder" / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file.bin"]
    assert said[0] == "A file\nterms: none stated"
    assert said[-1].endswith("file.bin: ready")


def test_what_is_there_is_checked_and_not_fetched_again(site, dataset, tmp_path, said):
    fetch(dataset, tmp_path, said.append)
    fetch(dataset, tmp_path, said.append)
    assert site.ranges == [None]


def test_a_download_that_breaks_off_is_resumed(site, dataset, tmp_path, said):
    site.cut_after = 100_000
    with pytest.raises(FetchError, match=r"ended after 100,000 of 256,000 bytes; run the command again to resume"):
        fetch(dataset, tmp_path, said.append)
    part = tmp_path / "folder" / "file.bin.part"
    assert part.read_bytes() == CONTENT[:100_000]
    assert not (tmp_path / "folder" / "file.bin").exists()
    site.cut_after = None
    fetch(dataset, tmp_path, said.append)
    assert (tmp_path / "folder" / "file.bin").read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=100000-"]
    assert not part.exists()


def test_a_server_that_cannot_resume_sends_the_whole(site, tmp_path):
    site.resumes = False
    (tmp_path / "file").write_bytes(CONTENT[:100])
    download(f"{site.address}/data/file.bin", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_beginning_longer_than_the_file_is_thrown_away(site, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT + b"more")
    download(f"{site.address}/data/file.bin", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert site.ranges == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_process_killed_midway_leaves_a_beginning(site, tmp_path):
    site.cut_after, site.stalls = 100_000, True
    url, part = f"{site.address}/data/file.bin", tmp_path / "file.part"
    code = "import sys, pathlib; from omniretail.sources.download.download import download; "
    code += "download(sys.argv[1], pathlib.Path(sys.argv[2]))"
    with subprocess.Popen([sys.executable, "-c", code, url, part], stderr=subprocess.DEVNULL) as process:
        while not (part.exists() and part.stat().st_size):
            time.sleep(0.01)
        process.kill()
    site.release.set()
    assert 0 < part.stat().st_size <= 100_000
    site.cut_after = None
    download(url, part)
    assert part.read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_moved_aside(site, dataset, tmp_path, said):
    site.files["/data/file.bin"] = b"changed"
    with pytest.raises(FetchError, match=rf"file\.bin\.bad: not the published file \(sha256 .*, expected {SHA256}\)"):
        fetch(dataset, tmp_path, said.append)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file.bin.bad"]


def test_a_file_that_went_bad_on_disk_is_moved_aside(dataset, tmp_path, said):
    fetch(dataset, tmp_path, said.append)
    path = tmp_path / "folder" / "file.bin"
    path.write_bytes(b"bad")
    with pytest.raises(FetchError, match="run the command again"):
        fetch(dataset, tmp_path, said.append)
    assert not path.exists()


def test_nothing_known_nothing_checked(tmp_path):
    (tmp_path / "file").write_bytes(b"anything")
    verify(tmp_path / "file", None)


def test_a_file_that_is_not_on_the_server(site, dataset, tmp_path, said):
    site.files.clear()
    with pytest.raises(FetchError, match=r"file\.bin: the server answers 404 Not Found; has the file moved\?"):
        fetch(dataset, tmp_path, said.append)


def test_nobody_listens(dataset, tmp_path, said):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = replace(dataset, root=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(FetchError, match=r"Connection refused; run the command again to resume"):
            fetch(nobody, tmp_path, said.append)


def test_a_folder_that_cannot_be_written(dataset, tmp_path, said):
    (tmp_path / "folder").write_text("a file in the way")
    with pytest.raises(FetchError, match=r"cannot write .*choose another folder with --root"):
        fetch(dataset, tmp_path, said.append)


def zipped(**members: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
    return archive.getvalue()


def test_a_member_of_an_archive(site, dataset, tmp_path, said):
    site.files["/all.zip"] = zipped(inside=CONTENT, other=b"")
    fetch(replace(dataset, archive=f"{site.address}/all.zip", member="inside"), tmp_path, said.append)
    assert (tmp_path / "folder" / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file.bin"]


@pytest.mark.parametrize("archive", [b"no zip archive", zipped(other=b"")])
def test_an_archive_that_is_none_or_lacks_the_member(site, dataset, tmp_path, said, archive):
    site.files["/all.zip"] = archive
    with pytest.raises(FetchError, match=r"all\.zip is no zip archive with 'inside'"):
        fetch(replace(dataset, archive=f"{site.address}/all.zip", member="inside"), tmp_path, said.append)
    assert not list((tmp_path / "folder").iterdir())


def test_a_workbook_needs_openpyxl_and_is_kept_until_it_is_there(site, dataset, tmp_path, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    site.files["/all.zip"] = zipped(inside=b"")
    with pytest.raises(FetchError, match="pip install openpyxl"):
        fetch(replace(dataset, archive=f"{site.address}/all.zip", member="inside", rows=1), tmp_path, said.append)
    assert (tmp_path / "folder" / "all.zip").exists()


def test_a_workbook_becomes_csv_as_the_reader_wants_it(site, dataset, tmp_path, said):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["InvoiceNo", "StockCode", "CustomerID"])
    book.active.append([536365, 22139, 17850])
    book.active.append(["C536379", "85123A", None])
    book.save(content)
    site.files["/all.zip"] = zipped(inside=content.getvalue())
    online = replace(dataset, archive=f"{site.address}/all.zip", member="inside", rows=2, files={"log.csv.gz": None})
    fetch(online, tmp_path, said.append)
    text = gzip.decompress((tmp_path / "folder" / "log.csv.gz").read_bytes()).decode()
    assert text == "InvoiceNo,StockCode,CustomerID\n536365,22139,17850\nC536379,85123A,\n"


def test_what_only_a_person_can_get(dataset, tmp_path, said):
    by_hand = replace(dataset, manual="1. Sign in.")
    with pytest.raises(FetchError, match=r"file\.bin is missing and must be fetched by hand:\n1\. Sign in\."):
        fetch(by_hand, tmp_path, said.append)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file.bin").write_bytes(CONTENT)
    fetch(by_hand, tmp_path, said.append)
    assert said[-1].endswith("file.bin: ready")


def test_every_dataset_has_terms_an_address_and_sums():
    for name, entry in read_datasets(CONFIGS / "fetch.yaml").items():
        assert entry.title, name
        assert entry.terms, name
        assert entry.manual or entry.archive or entry.root.startswith("https://"), name
        assert all(sha256 is None or len(sha256) == 64 for sha256 in entry.files.values()), name


def test_datasets_are_named_as_their_sources():
    of_ones_own = {"csv", "lightgcn", "s3rec", "simulate", "two_logs", "uplift_table"}
    sources = {path.stem: path.read_text() for path in (CONFIGS / "source").glob("*.yaml")}
    assert set(read_datasets(CONFIGS / "fetch.yaml")) == set(sources) - of_ones_own
    for name, text in sources.items():
        named = re.findall(r"scripts/fetch.py (\w+)", text)
        assert set(named) <= {name}, f"configs/source/{name}.yaml"


@pytest.mark.data
def test_the_files_at_hand_are_the_published_ones(data_root):
    for entry in read_datasets(CONFIGS / "fetch.yaml").values():
        for name, sha256 in entry.files.items():
            path = data_root / entry.folder / name
            if sha256 and path.exists():
                assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, path


def test_the_command_lists_the_datasets_and_loads_nothing_heavy():
    code = "import runpy, sys\ntry: runpy.run_path('scripts/fetch.py', run_name='__main__')\nexcept SystemExit: pass\n"
    code += "assert not {'pandas', 'ibis', 'duckdb', 'numpy'} & set(sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "uci_online_retail" in shown.stdout


def test_the_command_ends_with_one_sentence(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "fetch.py", "--root", tmp_path, "tianchi_o2o"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {tmp_path}")
    assert "Traceback" not in ended.stderr
