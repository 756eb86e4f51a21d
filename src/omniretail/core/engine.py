"""The one connection on which table work runs: DuckDB inside this process, or a Spark cluster."""

import atexit
from functools import cache

import ibis


def count(table: ibis.Table) -> int:
    """Rows of a table."""
    return int(table.count().to_pyarrow().as_py())


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
    atexit.register(connection.disconnect)
    return connection
