import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.saving import load
from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training, TrainingError
from omniretail.models.training.early_stopping import figures, set_aside
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.conftest import ROOT
from tests.models.factories import random_baskets, train_on

SHOP = train_on(random_baskets(60, 20), 20)
EPOCHS = 8


def small(training: Training = Training(epochs=3), **settings: Any) -> SASRec:  # noqa: B008
    return SASRec(**{"dim": 8, "n_blocks": 1, "max_len": 8, "batch_events": 64} | settings, training=training)


def curve_of(model: SASRec, train: Train = SHOP) -> list[tuple[int, dict[str, float]]]:
    curve = []
    with on_epoch(lambda epoch, figures: curve.append((epoch, dict(figures)))):
        model.fit(train)
    return curve


CASES = [("SIGKILL", 0), ("SIGKILL", 2), ("SIGINT", 0), ("SIGTERM", 0)]
SCRIPT = f"""
import logging, os, signal, sys, time
from pathlib import Path
from omniretail.core.epoch_hooks import listening
from omniretail.models.saving import save
from omniretail.models.sequential import SequenceTask
from omniretail.models.training import Training
from tests.models.training.test_fit import CASES, SHOP, small
planned, lost = SequenceTask.batches, SequenceTask.loss
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background would ignore it
def fit(folder, patience, pause):
    def batches(self, rng, parts):
        time.sleep(pause)
        return planned(self, rng, parts)
    def loss(self, batch):
        print("trains a batch", flush=True)
        return lost(self, batch)
    SequenceTask.batches, SequenceTask.loss = batches, loss
    training = Training(epochs={EPOCHS}, patience=patience, checkpoints=str(folder / "runs"), checkpoint_every_s=0)
    with listening(lambda epoch, figures: print("told", repr((epoch, dict(figures))), flush=True)):
        save(small(training).fit(SHOP), folder / "model")
def started(log, *given):
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    try:
        with open(log, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        logging.basicConfig()
        fit(*given)
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)
for name, patience in CASES:
    folder = Path(sys.argv[1]) / f"{{name}}-{{patience}}"
    folder.mkdir()
    process = started(folder / "first.log", folder, patience, 1.0)
    while not list(folder.glob("runs/*/last.ckpt")):
        assert os.waitpid(process, os.WNOHANG) == (0, 0), "ended before it was stopped"
        time.sleep(0.02)
    os.kill(process, signal.Signals[name])
    os.waitpid(process, 0)
    assert not (folder / "model").exists(), "ended before it was stopped"
    os.waitpid(started(folder / "second.log", folder, patience, 0.0), 0)
"""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case trained in a process of its own, stopped by a signal once it has a checkpoint, and started again."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "fit.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "fit.py", str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(("by", "patience"), CASES)
def test_a_run_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(by: str, patience: int, stopped: Path) -> None:
    folder = stopped / f"{by}-{patience}"
    first, second = ((folder / name).read_text().splitlines() for name in ("first.log", "second.log"))
    batches: list[int] = []
    unbroken = small(Training(epochs=EPOCHS, patience=patience))
    with pytest.MonkeyPatch.context() as patch:
        lost = SequenceNetwork.loss
        patch.setattr(SequenceNetwork, "loss", lambda task, batch: batches.append(1) or lost(task, batch))
        curve = curve_of(unbroken)

    assert any("SASRec goes on from its checkpoint in" in line for line in second)
    anew = second.count("trains a batch")
    assert 0 < anew < len(batches) <= first.count("trains a batch") + anew
    assert [ast.literal_eval(line.removeprefix("told ")) for line in second if line.startswith("told ")] == curve
    model: Any = load(folder / "model")
    for name, weights in unbroken.weights_.items():
        np.testing.assert_array_equal(model.weights_[name], weights, err_msg=name)
    np.testing.assert_array_equal(model.score(SHOP.histories), unbroken.score(SHOP.histories))
    assert list((folder / "runs").iterdir()) == []


