"""One file over HTTP: with a progress bar, resumed where it was cut off, and known by its sha256."""

import hashlib
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import build_opener

from tqdm import tqdm

_CHUNK = 1 << 16


class FetchError(Exception):
    """The file did not arrive, or is not the one that was published; the message says what to do."""


def download(url: str, path: Path, timeout_s: float = 30) -> None:
    """Bring the file to ``path``; what is there already is taken as its beginning.

    A server that cannot resume sends the whole, and the file is written anew.

    Args:
        url: http or https.
        path: grows as bytes come in, and is kept where they stop coming, to be resumed by the next call.
        timeout_s: for an answer, and between two chunks, in seconds.

    Raises:
        FetchError: where the server refuses, cannot be reached, or breaks off.
    """
    have = path.stat().st_size if path.exists() else 0
    opener = build_opener()
    opener.addheaders = [("User-Agent", "omniretail"), *([("Range", f"bytes={have}-")] if have else [])]
    try:
        with opener.open(url, timeout=timeout_s) as response:
            _receive(response, path, have if response.status == 206 else 0)
    except HTTPError as error:
        if error.code != 416:
            raise FetchError(f"{url}: the server answers {error.code} {error.reason}; has the file moved?") from None
        path.unlink()  # nothing lies beyond what is there, so either it is whole or another file: begin anew
        download(url, path, timeout_s)
    except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise FetchError(f"{url}: {cause or type(error).__name__}; run the command again to go on") from None


def _receive(response: HTTPResponse, path: Path, have: int) -> None:
    rest = response.headers["Content-Length"]
    total = have + int(rest) if rest else None
    with (
        path.open("ab" if have else "wb") as file,
        tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=path.stem) as bar,
    ):
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
        arrived = file.tell()
    if total is not None and arrived < total:
        raise ConnectionError(f"broke off after {arrived:,} of {total:,} bytes")


def verify(path: Path, sha256: str | None) -> None:
    """Make sure that a file is the published one; another is moved aside to ``<name>.bad``.

    Args:
        path: the file.
        sha256: what it should be, in hex; None: nothing is known, so nothing is checked.

    Raises:
        FetchError: with both sums.
    """
    if sha256 is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        aside = path.with_name(path.name.removesuffix(".part") + ".bad")
        path.replace(aside)
        raise FetchError(
            f"{aside}: not the published file (sha256 {found}, expected {sha256}), so it was moved there; "
            "run the command again, and if it ends so again, the publisher has changed the file"
        )
