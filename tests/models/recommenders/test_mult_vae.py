from typing import Any

import numpy as np
import pytest
import torch

from omniretail.models.recommenders.mult_vae import MultVAE, MultVAENetwork
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on

BASKETS = random_baskets(12, 7)
HISTORIES = train_on(BASKETS, 7).histories


def small(epochs: int = 3, **settings: Any) -> MultVAE:
    return MultVAE(**({"hidden": 16, "latent": 6, "dropout": 0.0} | settings), training=Training(max_epochs=epochs))


def task_on(histories: Histories, **settings: Any) -> MultVAENetwork:
    torch.manual_seed(0)
    task = MultVAENetwork(7, small(**settings))
    task.learn_from(histories)
    return task


def by_formula(task: MultVAENetwork, rows: np.ndarray, noise: np.ndarray, beta: float) -> float:
    """The negative of the paper's equation 7, by dense rows in double precision."""
    weights = {name: value.double().numpy() for name, value in task.state_dict().items()}
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    hidden = np.tanh(unit @ weights["read.weight"] + weights["bias"])
    mean, log_variance = np.split(hidden @ weights["encoder.weight"].T + weights["encoder.bias"], 2, axis=1)
    latent = mean + np.exp(log_variance / 2) * noise
    told = np.tanh(latent @ weights["decoder.0.weight"].T + weights["decoder.0.bias"])
    scores = told @ weights["decoder.2.weight"].T + weights["decoder.2.bias"]
    log_chance = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    return float((-(rows * log_chance).sum(axis=1) + beta * divergence).mean())


@pytest.mark.parametrize("weighting", ["binary", "count"])
def test_the_loss_is_that_of_the_paper(weighting: str) -> None:
    single = train_on([[[item] for basket in user for item in basket] for user in BASKETS], 7).histories
    task = task_on(single, weighting=weighting, beta=0.3, anneal_steps=10)
    counts = np.array([np.bincount(np.concatenate(user).astype(int), minlength=7) for user in BASKETS])
    rows = counts.astype(float) if weighting == "count" else matrix_of(BASKETS, 7)
    for users in ([3], [5, 0, 11], list(range(12))):
        task.step.fill_(5.0)  # half of the way
        torch.manual_seed(1)
        noise = torch.randn(len(users), 6).double().numpy()
        torch.manual_seed(1)
        loss = task.loss(torch.tensor(users)).item()
        assert loss == pytest.approx(by_formula(task, rows[users], noise, beta=0.15), rel=1e-5)


def test_the_divergence_weighs_more_with_every_batch_until_it_weighs_beta() -> None:
    task, batch, losses = task_on(HISTORIES, beta=0.4, anneal_steps=4), torch.arange(12), []
    with torch.no_grad():
        for _ in range(7):
            torch.manual_seed(1)
            losses.append(task.loss(batch).item())
    steps = np.diff(losses)
    assert steps[0] > 0
    np.testing.assert_allclose(steps[:4], steps[0], rtol=1e-3)
    assert losses[4] == losses[5] == losses[6]
    assert task.step == 7


def test_how_far_annealing_has_come_is_saved_with_the_weights() -> None:
    model = small(5, batch_size=4).fit(train_on(BASKETS, 7))
    assert model.weights_["step"] == 5 * 3


def test_dropout_hides_items_from_the_encoder_in_training_only() -> None:
    task = task_on(HISTORIES, dropout=0.5)
    losses = set()
    for seed in range(5):
        torch.manual_seed(seed)
        losses.add(task.train()._encoded(*encoded_of(task))[0].sum().item())
    assert len(losses) == 5
    task.eval()
    assert len({task._encoded(*encoded_of(task))[0].sum().item() for _ in range(3)}) == 1


def encoded_of(task: MultVAENetwork) -> tuple[torch.Tensor, ...]:
    return task.item, task.offset[:-1], task.weight, torch.repeat_interleave(task.offset.diff())


def test_each_user_is_in_one_batch() -> None:
    batches = task_on(HISTORIES, batch_size=5).batches(np.random.default_rng(0), parts=1)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    assert sorted(torch.cat(batches).tolist()) == list(range(12))
    assert [len(batch) for batch in task_on(HISTORIES, batch_size=10).batches(np.random.default_rng(0), 2)] == [5, 5, 2]


def test_what_one_likes_comes_first_for_new_users_too() -> None:
    rng = np.random.default_rng(0)
    clusters = [[[int(item)] for item in rng.permutation(10)[:6] + 10 * (user % 2)] for user in range(60)]
    model = small(40, learning_rate=0.01, batch_size=20, dropout=0.3).fit(train_on(clusters, 20))
    scores = model.score(Histories.of([[[0], [1]], [[12]]], n_items=20))
    assert scores[0, :10].min() > scores[0, 10:].max()
    assert scores[1, 10:].min() > scores[1, :10].max()


def test_who_has_no_history_gets_the_popular_list() -> None:
    train = train_on(BASKETS, 7)
    scores = small(1).fit(train).score(Histories.of([[], [[3]]], n_items=7))
    np.testing.assert_array_equal(scores[0], np.bincount(train.histories.item_idx, minlength=7))
    assert np.isfinite(scores).all()