def test_a_loss_that_is_no_number_names_batch_and_learning_rate(monkeypatch, tmp_path: Path) -> None:
    losses = iter([1.0, 2.0, float("nan")])
    monkeypatch.setattr(SequenceNetwork, "loss", lambda self, _: self.encoder.items.weight.sum() * 0 + next(losses))
    with pytest.raises(TrainingError, match=r"batch 2 in epoch 0 is nan at learning rate 0.001; lower it, or set"):
        small(Training(checkpoints=str(tmp_path))).fit(SHOP)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    with pytest.raises(TrainingError, match=r"batch \d+ in epoch \d is (nan|inf) at learning rate 1e\+30"):
        small(learning_rate=1e30).fit(SHOP)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
        MemoryError(),
    ],
    ids=["gpu", "cpu", "windows", "numpy"],
)
def test_out_of_memory_names_the_settings_to_lower(error: Exception, monkeypatch) -> None:
    monkeypatch.setattr(SequenceNetwork, "loss", Mock(side_effect=error))
    with pytest.raises(TrainingError, match=r"lower model.batch_events .*n_negatives.*trainer.accumulate") as told:
        small().fit(SHOP)
    assert told.value.__cause__ is error


def test_another_error_stays_what_it_is(monkeypatch) -> None:
    monkeypatch.setattr(SequenceNetwork, "loss", Mock(side_effect=RuntimeError("shapes do not fit")))
    with pytest.raises(RuntimeError, match=r"^shapes do not fit$"):
        small().fit(SHOP)


@pytest.mark.parametrize("validate_every", [1, 2])
@pytest.mark.parametrize("monitor", ["ndcg_at_10", "recall_at_10"])
def test_stops_early_and_puts_the_best_weights_back(monitor: str, validate_every: int) -> None:
    training = Training(epochs=100, patience=3, monitor=monitor, validate_every=validate_every)
    model = small(training, learning_rate=0.03)
    curve = curve_of(model)
    judged = [(epoch, told) for epoch, told in curve if f"val_{monitor}" in told]
    assert [epoch for epoch, _ in judged] == list(range(validate_every - 1, len(curve), validate_every))
    values = [told[f"val_{monitor}"] for _, told in judged]
    best = int(np.argmax(values))
    assert len(values) == best + 1 + 3 < 100 // validate_every
    _, inner = set_aside(SHOP.histories, 10_000, model.seed)
    now = figures(inner.evaluate_users(model))
    assert now == pytest.approx({name: judged[best][1][name] for name in now}, rel=1e-6)
    assert now[f"val_{monitor}"] > values[-1]


def test_each_epoch_is_told_once() -> None:
    curve = curve_of(small(Training(epochs=4)))
    assert [epoch for epoch, _ in curve] == [0, 1, 2, 3]
    assert all(set(told) == {"train_loss"} for _, told in curve)
    assert curve[-1][1]["train_loss"] < curve[0][1]["train_loss"]
    judged = curve_of(small(Training(epochs=2, patience=5)))
    names = {"train_loss", "val_ndcg_at_10", "val_recall_at_10", "val_hit_rate_at_10"}
    assert [set(told) for _, told in judged] == [names, names]


def test_what_is_random_elsewhere_neither_decides_nor_is_touched() -> None:
    scores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (the global one is meant)
        before = torch.get_rng_state(), np.random.get_state()[1], torch.get_num_threads()  # noqa: NPY002
        scores.append(small(Training(epochs=2, patience=1)).fit(SHOP).score(SHOP.histories))
        after = torch.get_rng_state(), np.random.get_state()[1], torch.get_num_threads()  # noqa: NPY002
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("name", ["epochs", "validate_every", "accumulate", "devices"])
def test_bad_settings_are_refused(name: str) -> None:
    with pytest.raises(TrainingError, match=rf"trainer.*{name}.* 1 or more"):
        Training(**{name: 0})
    with pytest.raises(TrainingError, match=r"trainer.monitor='mrr' is not one of ndcg_at_10, recall_at_10"):
        Training(monitor="mrr")


NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")


@pytest.mark.parametrize(
    ("name", "value"),
    [("strategy", "telepathy"), ("precision", "7-mixed"), pytest.param("accelerator", "gpu", marks=NO_GPU)],
)
def test_what_lightning_does_not_find_is_a_training_error(name: str, value: str) -> None:
    with pytest.raises(TrainingError, match=r"^trainer: "):
        small(Training(epochs=1, **{name: value})).fit(SHOP)


CIRCLE = train_on([[[(user + step) % 12] for step in range(14)] for user in range(36)], 12)


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_count_nobody_twice() -> None:
    _, inner = set_aside(CIRCLE.histories, 10_000, seed=1)
    two = small(Training(epochs=25, patience=25, devices=2, strategy="ddp_spawn"), learning_rate=0.01)
    one = small(Training(epochs=25, patience=25), learning_rate=0.01)
    curve = curve_of(two, CIRCLE)
    now = figures(inner.evaluate_users(two))
    assert now == pytest.approx(figures(inner.evaluate_users(one.fit(CIRCLE))), abs=0.1)
    assert [epoch for epoch, _ in curve] == list(range(25))
    assert now["val_ndcg_at_10"] == pytest.approx(max(told["val_ndcg_at_10"] for _, told in curve), rel=1e-6)


