"""The same log in every form that people have it in."""

import gzip
import json
import shlex
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from pyarrow import feather

from omniretail.core import engine
from omniretail.schema import DataError, Tables
from omniretail.sources.csv import CSV
from omniretail.sources.protocol import load

NAMES = ["user_id", "item_id", "timestamp", "value"]
ROWS = [
    ["007", "绿茶", "2024-05-31 18:30:00", "1.5"],
    ["8", "Crème", "2024-05-31 18:31:00", "20"],
    ["8", "7", "2024-06-01 18:31:00", "0.25"],
]
FRAME = pd.DataFrame(ROWS, columns=NAMES).assign(value=[1.5, 20, 0.25])


def text(mark: str = ",", header: bool = True, decimal: str = ".") -> str:
    lines = [NAMES] * header + [[*row[:3], row[3].replace(".", decimal)] for row in ROWS]
    return "".join(mark.join(line) + "\n" for line in lines)


def fixed(header: bool = True) -> str:
    rows = [NAMES] * header + ROWS
    return "".join(f"{a:<8}{b:<8}{c:<21}{d}\n" for a, b, c, d in rows)


def write_zip(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def write_parts(path: Path) -> None:
    (path / "day=1").mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(FRAME[:1]), path / "part-0.parquet")
    pq.write_table(pa.Table.from_pandas(FRAME[1:]), path / "part-1.parquet")
    (path / "_SUCCESS").write_text("")
    (path / "day=1").rmdir()


def write_stream(path: Path) -> None:
    table = pa.Table.from_pandas(FRAME)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)


def records() -> list[dict]:
    return [dict(zip(NAMES, row, strict=True)) for row in ROWS]


def plain(content: str, encoding: str = "utf-8"):
    return lambda path: path.write_bytes(content.encode(encoding))


def arrow(path: Path) -> None:
    feather.write_feather(pa.Table.from_pandas(FRAME), str(path))


