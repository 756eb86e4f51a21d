import subprocess
import sys

SCRIPT = """
import torch, ibis
from omniretail.core.engine import connect
connect()
assert ibis.memtable({"a": [1, 2]}).count().to_pyarrow().as_py() == 2
print("last line")
"""


def test_a_process_with_torch_and_tables_ends_in_its_own_last_line() -> None:
    """DuckDB used to list forty leaked objects after it."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("last line\n", "")