@pytest.mark.slow
def test_what_goes_wrong_in_one_of_two_processes_is_told() -> None:
    with pytest.raises(TrainingError, match=r"at learning rate 1e\+30"):
        small(Training(epochs=3, devices=2, strategy="ddp_spawn"), learning_rate=1e30).fit(SHOP)


HISTORIES = Histories.of([[[0], [1, 0], [2, 3, 3]], [[1]], [[0], [0]], []], n_items=12)


def fixed(*best: int) -> SimpleNamespace:
    """Gives every user the same scores."""
    scores = np.zeros(12, dtype=np.float32)
    scores[list(best)] = np.arange(len(best), 0, -1)
    return SimpleNamespace(score=lambda users: np.tile(scores, (len(users), 1)))


def test_the_last_basket_is_set_aside_and_nothing_else() -> None:
    learned, inner = set_aside(HISTORIES, 100, seed=0)
    assert (learned.lengths.tolist(), learned.item_idx.tolist()) == ([3, 1, 1, 0], [0, 1, 0, 1, 0])
    assert inner.users.lengths.tolist() == [3, 1]  # who has one basket learns and is not judged
    assert [np.flatnonzero(row).tolist() for row in inner.held_out.toarray()] == [[2, 3], [0]]
    assert not inner.hide_seen


def test_the_judgement_by_hand() -> None:
    _, inner = set_aside(HISTORIES, 100, seed=0)
    sums = inner.evaluate_users(fixed(5, 2, 1, 3, 6, 7, 8, 9, 10, 11, 0))  # hits at 2 and 4; at 11, which is too late
    gain, ideal = 1 / np.log2(3) + 1 / np.log2(5), 1 + 1 / np.log2(3)
    assert sums.tolist() == pytest.approx([gain / ideal, 1.0, 1, 2])
    means = {"val_ndcg_at_10": gain / ideal / 2, "val_recall_at_10": 0.5, "val_hit_rate_at_10": 0.5}
    assert figures(sums) == pytest.approx(means)


def test_seen_items_are_hidden_where_nobody_takes_any_twice() -> None:
    _, inner = set_aside(Histories.of([[[0, 1], [2]], [[3], [4]]], n_items=12), 100, seed=0)
    assert inner.hide_seen
    assert inner.evaluate_users(fixed(0, 1, 2, 3, 4))[0] == pytest.approx(1 + 1 / np.log2(5))  # user 1 sees 0, 1, 2, 4


def test_judged_in_parts_is_judged_once() -> None:
    histories = SHOP.histories
    _, inner = set_aside(histories, 10_000, seed=0)
    chance = np.random.default_rng(0).random((len(histories), 20), dtype=np.float32)
    model = SimpleNamespace(score=lambda users: chance[users.user_idx].copy())
    whole = inner.evaluate_users(model)
    assert whole[-1] == (histories.n_baskets > 1).sum()
    for parts in (2, 3, 7):
        each = [inner.evaluate_users(model, part, parts) for part in range(parts)]
        np.testing.assert_allclose(np.sum(each, axis=0), whole)


def test_at_most_so_many_are_judged_drawn_by_the_seed() -> None:
    learned, inner = set_aside(SHOP.histories, 7, 0)
    assert len(inner.users) == inner.held_out.shape[0] == 7
    drawn = [set_aside(SHOP.histories, 7, seed)[1].users.user_idx.tolist() for seed in (0, 1)]
    assert inner.users.user_idx.tolist() == drawn[0] != drawn[1]
    assert learned.lengths.tolist() == set_aside(SHOP.histories, 999, 0)[0].lengths.tolist()


def test_a_cosine_schedule_falls_to_nought_and_changes_what_is_learned() -> None:
    falling = Training(epochs=10, schedule="cosine")
    shares = [falling.share(epoch) for epoch in range(10)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99
    assert shares[-1] < 0.01
    assert Training(epochs=10).share(9) == 1.0
    with pytest.raises(TrainingError, match="schedule='linear' is not one of constant, cosine"):
        Training(schedule="linear")
