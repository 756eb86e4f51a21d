"""The figures of RecBole's own pipeline on its bundled ml-100k, reproduced with our scores and our metrics."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.metrics.ranking import ndcg_at_k, recall_at_k
from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import module
from omniretail.models.top_k import recommend
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.recommenders.recbole.conftest import needs_recbole

pytestmark = [needs_recbole, pytest.mark.slow]

# Recall@10 and NDCG@10 of RecBole's quick start: random split 8:1:1 of each user's ratings, seed 1, its own defaults
RECBOLES_OWN = {"EASE": (0.2776, 0.3301), "ItemKNN": (0.2451, 0.2773)}
METRICS = Metrics((10,), "ndcg_at_10", {"recall": recall_at_k, "ndcg": ndcg_at_k}, {})


@pytest.mark.parametrize("name", RECBOLES_OWN)
def test_recboles_figures(name: str) -> None:
    train, valid, test = recboles_split(name)
    fold = fold_of(train, test)

    def hide_train_and_valid(scores: np.ndarray, users: Histories) -> np.ndarray:
        scores[((train + valid)[users.user_idx] > 0).toarray()] = -np.inf
        return scores

    model = RecBole(name, seed=1).fit(fold.train)
    ranked, _ = recommend(model, fold.users, 10, hide_train_and_valid)
    per_user, _, _ = evaluate_lists(ranked, fold, METRICS)
    means = per_user.recall_at_10.mean(), per_user.ndcg_at_10.mean()
    assert means == pytest.approx(RECBOLES_OWN[name], abs=2e-4)  # neighbours and items at equal scores fall otherwise


def recboles_split(name: str) -> list[sparse.csr_array]:
    """Users x items of training, validation and test, as RecBole's seed draws them."""
    with contained(1):
        wanted = {"seed": 1, "gpu_id": "", "checkpoint_dir": "/dev/null"}
        config = module("config").Config(model=name, dataset="ml-100k", config_dict=wanted)
        module("utils").init_seed(1, True)
        data = module("data").create_dataset(config)
        matrices = [part.inter_matrix(form="csr") for part in data.build()]
    return [sparse.csr_array(matrix)[1:, 1:] for matrix in matrices]  # without RecBole's row and column of padding


def fold_of(train: sparse.csr_array, test: sparse.csr_array) -> Fold:
    n_users, n_items = train.shape
    zeros = np.zeros(train.nnz, dtype=np.int64)
    histories = Histories(np.arange(n_users), train.indptr.astype(np.int64), train.indices, zeros, zeros, n_items)
    users, items = Vocabulary.of(range(n_users)), Vocabulary.of(range(n_items))
    training = Train(histories, users, items, pd.DataFrame({"item_id": items.ids}), at=1)
    return Fold(training, np.arange(n_users), histories, test > 0, np.diff(test.indptr))
