"""Answers for a file of requests of any length: read, answered and written in parts, and resumed after a stop."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from omniretail import __version__
from omniretail.core.errors import SettingsError
from omniretail.serving.pyfunc import Service
from omniretail.serving.request_file import n_requests, read_requests
from omniretail.serving.validation import RequestError

_JOB, _LOCK = "job.json", "lock"


def answer_file(service: Service, digest: str, source: Path, target: Path, rows: int = 20_000) -> int:
    """Answer a file of requests into another, row by row in the same order; the number of rows is returned.

    Each part is written whole or not at all into ``<target>.parts``; the target appears by a rename when all parts are
    there. Started again after a stop, it answers the parts that are missing, where model, source, ``rows`` and
    omniretail are the same; else it begins anew.

    Args:
        service: see ``serving.load_registered``.
        digest: identifies the model's content.
        source: Parquet, or CSV where its name ends in ``.csv``; a column per field of a request.
        target: Parquet; ``user_id`` where the source has it, and the answers' columns.
        rows: per part, which bounds memory.

    Raises:
        FileNotFoundError: where there is no source.
        DataError: where the source cannot be read, or changes meanwhile.
        SettingsError: where another process writes this target, the target is no Parquet file by its name, or a request
            is wrong; rows and field are named.
    """
    if rows < 1:
        raise SettingsError(f"rows={rows} must be 1 or more")
    if target.suffix.lower() == ".csv":
        raise SettingsError(f"output={target} is written as Parquet: set output={target.with_suffix('.parquet')}")
    total, done, read = n_requests(source), 0, _fingerprint(source)
    job = {"model": digest, "source": read, "rows": rows, "omniretail": __version__}
    with _parts(target, job) as parts, tqdm(total=total, unit="row", desc="answer", disable=None) as bar:
        for number, requests in enumerate(read_requests(source, rows, service.text_fields())):
            _answer_part(service, requests, parts / f"{number:08d}.parquet", done)
            done += len(requests)
            bar.update(len(requests))
        if _fingerprint(source) != read:
            raise SettingsError(f"input={source} was changed while it was answered; run the command again")
        _join(sorted(parts.glob("*.parquet")), target)
        shutil.rmtree(parts)
    return done


@contextmanager
def _parts(target: Path, job: dict[str, object]) -> Iterator[Path]:
    """The folder of parts, emptied where they are of another job; one process at a time has it.

    Raises:
        SettingsError: where another one has it.
    """
    parts = target.with_name(f"{target.name}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    with (parts / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released when the process ends, however it does
        except BlockingIOError:
            raise SettingsError(
                f"output={target} is being written by another process: wait for it, or set another output="
            ) from None
        note = parts / _JOB
        if not note.is_file() or json.loads(note.read_text()) != job:
            for old in parts.glob("*.parquet"):
                old.unlink()
        note.write_text(json.dumps(job))
        yield parts


def _answer_part(service: Service, requests: pd.DataFrame, path: Path, start: int) -> None:
    if path.is_file():
        return
    try:
        answers = service.predict(requests)
    except RequestError as error:
        raise SettingsError(f"rows {start + 1:,} to {start + len(requests):,}: {error}") from None
    if "user_id" in requests:
        answers.insert(0, "user_id", requests["user_id"].to_numpy())
    partial = path.with_suffix(".tmp")
    answers.to_parquet(partial, index=False)
    os.replace(partial, path)


def _join(parts: list[Path], target: Path) -> None:
    """All parts as one file, a row group each; it appears whole."""
    partial = target.with_name(f"{target.name}.tmp")
    schema = pa.unify_schemas([pq.read_schema(part) for part in parts]) if parts else pa.schema([])
    with pq.ParquetWriter(partial, schema) as writer:
        for table in _read(parts, schema):
            writer.write_table(table)
    os.replace(partial, target)


def _read(parts: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    for part in parts:
        yield pq.read_table(part).cast(schema)


def _fingerprint(source: Path) -> str:
    status = source.stat()
    return f"{source.resolve()} {status.st_size} {status.st_mtime_ns}"
