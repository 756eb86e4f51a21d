"""The one connection for work on tables: DuckDB inside this process, or a Spark cluster."""

import atexit
from collections.abc import Callable, Iterator
from functools import cache, wraps
from threading import RLock
from typing import ParamSpec, TypeVar

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from omniretail.core.errors import SettingsError
from omniretail.core.threads import n_threads

P = ParamSpec("P")
R = TypeVar("R")
_LOCK = RLock()


def count(table: ibis.Table) -> int:
    """Rows of a table."""
    return int(table.count().to_pyarrow().as_py())


def in_pieces(table: ibis.Table, rows: int = 1_000_000) -> Iterator[pa.RecordBatch]:
    """The rows of a table, some at a time, in order; to be read to the end before the engine is used again.

    Ibis 12 has ``to_pyarrow_batches``, which calls a function that DuckDB 2.0 no longer has.
    """
    connection = ibis.get_backend(table)
    if not isinstance(connection, Backend):
        yield from connection.to_pyarrow_batches(table, chunk_size=rows)
        return
    table.limit(0).to_pyarrow()  # makes frames in memory known to the engine
    yield from connection.con.sql(connection.compile(table)).to_arrow_reader(rows)


def one_at_a_time(function: Callable[P, R]) -> Callable[P, R]:
    """Let one thread at a time run the decorated functions: the connection must not be shared between threads."""

    @wraps(function)
    def locked(*arguments: P.args, **named: P.kwargs) -> R:
        with _LOCK:
            return function(*arguments, **named)

    return locked


@cache
def connect(engine: str = "duckdb") -> ibis.BaseBackend:
    """Open the engine once per process.

    Args:
        engine: ``duckdb`` (embedded, the default) or ``pyspark`` (the session that ``SPARK_*`` variables configure).

    Raises:
        SettingsError: for any other name.
    """
    if engine == "duckdb":
        connection = ibis.duckdb.connect(threads=n_threads())
    elif engine == "pyspark":
        connection = ibis.pyspark.connect()
    else:
        raise SettingsError(f"engine={engine}: choose duckdb or pyspark")
    ibis.set_backend(connection)
    atexit.register(_close, connection)
    return connection


def _close(connection: ibis.BaseBackend) -> None:
    """Disconnect and forget the connection at the end of the process.

    Ibis keeps its default backend in a global; with torch in the process it outlives DuckDB's module, which then
    reports everything still referenced as leaked.
    """
    connection.disconnect()
    connect.cache_clear()
    ibis.options.default_backend = None
