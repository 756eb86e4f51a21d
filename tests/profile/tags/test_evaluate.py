"""The tags task: metrics per tag, the card, the portrait, and mistakes."""

from pathlib import Path

import pytest
import yaml

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags.evaluate import Tags
from omniretail.report.pages.tags import page
from omniretail.splits.temporal import Temporal
from omniretail.tasks import Evaluation
from tests.conftest import shop_events, tables_of
from tests.profile.tags.factories import DEFAULT

RULES = yaml.safe_load(DEFAULT.read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    tables = tables_of(shop_events(n_users=60, n_days=300))
    return Dataset(tables, Temporal(28), tmp_path_factory.mktemp("cache"))


def evaluated(data: Dataset, **settings: object) -> Evaluation:
    return Tags(RULES, **settings).evaluate(ProfileTable(), data, "test")  # type: ignore[arg-type]


def test_each_tag_is_a_group_and_shares_are_means_over_customers(data: Dataset) -> None:
    result = evaluated(data).result
    learned = result.counts["tags"]
    assert learned + result.counts["left_out"] == len(RULES)
    shares = [key for key in result.values() if key.endswith("/share")]
    assert len(shares) == learned == result.per_unit.shape[1]
    for share in shares:
        assert result.value(share) == pytest.approx(result.per_unit[share].mean()), share
    assert result.value("share") == pytest.approx(result.per_unit.mean().mean())
    assert 0 < result.value("loyal/jaccard") <= result.value("loyal/retained") <= 1


@pytest.mark.parametrize(
    ("settings", "phrase"),
    [
        ({}, "bargain_hunter"),
        ({"customer": 7}, "Customer 7"),
        ({"segment": "big_basket", "min_customers": 1}, "Big basket"),
    ],
)
def test_the_page_is_the_table_the_card_or_the_portrait(
    data: Dataset, tmp_path: Path, settings: dict[str, object], phrase: str
) -> None:
    page(tmp_path / "page.html", evaluated(data, **settings), data.tables.card)
    text = (tmp_path / "page.html").read_text()
    assert phrase in text
    assert "test shop, events before 29 September 2024" in text


def test_what_is_shown_is_no_part_of_the_protocol(data: Dataset) -> None:
    assert evaluated(data).result.protocol == evaluated(data, customer="7", min_customers=3).result.protocol
    assert evaluated(data).result.protocol != evaluated(data, days=14).result.protocol


def test_mistakes_are_one_sentence(data: Dataset) -> None:
    with pytest.raises(ValueError, match=r"set task\.customer or task\.segment, not both"):
        Tags(customer=1, segment="loyal")
    with pytest.raises(ValueError, match="Tags: days=0 must be above 0"):
        Tags(days=0)
    with pytest.raises(ValueError, match="there is no customer nobody among the"):
        evaluated(data, customer="nobody")
    with pytest.raises(ValueError, match="there is no tag loyall; did you mean loyal"):
        evaluated(data, segment="loyall")
    with pytest.raises(DataError, match=r"CountSVD has no table\(\).*such as model=profile/table"):
        Tags(RULES).evaluate(CountSVD(), data, "test")  # type: ignore[arg-type]