FORMS = [
    ("log.csv", plain(text()), {}),
    ("log.csv", plain(text(header=False)), {"header": NAMES}),
    ("log.dat", plain(text("::", header=False)), {"header": NAMES}),
    ("log.dat", plain(text("::")), {}),
    ("log.txt", plain(text("::")), {"delimiter": "::"}),
    ("log.csv", plain(text("\t")), {"delimiter": "tab"}),
    ("log.csv", plain(text("\t")), {"delimiter": r"\t"}),
    ("log.csv", plain(text("|")), {"delimiter": "pipe"}),
    ("log.data", plain(text("|")), {}),
    ("log.csv", plain(text(";", decimal=",")), {"delimiter": ";", "decimal": ","}),
    ("log.txt", plain(text("   ").replace(" 18:3", "T18:3")), {"delimiter": "blanks"}),
    ("log", plain(text("  \t").replace(" 18:3", "T18:3")), {}),
    ("log.txt", plain(fixed()), {"widths": [8, 8, 21, 5]}),
    ("log.txt", plain(fixed(header=False)), {"widths": [8, 8, 21, 5], "header": NAMES}),
    ("log.csv", plain(text(), "utf-16"), {}),
    ("log.csv", plain(text(), "utf-16-le"), {}),
    ("log.csv", plain(text(), "utf-16-be"), {}),
    ("log.csv", plain(text(), "utf-32"), {}),
    ("log.csv", plain(text(), "utf-8-sig"), {}),
    ("log.csv", plain(text(), "gb18030"), {"encoding": "gb18030"}),
    ("log.csv", plain(text()), {"encoding": "gb18030"}),  # the setting is for files that are not UTF-8
    ("log.csv.gz", lambda path: path.write_bytes(gzip.compress(text().encode())), {}),
    ("log.csv", lambda path: path.write_bytes(gzip.compress(text().encode("gb18030"))), {"encoding": "gb18030"}),
    ("log.csv.zst", lambda path: path.write_bytes(pa.compress(text().encode(), "zstd", asbytes=True)), {}),
    ("log.zip", lambda path: write_zip(path, "a folder/sales.csv", text().encode()), {}),
    ("log.zip", lambda path: write_zip(path, "sales.tsv", text("\t").encode("utf-16")), {}),
    ("log.parquet", lambda path: FRAME.to_parquet(path), {}),
    ("log.pq", lambda path: FRAME.assign(timestamp=pd.to_datetime(FRAME.timestamp)).to_parquet(path), {}),
    ("parts", write_parts, {}),
    ("log.arrow", arrow, {}),
    ("log.feather", arrow, {}),
    ("log.arrows", write_stream, {}),
    ("log.jsonl", plain("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records())), {}),
    ("log.json", plain(json.dumps(records())), {}),
    ("log.xlsx", lambda path: FRAME.to_excel(path, index=False), {}),
    (
        "log.xlsx",
        lambda path: FRAME.to_excel(path, index=False, header=False, sheet_name="May"),
        {"header": NAMES, "sheet": "May"},
    ),
]


def read(path: Path, **settings) -> Tables:
    return load(CSV(path, **settings), path.parent / "cache")


@pytest.mark.parametrize(("name", "write", "settings"), FORMS)
def test_every_form_gives_the_same_events(tmp_path, rows, name, write, settings):
    write(tmp_path / name)
    events = rows(read(tmp_path / name, **settings).events)
    found = sorted((e["user_id"], e["item_id"], e["timestamp"], e["value"]) for e in events)
    assert found == [
        ("007", "绿茶", datetime(2024, 5, 31, 18, 30), 1.5),
        ("8", "7", datetime(2024, 6, 1, 18, 31), 0.25),
        ("8", "Crème", datetime(2024, 5, 31, 18, 31), 20.0),
    ]


SAMPLES = {
    "cp1252": "Größe,Käse,Crème brûlée",
    "gb18030": "绿茶,龙井茶叶一百克,可口可乐",
    "big5": "綠茶,龍井茶葉,可口可樂",
    "cp1251": "Молоко,Чай зелёный",
    "cp1250": "Žluťoučký,kůň,mléko",
    "shift_jis": "コーヒー,おいしい",
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_the_hint_for_an_encoding_is_right(tmp_path, rows, encoding):
    path = tmp_path / "log.csv"
    lines = [f"1,{item},2024-05-31\n" for item in SAMPLES[encoding].split(",")]
    path.write_bytes(("user_id,item_id,timestamp\n" + "".join(lines)).encode(encoding))
    with pytest.raises(DataError, match=f"looks like {encoding}") as error:
        read(path)
    events = rows(read(path, **pasted(error.value)).events)
    assert sorted(event["item_id"] for event in events) == sorted(SAMPLES[encoding].split(","))


def pasted(error: Exception, prefix: str = "source.") -> dict:
    """The settings that an error names, read as the shell and Hydra read them."""
    words = [word for word in shlex.split(str(error).replace("(", " ( ").partition(" set ")[2]) if "=" in word]
    override = OverridesParser.create().parse_override(words[0].rstrip(","))
    name, value = override.key_or_group.removeprefix(prefix), override.value()
    first, _, second = name.partition(".")
    return {first: {second: value} if second else value}


HOSTILE = [
    "Customer ID",
    "客户 编号",
    "user=id",
    "user[id]",
    "it's a user",
    'the "user"',
    "user,id",
    "user:${x}",
    "a\\b user",
    "#user",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hints_for_columns_work_when_pasted(tmp_path, rows, name):
    path = tmp_path / "log.csv"
    quoted = '"' + name.replace('"', '""') + '"'
    path.write_text(f"{quoted},item_id,timestamp\n1,2,2024-05-31\n")
    with pytest.raises(DataError) as error:
        read(path)
    assert len(rows(read(path, **pasted_columns(error.value)).events)) == 1


def pasted_columns(error: Exception) -> dict:
    text = str(error).partition("; set ")[2].rpartition(" (the file has")[0]
    (word,) = shlex.split(text)
    override = OverridesParser.create().parse_override(word)
    value = override.value()
    value = value.replace("\\${", "${") if isinstance(value, str) else value  # what OmegaConf makes of it
    return {"columns": {override.key_or_group.removeprefix("source.columns."): value}}


@pytest.mark.parametrize("mark", [";", "\t", "|", "::"])
def test_hints_for_delimiters_work_when_pasted(tmp_path, rows, mark):
    path = tmp_path / "log.csv"
    path.write_text(text(mark))
    with pytest.raises(DataError) as error:
        read(path)
    assert len(rows(read(path, **pasted(error.value)).events)) == 3


@pytest.mark.parametrize(
    "times",
    [["31/05/2024", "01/06/2024"], ["5/31/2024 6:30 PM"], ["31.05.2024 18:30"], ["31 May 2024"], ["2024年05月31日"]],
)
def test_hints_for_times_work_when_pasted(tmp_path, rows, times):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\n" + "".join(f"1,2,{time}\n" for time in times))
    with pytest.raises(DataError) as error:
        read(path)
    assert len(rows(read(path, **pasted(error.value)).events)) == len(times)


def test_a_decimal_comma_is_noticed(tmp_path, rows):
    path = tmp_path / "log.csv"
    path.write_text("user_id;item_id;timestamp;value\n1;2;2024-05-31;12,50\n1;3;2024-05-31;1.234,5\n")
    with pytest.raises(DataError, match=r"'12,50' is not a number .*source\.decimal") as error:
        read(path, delimiter=";")
    events = rows(read(path, delimiter=";", **pasted(error.value)).events)
    assert sorted(event["value"] for event in events) == [12.5, 1234.5]


LISTS = [
    (
        "log.parquet",
        lambda path: pq.write_table(
            pa.table({"user_id": [1, 2], "item_id": [[7, 8], []], "timestamp": ["2024-05-31"] * 2}), path
        ),
        {},
    ),
    ("log.csv", plain('user_id,item_id,timestamp\n1,"[7, 8]",2024-05-31\n2,[],2024-05-31\n'), {}),
    ("log.csv", plain("user_id,item_id,timestamp\n1,\"['7', '8']\",2024-05-31\n2,[],2024-05-31\n"), {}),
    (
        "log.jsonl",
        plain(
            '{"user_id":1,"item_id":[7,8],"timestamp":"2024-05-31"}\n{"user_id":2,"item_id":[],"timestamp":"2024-05-31"}\n'
        ),
        {},
    ),
]


@pytest.mark.parametrize(("name", "write", "settings"), LISTS)
def test_lists_are_refused_or_exploded(tmp_path, rows, name, write, settings):
    write(tmp_path / name)
    with pytest.raises(DataError, match=r"holds lists: .*source\.explode=\[item_id\]"):
        read(tmp_path / name)
    tables = read(tmp_path / name, explode=["item_id"])
    assert sorted(event["item_id"] for event in rows(tables.events)) == ["7", "8"]
    assert tables.drops["no item"] == 1


def test_lists_with_a_separator_and_their_amounts(tmp_path, rows):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp,quantity\n1,7|8,2024-05-31,1|2\n")
    events = rows(read(path, explode=["item_id", "quantity"], list_separator="|").events)
    assert sorted((event["item_id"], event["quantity"]) for event in events) == [("7", 1), ("8", 2)]


def test_ids_that_are_floats_in_one_table_and_text_in_another_match(tmp_path, rows):
    pd.DataFrame({"user_id": [1.0, None], "item_id": [7.0, 8.0], "timestamp": "2024-05-31"}).to_csv(
        tmp_path / "log.csv"
    )
    (tmp_path / "items.csv").write_text("item_id,name\n7,Tea\n")
    tables = read(tmp_path / "log.csv", items_path=tmp_path / "items.csv")
    (event,) = rows(tables.events)
    assert (event["user_id"], event["item_id"]) == ("1", "7")


def test_order_numbers_sessions_and_folds(tmp_path, rows):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,order_number,eval_set\n1,a,2,test\n1,b,1,train\n2,c,1,train\n")
    tables = read(path, columns={"order": "order_number", "fold": "eval_set"})
    assert not tables.card.clock
    assert [event["item_id"] for event in rows(tables.events)] == ["b", "a", "c"]
    assert [event["fold"] for event in rows(tables.events)] == ["train", "test", "train"]
    assert [e["item_id"] for e in rows(read(path, in_order=True).events)] == ["a", "b", "c"]
    path.write_text(
        "user_id,item_id,timestamp\n1,a,2024-05-31 10:00\n1,b,2024-05-31 10:20\n"
        "1,c,2024-05-31 11:00\n2,d,2024-05-31 10:30\n"
    )
    baskets = [event["basket_id"] for event in rows(read(path, session_minutes=30).events)]
    assert baskets[0] == baskets[1]
    assert baskets[1] != baskets[2]


def test_rows_from_the_future_come_when_their_day_comes(tmp_path, monkeypatch):
    from omniretail.sources import protocol

    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\n1,2,2024-05-31\n1,3,2999-05-31\n")
    now = read(path)
    assert (engine.count(now.events), now.drops["in the future"]) == (1, 1)
    real = protocol.datetime

    class Later(real):
        @classmethod
        def now(cls, tz=None):
            return real(3000, 1, 1, tzinfo=tz)

    monkeypatch.setattr(protocol, "datetime", Later)
    later = read(path)
    assert (engine.count(later.events), later.drops.get("in the future", 0)) == (2, 0)
    assert later.version != now.version


def test_home_is_expanded(tmp_path, monkeypatch, rows):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "log.csv").write_text(text())
    assert len(rows(load(CSV("~/log.csv"), tmp_path / "cache").events)) == 3
