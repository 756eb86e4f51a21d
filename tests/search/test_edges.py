"""A winner at the edge of its space is said, with the setting that widens it."""

from omegaconf import OmegaConf

from omniretail.search.edges import at_the_edge
from omniretail.search.space import Dimension
from tests.conftest import composed

L2 = Dimension("model.l2", 1.0, 10_000.0, log=True)


def test_the_override_that_widens_it() -> None:
    cfg = OmegaConf.create(composed("model=recommender/ease"), flags={"readonly": False})
    (sentence,) = at_the_edge(cfg, [L2], {"model.l2": 9_950.0})
    assert sentence.endswith(
        "lies at the edge of its space, 1 to 10000; go on with a wider one: search.space.model.l2.high=1000000.0"
    )
    assert at_the_edge(cfg, [L2], {"model.l2": 100.0}) == []


def test_a_limit_of_the_model_is_no_edge() -> None:
    cfg = OmegaConf.create(composed("model=recommender/tifu_knn"), flags={"readonly": False})
    alpha = Dimension("model.alpha", 0.0, 1.0)
    assert at_the_edge(cfg, [alpha], {"model.alpha": 1.0}) == []
