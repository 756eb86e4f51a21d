"""The layouts of public files that docs/sources.md lists, each read with its settings."""

import re
import shlex
from datetime import datetime

import pytest

from omniretail.config import compose, make
from omniretail.sources.protocol import load
from tests.conftest import ROOT

FILES = {
    "MovieLens 1M": ("ratings.dat", "1::1193::5::978300760\n"),
    "MovieLens 100K": ("u.data", "1\t1193\t5\t978300760\n"),
    "MovieLens latest": ("ratings.csv", "userId,movieId,rating,timestamp\n1,1193,5.0,978300760\n"),
    "REES46": (
        "2019-Oct.csv",
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
        "2000-12-31 22:12:40 UTC,view,1193,2,,,35.79,1,72d7\n",
    ),
    "RetailRocket": ("events.csv", "timestamp,visitorid,event,itemid,transactionid\n978300760000,1,view,1193,\n"),
    "Instacart": ("orders.csv", "order_id,user_id,eval_set,order_number,product_id\n7,1,prior,1,1193\n"),
    "Dunnhumby": (
        "transactions.csv",
        "SHOP_WEEK,SHOP_DATE,SHOP_HOUR,QUANTITY,SPEND,PROD_CODE,CUST_CODE,BASKET_ID,STORE_CODE\n"
        "200053,20001231,22,1,1.5,1193,1,9,S1\n",
    ),
    "Olist": (
        "orders.csv",
        "order_id,customer_unique_id,order_purchase_timestamp,product_id,price\nab,1,2000-12-31 22:12:40,1193,5.0\n",
    ),
    "Taobao": ("UserBehavior.csv", "1,1193,7,pv,978300760\n"),
    "Last.fm 1K": ("plays.tsv", "1\t2000-12-31T22:12:40Z\t1193\tBjörk\tx\tJóga\n"),
}
LINES = dict(
    re.findall(r"^\| ([^|,]+?)(?:,[^|]*)? \| (.*) \|$", (ROOT / "docs" / "sources.md").read_text(), re.MULTILINE)
)


@pytest.mark.parametrize("layout", FILES)
def test_a_layout_is_read_with_the_settings_of_the_document(tmp_path, rows, layout):
    name, text = FILES[layout]
    (tmp_path / name).write_text(text)
    settings = shlex.split(" ".join(re.findall(r"`([^`]+)`", LINES[layout])))
    cfg = compose("source=csv", f"source.path={tmp_path / name}", *settings)
    (event,) = rows(load(make(cfg.source), tmp_path / "cache").events)
    assert (event["user_id"], event["item_id"]) == ("1", "1193")
    expected = {"Instacart": datetime(1970, 1, 1, 0, 0, 1), "Dunnhumby": datetime(2000, 12, 31)}
    assert event["timestamp"] == expected.get(layout, datetime(2000, 12, 31, 22, 12, 40))
