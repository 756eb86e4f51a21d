"""Settings of rules that are out of range are refused when a rule is made, in a sentence that names the setting."""

from collections.abc import Callable

import pytest

from omniretail.policies.chain import Chain
from omniretail.policies.lists import CategoryCap
from omniretail.policies.store_limits import WithinDistance
from omniretail.policies.stores import InStock, OwnStore, Sold

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Chain([], fallback="popular"), "Chain: fallback='popular' must be one of"),  # type: ignore[arg-type]
    (lambda: Chain([], weeks=0), "Chain: weeks=0 must be above 0"),
    (lambda: OwnStore(choice="nearest"), "OwnStore: choice='nearest' must be one of"),  # type: ignore[arg-type]
    (lambda: OwnStore(weeks=-1), "OwnStore: weeks=-1 must be above 0"),
    (lambda: Sold(weeks=0), "Sold: weeks=0 must be above 0"),
    (lambda: Sold(at_least=0), "Sold: at_least=0 must be 1 or more"),
    (lambda: InStock("stock.csv", at_least=0), "InStock: at_least=0 must be above 0"),
    (lambda: WithinDistance(-1, "places.csv"), "WithinDistance: km=-1 must be 0 or more"),
    (lambda: CategoryCap(0), "CategoryCap: cap=0 must be 1 or more"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message.partition(" must")[0] for _, message in REFUSED])
def test_settings_out_of_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
