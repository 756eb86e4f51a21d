import numpy as np
import pandas as pd
import pytest

from omniretail.o2o.effects.channel import channel_effect
from omniretail.o2o.effects.distance_decay import StoreChoice
from omniretail.schema import DataError
from omniretail.views.stores.nearby_choices import store_choices
from tests.conftest import shop_events, tables_of


def test_chances_are_in_proportion_to_visits_where_an_attribute_tells_all_stores_apart():
    attributes = np.array([[[0.0], [1.0]], [[1.0], [0.0]]])
    model = StoreChoice().fit(attributes, np.array([[3.0, 1.0], [1.0, 3.0]]))
    assert model.coefficients_ == pytest.approx([-np.log(3)])
    assert model.errors_ == pytest.approx([1 / np.sqrt(8 * 3 / 16)])  # information: visits x chance x (1 - chance)
    np.testing.assert_allclose(model.predict_proba(attributes), [[0.75, 0.25], [0.25, 0.75]])


@pytest.mark.parametrize(
    ("attributes", "visits", "message"),
    [
        (np.ones((2, 3, 1)), np.ones((2, 3)), "the same in all stores"),
        (np.ones((2, 1, 1)), np.ones((2, 1)), "two stores or more"),
        (np.ones((2, 3, 1)), np.zeros((2, 3)), "customers with visits"),
    ],
)
def test_what_cannot_be_learned_is_said(attributes, visits, message):
    with pytest.raises(ValueError, match=message):
        StoreChoice().fit(attributes, visits)


def test_within_a_customer_the_effect_is_the_ratio_of_their_means():
    customer = np.array([0, 0, 0, 1, 2])
    online = np.array([True, False, False, True, False])
    lines = np.array([6.0, 2.0, 4.0, 100.0, 1.0])
    found = channel_effect(customer, online, lines)
    assert found.within == pytest.approx(np.log(6 / 3))
    assert found.customers == 1
    assert found.naive == pytest.approx(np.log(53) - np.log(7 / 3))


def test_customers_of_one_channel_only_are_said():
    with pytest.raises(ValueError, match="no customer bought in both channels"):
        channel_effect(np.array([0, 1]), np.array([True, False]), np.array([1.0, 2.0]))


def test_places_that_are_not_known_are_said():
    with pytest.raises(DataError, match="users have no place"):
        store_choices(tables_of(shop_events(n_users=3)))


def placed_shop(**changed: pd.DataFrame):
    """Customers 0 to 2 go to the stores of their number; all live and stand on a line."""
    events = shop_events(n_users=3).assign(store_id=lambda each: each.user_id)
    users = pd.DataFrame({"user_id": [0, 1, 2], "x_km": [0.0, 1.0, 2.0], "y_km": 0.0})
    stores = users.rename(columns={"user_id": "store_id"})
    given = {"events": events, "users": users, "stores": stores} | changed
    return tables_of(given.pop("events"), **given)


def test_a_store_that_is_not_known_counts_as_elsewhere():
    whole = store_choices(placed_shop())
    assert whole.elsewhere == 0
    np.testing.assert_array_equal(whole.store_id[:, 0], [0, 1, 2])
    np.testing.assert_array_equal(whole.visits > 0, [[True, False, False]] * 3)
    fewer = store_choices(placed_shop(stores=pd.DataFrame({"store_id": [0, 1], "x_km": [0.0, 1.0], "y_km": 0.0})))
    assert fewer.elsewhere == whole.visits[2].sum()
    np.testing.assert_array_equal(fewer.visits[:2], whole.visits[:2, :2])
    assert not fewer.visits[2].any()


def test_a_customer_without_a_place_has_no_choice_and_touches_nobody_elses():
    somewhere = pd.DataFrame({"user_id": [0, 1, 2], "x_km": [0.0, 1.0, None], "y_km": 0.0})
    for users in (somewhere, somewhere[:2]):
        found = store_choices(placed_shop(users=users))
        assert found.user_id.tolist() == [0, 1]
        np.testing.assert_array_equal(found.visits, store_choices(placed_shop()).visits[:2])
    with pytest.raises(DataError, match="no customer with a place visited a store"):
        store_choices(placed_shop(users=somewhere.assign(user_id=[7, 8, 9])))


def test_customers_who_shop_online_only_have_no_choice():
    online = shop_events(n_users=3).assign(store_id=lambda each: each.user_id.where(each.user_id == 1).astype("Int64"))
    assert store_choices(placed_shop(events=online)).user_id.tolist() == [1]
    with pytest.raises(DataError, match="events have no store_id"):
        store_choices(placed_shop(events=online.drop(columns="store_id")))
