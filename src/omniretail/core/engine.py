"""The one connection for work on tables: DuckDB inside this process, or a Spark cluster."""

import atexit
from collections.abc import Callable
from functools import cache, wraps
from threading import RLock
from typing import ParamSpec, TypeVar

import ibis

P = ParamSpec("P")
R = TypeVar("R")
_LOCK = RLock()


def count(table: ibis.Table) -> int:
    """Rows of a table."""
    return int(table.count().to_pyarrow().as_py())


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
        ValueError: for any other name.
    """
    if engine == "duckdb":
        connection = ibis.duckdb.connect()
    elif engine == "pyspark":
        connection = ibis.pyspark.connect()
    else:
        raise ValueError(f"engine={engine}: choose duckdb or pyspark")
    ibis.set_backend(connection)
    atexit.register(disconnect)
    return connection


def disconnect() -> None:
    """Close the engine and forget it; called at the end of the process.

    Ibis holds its default backend in a global that outlives the modules where torch is loaded too, and DuckDB reports
    what is still referenced then as leaked.
    """
    if connect.cache_info().currsize:
        connect.cache_clear()
        ibis.get_backend().disconnect()
        ibis.options.default_backend = None
