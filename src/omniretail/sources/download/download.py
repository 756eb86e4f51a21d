"""One file over HTTP: with a progress bar, resumed after an interruption, checked by its sha256."""

import hashlib
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import build_opener

from tqdm import tqdm

_CHUNK = 1 << 16


class FetchError(Exception):
    """The file did not arrive, or is not the published one; the message says what to do."""


def download(url: str, path: Path, timeout_s: float = 30) -> None:
    """Download a file to ``path``; an existing file there is its beginning.

    Where the server cannot resume, the whole file is downloaded again.

    Args:
        url: http or https.
        path: grows as bytes arrive; after an interruption it stays, and the next call resumes it.
        timeout_s: for an answer, and between two chunks, in seconds.

    Raises:
        FetchError: where the server refuses, cannot be reached, or closes the connection early.
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
        path.unlink()  # the server has no further bytes, so the file is complete or another one: start again
        download(url, path, timeout_s)
    except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise FetchError(f"{url}: {cause or type(error).__name__}; run the command again to resume") from None


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
        raise ConnectionError(f"the connection ended after {arrived:,} of {total:,} bytes")


def verify(path: Path, sha256: str | None) -> None:
    """Make sure that a file is the published one; any other file is renamed to ``<name>.bad``.

    Args:
        path: the file.
        sha256: the published sum, in hex; None: nothing is checked.

    Raises:
        FetchError: with both sums.
    """
    if sha256 is None:
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        aside = path.with_name(path.name.removesuffix(".part") + ".bad")
        path.replace(aside)
        raise FetchError(
            f"{aside}: not the published file (sha256 {actual}, expected {sha256}), so it was renamed; "
            "run the command again, and if the sum is wrong again, the publisher has changed the file"
        )
