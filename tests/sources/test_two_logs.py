import pytest

from omniretail.schema import DataError
from omniretail.sources.csv import CSV
from omniretail.sources.two_logs import TwoLogs
from omniretail.splits.baskets import with_basket_numbers

WEB = "user_id,item_id,timestamp,basket_id\nann,1,2024-01-01,7\nbob,2,2024-01-02,8\ncat,1,2024-01-03,9\n"
TILL = "card,item_id,timestamp,quantity\nc1,1,2024-01-01,2\nc1,3,2024-01-04,1\nc2,3,2024-01-05,1\nann,9,2024-01-06,1\n"
CARDS = {"user_id": "card"}


@pytest.fixture
def logs(tmp_path):
    def write(link=None, web=WEB, till=TILL, **settings):
        (tmp_path / "web.csv").write_text(web)
        (tmp_path / "till.csv").write_text(till)
        if link is not None:
            (tmp_path / "link.csv").write_text(link)
            settings["link"] = tmp_path / "link.csv"
        return TwoLogs(CSV(tmp_path / "web.csv"), CSV(tmp_path / "till.csv", columns=CARDS), **settings)

    return write


def triples(tables, rows):
    return sorted((event["user_id"], event["item_id"], event["channel"]) for event in rows(tables.events))


def test_without_a_link_equal_ids_are_one_customer_and_equal_items_are_two(logs, loaded, rows):
    tables = loaded(logs())
    assert triples(tables, rows) == [
        ("ann", "offline:9", "offline"),
        ("ann", "online:1", "online"),
        ("bob", "online:2", "online"),
        ("c1", "offline:1", "offline"),
        ("c1", "offline:3", "offline"),
        ("c2", "offline:3", "offline"),
        ("cat", "online:1", "online"),
    ]


def test_with_a_link_the_keys_decide_and_an_equal_id_does_not(logs, loaded, rows):
    tables = loaded(logs("key_a,key_b\nbob,c1\n"))
    of = {(user, channel) for user, _, channel in triples(tables, rows)}
    assert of == {
        ("ann", "online"),
        ("bob", "online"),
        ("bob", "offline"),
        ("cat", "online"),
        ("offline:ann", "offline"),
        ("offline:c2", "offline"),
    }


def test_rows_of_the_link_file_that_say_nothing_are_counted(logs, loaded):
    link = "key_a,key_b\nbob,c1\nbob,c1\nann,\n,c2\nnobody,c2\ncat,c99\n"
    drops = loaded(logs(link)).drops
    assert drops["link: repeated row"] == 1
    assert drops["link: no key"] == 2
    assert drops["link: key that is in no log"] == 2
    assert drops["online: no user"] == 0


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("key_a,key_b\nbob,c1\nbob,c2\n", "link.csv: key_a 'bob' has 2 different key_b; keep one row for each"),
        ("key_a,key_b\nbob,c1\nann,c1\n", "link.csv: key_b 'c1' has 2 different key_a; keep one row for each"),
        ("key_a,key_b\nnobody,c1\n", "no customer is in both logs; set source.link"),
        ("web,till\nbob,c1\n", "link.csv has no column 'key_a'; set source.link_columns.key_a"),
    ],
)
def test_a_link_file_that_cannot_be_used_is_refused(logs, loaded, link, message):
    with pytest.raises(DataError, match=message):
        loaded(logs(link))


def test_columns_of_the_link_file_are_mapped(logs, loaded, rows):
    tables = loaded(logs("web,till\nbob,c1\n", link_columns={"key_a": "web", "key_b": "till"}))
    assert ("bob", "offline:3", "offline") in triples(tables, rows)


def test_baskets_are_named_after_their_channel_and_where_a_log_has_none_each_time_is_a_basket(logs, loaded, rows):
    till = "card,item_id,timestamp,quantity\nann,1,2024-01-01,1\nann,2,2024-01-01,1\nann,2,2024-01-07,1\n"
    events = loaded(logs(till=till)).events
    assert {e["basket_id"] for e in rows(events) if e["item_id"] == "online:1"} == {"online:7", "online:9"}
    baskets = {(e["item_id"], e["basket"]) for e in rows(with_basket_numbers(events)) if e["user_id"] == "ann"}
    assert baskets == {("online:1", 0), ("offline:1", 1), ("offline:2", 1), ("offline:2", 2)}


def test_items_of_both_are_described(tmp_path, loaded, rows):
    for name, text in {"a": "1,2024-01-01,tea", "b": "1,2024-01-01,pot"}.items():
        item, day, word = text.split(",")
        (tmp_path / f"{name}.csv").write_text(f"user_id,item_id,timestamp\nann,{item},{day}\n")
        (tmp_path / f"{name}_items.csv").write_text(f"item_id,{'name' if name == 'a' else 'category'}\n{item},{word}\n")
    a, b = (CSV(tmp_path / f"{name}.csv", items_path=tmp_path / f"{name}_items.csv") for name in ("a", "b"))
    items = {item["item_id"]: item for item in rows(loaded(TwoLogs(a, b)).items)}
    assert items["online:1"]["name"] == "tea"
    assert items["offline:1"]["category"] == "offline:pot"
    assert items["online:1"]["category"] is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": CSV()}, "log a has no path: set source.a.path"),
        ({"channel_b": "online"}, "both channels are called 'online'"),
    ],
)
def test_settings_that_cannot_be_used_are_named(logs, settings, message):
    whole = logs()
    given = {"a": whole.a, "b": whole.b, "channel_a": whole.channel_a, "channel_b": whole.channel_b} | settings
    with pytest.raises(DataError, match=message):
        TwoLogs(**given).files()


def test_a_logs_own_mistake_names_its_setting(logs, loaded):
    with pytest.raises(DataError, match=r"till.csv has no column 'card'; set source.b.columns.user_id"):
        loaded(logs(till="person,item_id,timestamp\nann,1,2024-01-01\n"))


def test_two_currencies_are_refused(tmp_path, logs, loaded):
    whole = logs()
    euros = CSV(tmp_path / "web.csv", currency="EUR")
    with pytest.raises(DataError, match="in EUR and USD; convert one"):
        loaded(TwoLogs(euros, CSV(tmp_path / "till.csv", columns=CARDS, currency="USD")))
    assert whole.files()


def test_a_setting_of_an_inner_log_makes_another_version_and_its_place_does_not(tmp_path, logs, loaded):
    version = loaded(logs()).version
    (tmp_path / "elsewhere").mkdir()
    for name in ("web.csv", "till.csv"):
        (tmp_path / "elsewhere" / name).write_text((tmp_path / name).read_text())
    there = tmp_path / "elsewhere"
    assert loaded(TwoLogs(CSV(there / "web.csv"), CSV(there / "till.csv", columns=CARDS))).version == version
    other = TwoLogs(CSV(there / "web.csv", event_type="view"), CSV(there / "till.csv", columns=CARDS))
    assert loaded(other).version != version
