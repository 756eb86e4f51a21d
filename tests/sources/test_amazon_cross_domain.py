import pandas as pd
import pytest

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.amazon_cross_domain import AmazonCrossDomain, _pairs
from omniretail.splits.duplicate_items import duplicate_items
from omniretail.splits.fixed import Fixed
from omniretail.splits.target_channel import TargetChannel


@pytest.fixture
def pair(tmp_path):
    """Item 1 of a and item 50 of b are one product: all its buyers are the same, one of them in a's test file."""

    def write(a="0\t1\t1\n1\t1\t1\n1\t2\t1\n2\t3\t1\n", a_test="2\t1\t1\n1\t2\t1\n", b=None, b_test="0\t51\t1\n"):
        b = "0\t50\t1\n1\t50\t1\n2\t50\t1\n0\t52\t1\n2\t1\t1\n" if b is None else b
        for folder, train, test in (("a_b", a, a_test), ("b_a", b, b_test)):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / "train.txt").write_text(train)
            (tmp_path / folder / "test.txt").write_text(test)
        return tmp_path

    return write


def sorted_events(tables, rows):
    return sorted((e["user_id"], e["item_id"], e["channel"], e["fold"]) for e in rows(tables.events))


def test_two_domains_are_two_channels(pair, loaded, rows):
    tables = loaded(AmazonCrossDomain(pair(), target_channel="a", source_channel="b"))
    assert sorted_events(tables, rows) == [
        (0, "a:1", "a", "train"),
        (0, "b:50", "b", "train"),
        (0, "b:52", "b", "train"),
        (1, "a:1", "a", "train"),
        (1, "a:2", "a", "train"),
        (1, "b:50", "b", "train"),
        (2, "a:1", "a", "test"),
        (2, "a:3", "a", "train"),
        (2, "b:1", "b", "train"),
        (2, "b:50", "b", "train"),
    ]
    assert tables.drops == {"test pair that train has too": 1}
    assert "split.duplicate_items says whether they stay" in tables.card.note
    assert not tables.card.clock


def test_the_others_test_is_never_read_as_events(pair, loaded, rows):
    tables = loaded(AmazonCrossDomain(pair(), target_channel="b", source_channel="a"))
    assert [event for event in sorted_events(tables, rows) if event[3] == "test"] == [(0, "b:51", "b", "test")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_channel": "c"}, r"no pair c_b; choose target_channel and source_channel among \['a_b', 'b_a'\]"),
    ],
)
def test_mistakes_are_named(pair, loaded, settings, message):
    with pytest.raises(DataError, match=message):
        loaded(AmazonCrossDomain(pair(), **({"target_channel": "a", "source_channel": "b"} | settings)))


def test_a_broken_line_is_named_by_file(pair, loaded):
    with pytest.raises(DataError, match=r"a_b/train.txt: lines must be 'user item 1'"):
        loaded(AmazonCrossDomain(pair(a="0\tone\t1\n"), target_channel="a", source_channel="b"))


def test_duplicates_share_most_of_their_buyers():
    one = pd.DataFrame([(u, "shoe") for u in range(4)] + [(9, "sock"), (8, "sock")], columns=["user_id", "item_id"])
    most = pd.DataFrame([(u, "same") for u in range(3)] + [(9, "single")], columns=["user_id", "item_id"])
    few = pd.DataFrame([(u, "wide") for u in (2, 3, 20, 21, 22)], columns=["user_id", "item_id"])
    assert [each.tolist() for each in duplicate_items(one, most)] == [["shoe"], ["same"]]  # 3 of 4
    assert [each.tolist() for each in duplicate_items(one, few)] == [[], []]  # 2 of 7
    assert [each.tolist() for each in duplicate_items(one, few, min_jaccard=2 / 7)] == [["shoe"], ["wide"]]


@pytest.mark.data
@pytest.mark.parametrize(("target", "other", "dropped"), [("sport", "cloth", 11_514), ("phone", "electronic", 4_917)])
def test_the_public_files(public, loaded, target, other, dropped):
    events = loaded(AmazonCrossDomain(public("amazon_cross_domain"), target, other)).events
    drop, keep = (TargetChannel(target, Fixed(None), each).cutoff(events, "test") for each in ("drop", "keep"))
    assert engine.count(keep.before) - engine.count(drop.before) == dropped
    assert engine.count(drop.held_out) == {"sport": 8_326, "phone": 2_559}[target]


@pytest.mark.data
@pytest.mark.parametrize(
    ("target", "other", "with_duplicate", "given_away"),
    [
        ("sport", "cloth", 0.211, 0.185),
        ("cloth", "sport", 0.198, 0.170),
        ("phone", "electronic", 0.125, 0.121),
        ("electronic", "phone", 0.068, 0.064),
    ],
)
def test_how_often_a_duplicate_gives_the_answer_away(public, target, other, with_duplicate, given_away):
    """Held-out items with a duplicate, and those whose duplicate the same customer has in the other training file."""
    folder = public("amazon_cross_domain")
    pair, reverse = folder / f"{target}_{other}", folder / f"{other}_{target}"
    files = (pair / "train.txt", pair / "test.txt", reverse / "train.txt", reverse / "test.txt")
    train, test, theirs, their_test = (_pairs(path) for path in files)
    pairs = pd.DataFrame(
        dict(zip("ab", duplicate_items(pd.concat([train, test]), pd.concat([theirs, their_test])), strict=True))
    )
    held_out = test.merge(pairs, left_on="item_id", right_on="a")
    known = held_out.merge(theirs, left_on=["user_id", "b"], right_on=["user_id", "item_id"])
    assert round(held_out.drop_duplicates("user_id").shape[0] / len(test), 3) == with_duplicate
    assert round(known.user_id.nunique() / len(test), 3) == given_away
