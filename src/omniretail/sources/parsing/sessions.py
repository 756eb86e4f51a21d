"""Sessions: events of a user without long pauses between them."""

from typing import Any

import ibis


def with_sessions(events: ibis.Table, minutes: float) -> ibis.Table:
    """Events with a ``basket_id``, where they have none: a new one begins after a pause of that many minutes.

    Args:
        events: canonical, with ``file_row``.
        minutes: the shortest pause between two sessions.
    """
    order = {"group_by": "user_id", "order_by": ["timestamp", "file_row"]}
    second: Any = events["timestamp"]
    second = second.epoch_seconds()
    pause = second - second.lag().over(ibis.window(**order))
    marked = events.mutate(_new=(pause >= minutes * 60).fill_null(True).cast("int64"))
    began: Any = marked["_new"]
    session = "session " + began.sum().over(ibis.cumulative_window(**order)).cast("string")
    basket_id = ibis.coalesce(marked.basket_id, session) if "basket_id" in marked.columns else session
    return marked.mutate(basket_id=basket_id).drop("_new")
