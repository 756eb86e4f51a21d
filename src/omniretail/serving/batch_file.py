"""Answers for a file of requests, however long: read, answered and written in pieces, and gone on with after a stop."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from omniretail.serving.pyfunc import Service
from omniretail.serving.validation import RequestError

_ANSWERED = "answered.json"


def answer_file(service: Service, digest: str, source: Path, target: Path, rows: int = 20_000) -> int:
    """Answer a Parquet file of requests into another, row by row in the same order; the number of rows is returned.

    Each piece is written whole or not at all into ``<target>.parts``; the target appears by a rename when all pieces
    are there. Started again after a stop, it goes on with the pieces that are missing, unless model, source or
    ``rows`` are others.

    Args:
        service: see ``serving.pull``.
        digest: names the model for good.
        source: Parquet; a column per field of a request.
        target: Parquet; ``user_id`` where it was given, and the answers' columns.
        rows: at a time, which bounds memory.

    Raises:
        FileNotFoundError: where there is no source.
        ValueError: where the source is no Parquet file, or a request is not as it should be; rows and field are named.
    """
    if not source.is_file():
        raise FileNotFoundError(f"input={source} is not there")
    try:
        file = pq.ParquetFile(source)
    except pa.ArrowInvalid:
        raise ValueError(f"input={source} is no Parquet file") from None
    parts = _parts(target, {"model": digest, "source": _fingerprint(source), "rows": rows})
    total = file.metadata.num_rows
    with file, tqdm(total=total, unit="row", desc="answer", disable=None) as bar:
        for number, batch in enumerate(file.iter_batches(batch_size=rows)):
            _piece(service, batch, parts / f"{number:08d}.parquet", number * rows)
            bar.update(len(batch))
    _join(sorted(parts.glob("*.parquet")), target)
    shutil.rmtree(parts)
    return total


def _parts(target: Path, job: dict[str, object]) -> Path:
    """The folder of pieces; emptied where they are another job's."""
    parts = target.with_name(f"{target.name}.parts")
    note = parts / _ANSWERED
    if parts.is_dir() and (not note.is_file() or json.loads(note.read_text()) != job):
        shutil.rmtree(parts)
    parts.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(job))
    return parts


def _piece(service: Service, batch: pa.RecordBatch, path: Path, start: int) -> None:
    if path.is_file():
        return
    requests = _frame(batch)
    try:
        answers = service.predict(requests)
    except RequestError as error:
        raise ValueError(f"rows {start + 1:,} to {start + len(batch):,}: {error}") from None
    if "user_id" in requests:
        answers.insert(0, "user_id", requests["user_id"].to_numpy())
    partial = path.with_suffix(".tmp")
    answers.to_parquet(partial, index=False)
    os.replace(partial, path)


def _frame(batch: pa.RecordBatch) -> pd.DataFrame:
    """Plain columns as pandas has them; nested ones as lists and dicts, where a word not given is left out."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        nested = pa.types.is_nested(column.type)
        columns[name] = pd.Series(map(_given, column.to_pylist()), dtype=object) if nested else column.to_pandas()
    return pd.DataFrame(columns)


def _given(value: object) -> object:
    if isinstance(value, dict):
        return {name: _given(each) for name, each in value.items() if each is not None}
    return [_given(each) for each in value] if isinstance(value, list) else value


def _join(pieces: list[Path], target: Path) -> None:
    """All pieces as one file, a row group each; it appears whole."""
    partial = target.with_name(f"{target.name}.tmp")
    schema = pa.unify_schemas([pq.read_schema(piece) for piece in pieces]) if pieces else pa.schema([])
    with pq.ParquetWriter(partial, schema) as writer:
        for table in _read(pieces, schema):
            writer.write_table(table)
    os.replace(partial, target)


def _read(pieces: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    for piece in pieces:
        yield pq.read_table(piece).cast(schema)


def _fingerprint(source: Path) -> str:
    facts = source.stat()
    return f"{source.resolve()} {facts.st_size} {facts.st_mtime_ns}"
