"""Answers for a file of requests of any length: read, answered and written in parts, and resumed after a stop."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from omniretail.core.errors import SettingsError
from omniretail.serving.pyfunc import Service
from omniretail.serving.validation import RequestError

_JOB = "job.json"


def answer_file(service: Service, digest: str, source: Path, target: Path, rows: int = 20_000) -> int:
    """Answer a Parquet file of requests into another, row by row in the same order; the number of rows is returned.

    Each part is written whole or not at all into ``<target>.parts``; the target appears by a rename when all parts are
    there. Started again after a stop, it answers the parts that are missing, unless model, source or ``rows`` have
    changed.

    Args:
        service: see ``serving.load_registered``.
        digest: identifies the model's content.
        source: Parquet; a column per field of a request.
        target: Parquet; ``user_id`` where the source has it, and the answers' columns.
        rows: per part, which bounds memory.

    Raises:
        FileNotFoundError: where there is no source.
        SettingsError: where the source is no Parquet file, or a request is wrong; rows and field are named.
    """
    if rows < 1:
        raise SettingsError(f"rows={rows} must be 1 or more")
    if not source.is_file():
        raise FileNotFoundError(f"input={source} is not there")
    try:
        file = pq.ParquetFile(source)
    except pa.ArrowInvalid:
        raise SettingsError(f"input={source} is no Parquet file") from None
    parts = _parts(target, {"model": digest, "source": _fingerprint(source), "rows": rows})
    total = file.metadata.num_rows
    with file, tqdm(total=total, unit="row", desc="answer", disable=None) as bar:
        for number, batch in enumerate(file.iter_batches(batch_size=rows)):
            _answer_part(service, batch, parts / f"{number:08d}.parquet", number * rows)
            bar.update(len(batch))
    _join(sorted(parts.glob("*.parquet")), target)
    shutil.rmtree(parts)
    return total


def _parts(target: Path, job: dict[str, object]) -> Path:
    """The folder of parts; emptied where they are of another job."""
    parts = target.with_name(f"{target.name}.parts")
    note = parts / _JOB
    if parts.is_dir() and (not note.is_file() or json.loads(note.read_text()) != job):
        shutil.rmtree(parts)
    parts.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(job))
    return parts


def _answer_part(service: Service, batch: pa.RecordBatch, path: Path, start: int) -> None:
    if path.is_file():
        return
    requests = _frame(batch)
    try:
        answers = service.predict(requests)
    except RequestError as error:
        raise SettingsError(f"rows {start + 1:,} to {start + len(batch):,}: {error}") from None
    if "user_id" in requests:
        answers.insert(0, "user_id", requests["user_id"].to_numpy())
    partial = path.with_suffix(".tmp")
    answers.to_parquet(partial, index=False)
    os.replace(partial, path)


def _frame(batch: pa.RecordBatch) -> pd.DataFrame:
    """Plain columns as pandas has them; nested ones as lists and dicts without missing fields."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        nested = pa.types.is_nested(column.type)
        columns[name] = pd.Series(map(_present, column.to_pylist()), dtype=object) if nested else column.to_pandas()
    return pd.DataFrame(columns)


def _present(value: object) -> object:
    """A nested value without the fields that are null."""
    if isinstance(value, dict):
        return {name: _present(each) for name, each in value.items() if each is not None}
    return [_present(each) for each in value] if isinstance(value, list) else value


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
