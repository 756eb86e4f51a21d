"""Data frames as tables: the cache tells frames apart by their content and by the order of their rows."""

import pandas as pd

from omniretail.sources.frames import tables_of_frames


def test_another_order_of_rows_is_another_version(tmp_path) -> None:
    log = pd.DataFrame({"user_id": [1, 1], "item_id": [7, 8], "timestamp": ["2024-05-01", "2024-05-01"]})
    versions = [tables_of_frames(frame, {}, tmp_path).version for frame in (log, log.copy(), log.iloc[::-1])]
    assert versions[0] == versions[1]
    assert versions[0] != versions[2]
