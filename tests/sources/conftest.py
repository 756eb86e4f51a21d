"""What the tests of sources share: reading through a fresh cache, and the public files where they are."""

from collections.abc import Callable
from pathlib import Path

import ibis
import pytest

from omniretail.schema import Tables
from omniretail.sources.protocol import Source, load


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[Source], Tables]:
    return lambda source: load(source, tmp_path / "cache")


@pytest.fixture
def rows() -> Callable[[ibis.Table], list[dict]]:
    return lambda table: table.to_pyarrow().to_pylist()


@pytest.fixture
def public(data_root: Path) -> Callable[[str], Path]:
    """A folder of the data root, or a skip that says how to get it."""

    def folder(name: str) -> Path:
        if not (data_root / name).is_dir():
            pytest.skip(f"{data_root / name} is not there: set OMNIRETAIL_DATA or run scripts/fetch.py")
        return data_root / name

    return folder
