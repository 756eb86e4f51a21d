"""Baskets: what a user took together, numbered in time."""

import ibis


def with_basket_numbers(events: ibis.Table) -> ibis.Table:
    """Canonical events with ``basket``, the number of each event's basket within the user's history, 0 the oldest.

    Events with the same ``basket_id`` are one basket, which begins with the first of them. Events without a
    ``basket_id`` are one basket per user and time. Baskets that begin at the same time are in the order of the file,
    where the events have a ``file_order``, else in that of ``basket_id``.
    """
    if "basket_id" not in events.columns:
        number = ibis.dense_rank().over(group_by="user_id", order_by="timestamp")
        return events.mutate(basket=number)
    first = events.timestamp.min().over(group_by=["user_id", "basket_id"])
    begun = events.mutate(_start=events.basket_id.isnull().ifelse(events.timestamp, first))
    order = "file_order" if "file_order" in events.columns else "basket_id"
    lowest = begun[order].min().over(group_by=["user_id", "basket_id", "_start"])
    number = ibis.dense_rank().over(group_by="user_id", order_by=["_start", "_lowest", "basket_id"])
    return begun.mutate(_lowest=lowest).mutate(basket=number).drop("_start", "_lowest")
