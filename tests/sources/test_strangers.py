"""Logs as other systems write them, with the settings that read them, and what is right."""

import io
import json
from datetime import datetime

import pandas as pd
import pytest

from omniretail.schema import DataError
from omniretail.sources.csv import CSV

UTC_NOON, SHANGHAI_NOON = datetime(2024, 5, 3, 12), datetime(2024, 5, 3, 4)


def workbook(rows: list[list]) -> bytes:
    """An Excel sheet with two lines of title above the names of the columns."""
    file = io.BytesIO()
    pd.DataFrame(rows).to_excel(file, header=False, index=False)
    return file.getvalue()


GA4 = [
    {
        "event_name": name,
        "event_timestamp": 1714737600000000,
        "user_pseudo_id": "12.34",
        "item_id": "sku",
        "items": [{"id": 1}],
        "ecommerce": {"value": 2.5},
    }
    for name in ("view_item", "add_to_cart", "purchase")
]
KINDS = {
    "a till of the continent": (
        "kasse.csv",
        "Kunde;Artikel;Datum;Menge;Betrag\nMüller;Käse;03.05.2024 12:00;2;1.234,50\n".encode("cp1252"),
        {
            "columns": {
                "user_id": "Kunde",
                "item_id": "Artikel",
                "timestamp": "Datum",
                "quantity": "Menge",
                "value": "Betrag",
            },
            "delimiter": "semicolon",
            "decimal": ",",
            "encoding": "cp1252",
            "timestamp_format": "%d.%m.%Y %H:%M",
        },
        [("Müller", "Käse", UTC_NOON, "purchase", 1234.5)],
    ),
    "behaviour of a Chinese shop": (
        "UserBehavior.csv",
        b"1,11,5,pv,1714708800\n1,12,5,fav,1714708800\n1,13,5,cart,1714708800\n1,14,5,buy,1714708800\n",
        {
            "header": ["user_id", "item_id", "category", "event_type", "timestamp"],
            "event_types": {"pv": "view", "buy": "purchase", "fav": "cart"},
            "timezone": "Asia/Shanghai",
        },
        [
            ("1", "11", SHANGHAI_NOON, "view", None),
            ("1", "12", SHANGHAI_NOON, "cart", None),
            ("1", "13", SHANGHAI_NOON, "cart", None),
            ("1", "14", SHANGHAI_NOON, "purchase", None),
        ],
    ),
    "Chinese words": (
        "会员.csv",
        (
            "会员号,商品编码,时间,行为,金额\n"
            "张三,茶,2024年05月03日 12:00:00,购买,9.9\n张三,茶,2024年05月03日 12:00:00,浏览,\n"
        ).encode("gb18030"),
        {
            "columns": {
                "user_id": "会员号",
                "item_id": "商品编码",
                "timestamp": "时间",
                "event_type": "行为",
                "value": "金额",
            },
            "encoding": "gb18030",
            "timestamp_format": "%Y年%m月%d日 %H:%M:%S",
            "timezone": "Asia/Shanghai",
            "guess": True,
        },
        [("张三", "茶", SHANGHAI_NOON, "购买", 9.9), ("张三", "茶", SHANGHAI_NOON, "浏览", None)],
    ),
    "an export of web events": (
        "events.jsonl",
        "\n".join(map(json.dumps, GA4)).encode(),
        {
            "columns": {"user_id": "user_pseudo_id", "timestamp": "event_timestamp", "event_type": "event_name"},
            "signals": {"view_item": "view"},
        },
        [("12.34", "sku", UTC_NOON, name, None) for name in ("view_item", "add_to_cart", "purchase")],
    ),
    "ratings": (
        "ratings.dat",
        b"1::1193::5::1714737600\n1::661::3::1714737600\n",
        {"header": ["user_id", "item_id", "rating", "timestamp"]},
        [("1", "1193", UTC_NOON, "rating", None), ("1", "661", UTC_NOON, "rating", None)],
    ),
    "a workbook with a title": (
        "sales.xlsx",
        workbook(
            [
                ["Sales of May", *[None] * 3],
                [None] * 4,
                ["user_id", "item_id", "timestamp", "value"],
                [7, "A1", UTC_NOON, 2.5],
            ]
        ),
        {},
        [("7", "A1", UTC_NOON, "purchase", 2.5)],
    ),
    "times with an offset": (
        "log.csv",
        b"user_id,item_id,timestamp\n"
        b"u,a,2024-05-03T12:00:00.000Z\nu,b,2024-05-03T20:00:00+08:00\nu,c,2024-05-03 20:00:00+0800\n",
        {},
        [("u", item, UTC_NOON, "purchase", None) for item in "abc"],
    ),
    "a flag of purchases": (
        "flag.csv",
        b"user_id,item_id,timestamp,is_purchase\nu,a,2024-05-03 12:00:00,1\nu,b,2024-05-03 12:00:00,0\n",
        {"columns": {"event_type": "is_purchase"}, "event_types": {1: "purchase", 0: "view"}},
        [("u", "a", UTC_NOON, "purchase", None), ("u", "b", UTC_NOON, "view", None)],
    ),
    "a flag in Parquet": (
        "flag.parquet",
        pd.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "b"], "timestamp": UTC_NOON, "bought": [True, False]}),
        {"columns": {"event_type": "bought"}, "event_types": {True: "purchase", False: "view"}},
        [("u", "a", UTC_NOON, "purchase", None), ("u", "b", UTC_NOON, "view", None)],
    ),
    "tabs, quotes and UTF-16": (
        "log.tsv",
        'user_id\titem_id\ttimestamp\tvalue\n"u ""x"""\t"a\tb"\t20240503120000\t$1,234.50\n'.encode("utf-16"),
        {},
        [('u "x"', "a\tb", UTC_NOON, "purchase", 1234.5)],
    ),
    "thousands and a currency": (
        "log.csv",
        'user_id,item_id,timestamp,value\nu,a,2024-05-03 12:00,"1,234.50"\nu,b,2024-05-03 12:00,¥99\n'.encode(),
        {},
        [("u", "a", UTC_NOON, "purchase", 1234.5), ("u", "b", UTC_NOON, "purchase", 99.0)],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_strangers_log_is_read_right(kind, tmp_path, loaded, rows):
    name, content, settings, expected = KINDS[kind]
    path = tmp_path / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path, index=False)
    else:
        path.write_bytes(content)
    events = rows(loaded(CSV(path, **settings)).events)
    fields = ("user_id", "item_id", "timestamp", "event_type", "value")
    assert [tuple(event.get(field) for field in fields) for event in events] == expected


def test_a_comma_that_may_be_either_is_asked_about(tmp_path, loaded, rows):
    path = tmp_path / "log.csv"
    path.write_text('user_id,item_id,timestamp,value\nu,a,2024-05-03,"1,234"\n')
    with pytest.raises(DataError, match=r"""set 'source.thousands=","', or 'source.decimal=","' where"""):
        loaded(CSV(path))
    assert [each["value"] for each in rows(loaded(CSV(path, thousands=",")).events)] == [1234]
    assert [each["value"] for each in rows(loaded(CSV(path, decimal=",")).events)] == [1.234]
