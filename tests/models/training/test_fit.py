import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import pytest
import torch

from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.saving import load
from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training, TrainingError
from omniretail.models.training.checkpoints import AtomicCheckpointIO, EpochCheckpoint
from omniretail.models.training.inner_validation import hold_out, mean_metrics
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.conftest import ROOT
from tests.models.factories import random_baskets, train_on

SHOP = train_on(random_baskets(60, 20), 20)
EPOCHS = 8


def small(training: Training = Training(max_epochs=3), **settings: Any) -> SASRec:  # noqa: B008
    return SASRec(**{"dim": 8, "n_blocks": 1, "max_len": 8, "batch_events": 64} | settings, training=training)


def curve_of(model: SASRec, train: Train = SHOP) -> list[tuple[int, dict[str, float]]]:
    curve = []
    with on_epoch(lambda epoch, metrics: curve.append((epoch, dict(metrics)))):
        model.fit(train)
    return curve


CASES = [("SIGKILL", 0), ("SIGKILL", 2), ("SIGINT", 0), ("SIGTERM", 0)]
SCRIPT = f"""
import logging, os, signal, sys, time
from pathlib import Path
from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.saving import save
from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training import Training
from tests.models.training.test_fit import CASES, SHOP, small
planned, true_loss = SequenceNetwork.batches, SequenceNetwork.loss
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background would ignore it
def fit(folder, patience, pause):
    def batches(self, rng, parts):
        time.sleep(pause)
        return planned(self, rng, parts)
    def loss(self, batch):
        print("trains a batch", flush=True)
        return true_loss(self, batch)
    SequenceNetwork.batches, SequenceNetwork.loss = batches, loss
    training = Training(max_epochs={EPOCHS}, patience=patience, checkpoints=str(folder / "runs"), checkpoint_every_s=0)
    with on_epoch(lambda epoch, metrics: print("epoch", repr((epoch, dict(metrics))), flush=True)):
        save(small(training).fit(SHOP), folder / "model")
def started(log, *arguments):
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    try:
        with open(log, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        logging.basicConfig()
        fit(*arguments)
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
    unbroken = small(Training(max_epochs=EPOCHS, patience=patience))
    with pytest.MonkeyPatch.context() as patch:
        loss = SequenceNetwork.loss
        patch.setattr(SequenceNetwork, "loss", lambda task, batch: batches.append(1) or loss(task, batch))
        curve = curve_of(unbroken)

    assert any("SASRec continues from its checkpoint in" in line for line in second)
    anew = second.count("trains a batch")
    assert 0 < anew < len(batches) <= first.count("trains a batch") + anew
    assert [ast.literal_eval(line.removeprefix("epoch ")) for line in second if line.startswith("epoch ")] == curve
    model: Any = load(folder / "model")
    for name, weights in unbroken.weights_.items():
        np.testing.assert_array_equal(model.weights_[name], weights, err_msg=name)
    np.testing.assert_array_equal(model.score(SHOP.histories), unbroken.score(SHOP.histories))
    assert list((folder / "runs").iterdir()) == []


def test_a_loss_that_is_no_number_names_batch_and_learning_rate(monkeypatch, tmp_path: Path) -> None:
    losses = iter([1.0, 2.0, float("nan")])
    monkeypatch.setattr(SequenceNetwork, "loss", lambda self, _: self.encoder.items.weight.sum() * 0 + next(losses))
    with pytest.raises(TrainingError, match=r"learning_rate=0.001: the loss of batch 2 in epoch 0 is nan; lower model"):
        small(Training(checkpoints=str(tmp_path))).fit(SHOP)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    with pytest.raises(
        TrainingError, match=r"learning_rate=1e\+30: the loss of batch \d+ in epoch \d is (nan|inf); lower"
    ):
        small(learning_rate=1e30).fit(SHOP)


def test_a_loss_that_rises_far_above_its_start_names_the_learning_rate() -> None:
    with pytest.raises(ValueError, match=r"learning_rate=100: the loss rose from 3\.\d+ to \d\S+ in epoch 0; lower m"):
        small(learning_rate=100.0).fit(SHOP)


def test_weights_that_are_no_numbers_after_the_last_step_name_the_learning_rate(monkeypatch) -> None:
    def infinite(network: SequenceNetwork, _: Any) -> torch.Tensor:
        weight = network.encoder.items.weight
        return 1 + (weight * 1e38).sum() - (weight * 1e38).sum().detach()  # a finite loss without a finite step

    monkeypatch.setattr(SequenceNetwork, "loss", infinite)
    with pytest.raises(ValueError, match=r"learning_rate=1e\+30: weights of the network are not finite; lower model"):
        small(Training(max_epochs=1), learning_rate=1e30, weight_decay=1e10, batch_events=10_000).fit(SHOP)


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
    with pytest.raises(
        TrainingError, match=r"lower model.batch_events .*n_negatives.*trainer.accumulate_grad_batches"
    ) as raised:
        small().fit(SHOP)
    assert raised.value.__cause__ is error


def test_another_error_stays_what_it_is(monkeypatch) -> None:
    monkeypatch.setattr(SequenceNetwork, "loss", Mock(side_effect=RuntimeError("shapes do not fit")))
    with pytest.raises(RuntimeError, match=r"^shapes do not fit$"):
        small().fit(SHOP)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("monitor", ["ndcg_at_10", "recall_at_10"])
def test_stops_early_and_restores_the_best_weights(monitor: str, every: int) -> None:
    training = Training(max_epochs=100, patience=3, monitor=monitor, check_val_every_n_epoch=every)
    model = small(training, learning_rate=0.03)
    curve = curve_of(model)
    validated = [(epoch, metrics) for epoch, metrics in curve if f"val_{monitor}" in metrics]
    assert [epoch for epoch, _ in validated] == list(range(every - 1, len(curve), every))
    values = [metrics[f"val_{monitor}"] for _, metrics in validated]
    best = int(np.argmax(values))
    assert len(values) == best + 1 + 3 < 100 // every
    _, inner = hold_out(SHOP.histories, 10_000, model.seed)
    now = mean_metrics(inner.evaluate_users(model))
    assert now == pytest.approx({name: validated[best][1][name] for name in now}, rel=1e-6)
    assert now[f"val_{monitor}"] > values[-1]


def test_the_average_of_the_weights_is_validated_and_remains() -> None:
    training = Training(max_epochs=12, patience=99, ema_decay=0.98)
    model = small(training, learning_rate=0.03)
    values = [metrics["val_ndcg_at_10"] for _, metrics in curve_of(model)]
    _, inner = hold_out(SHOP.histories, 10_000, model.seed)
    assert mean_metrics(inner.evaluate_users(model))["val_ndcg_at_10"] == pytest.approx(max(values), rel=1e-6)
    plain = curve_of(small(Training(max_epochs=12, patience=99), learning_rate=0.03))
    assert values != [metrics["val_ndcg_at_10"] for _, metrics in plain]


def test_the_average_follows_the_weights_and_changes_no_step() -> None:
    """Of decay 0 it is the weights; of a decay near 1 it has hardly left where they began."""
    scores = {
        decay: small(Training(max_epochs=3, ema_decay=decay)).fit(SHOP).score(SHOP.histories)
        for decay in (None, 0.0, 0.9999)
    }
    np.testing.assert_allclose(scores[0.0], scores[None], atol=1e-6)
    first = small(Training(max_epochs=1), learning_rate=1e-12).fit(SHOP).score(SHOP.histories)
    assert np.abs(scores[0.9999] - first).max() < 0.2 * np.abs(scores[None] - first).max()


def test_each_epoch_is_reported_once() -> None:
    curve = curve_of(small(Training(max_epochs=4)))
    assert [epoch for epoch, _ in curve] == [0, 1, 2, 3]
    assert all(set(metrics) == {"train_loss"} for _, metrics in curve)
    assert curve[-1][1]["train_loss"] < curve[0][1]["train_loss"]
    validated = curve_of(small(Training(max_epochs=2, patience=5)))
    names = {"train_loss", "val_ndcg_at_10", "val_recall_at_10", "val_hit_rate_at_10"}
    assert [set(metrics) for _, metrics in validated] == [names, names]


def test_what_is_random_elsewhere_neither_decides_nor_is_touched() -> None:
    scores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (the global one is meant)
        before = torch.get_rng_state(), np.random.get_state()[1], torch.get_num_threads()  # noqa: NPY002
        scores.append(small(Training(max_epochs=2, patience=1)).fit(SHOP).score(SHOP.histories))
        after = torch.get_rng_state(), np.random.get_state()[1], torch.get_num_threads()  # noqa: NPY002
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(*scores)


COUNTS = ("max_epochs", "check_val_every_n_epoch", "validation_users", "accumulate_grad_batches", "devices")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *[
            ({name: 0}, f"Training: {name}=0 must be 1 or more")
            for name in (
                "max_epochs",
                "check_val_every_n_epoch",
                "validation_users",
                "accumulate_grad_batches",
                "devices",
            )
        ],
        ({"patience": -1}, "Training: patience=-1 must be 0 or more"),
        ({"gradient_clip_val": 0.0}, r"Training: gradient_clip_val=0.0 must be above 0"),
        ({"ema_decay": 1.0}, r"Training: ema_decay=1.0 must lie between 0 and 1"),
        ({"monitor": "mrr"}, "monitor='mrr' must be one of ndcg_at_10, recall_at_10"),
        ({"schedule": "linear"}, "schedule='linear' must be one of constant, cosine"),
        (
            {"patience": 1, "max_epochs": 3, "check_val_every_n_epoch": 4},
            "check_val_every_n_epoch=4 must be at most max_epochs=3",
        ),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Training(**settings)


NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")


@pytest.mark.parametrize(
    ("name", "value"),
    [("strategy", "telepathy"), ("precision", "7-mixed"), pytest.param("accelerator", "gpu", marks=NO_GPU)],
)
def test_what_lightning_does_not_find_is_a_training_error(name: str, value: str) -> None:
    with pytest.raises(TrainingError, match=r"^trainer: "):
        small(Training(max_epochs=1, **{name: value})).fit(SHOP)


CIRCLE = train_on([[[(user + step) % 12] for step in range(14)] for user in range(36)], 12)


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_count_nobody_twice() -> None:
    """The batch of one process is both halves of two: each epoch is one step with equal gradients."""
    whole = {"loss": "softmax", "dropout": 0.0, "batch_events": 36 * 14, "max_len": 14, "learning_rate": 0.01}
    one = small(Training(max_epochs=10, patience=10), **whole)
    two = small(Training(max_epochs=10, patience=10, devices=2, strategy="ddp_spawn"), **whole)
    expected, curve = curve_of(one, CIRCLE), curve_of(two, CIRCLE)
    assert [epoch for epoch, _ in curve] == [epoch for epoch, _ in expected] == list(range(10))
    losses = [[metrics["train_loss"] for _, metrics in each] for each in (curve, expected)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    np.testing.assert_allclose(two.score(CIRCLE.histories), one.score(CIRCLE.histories), atol=0.01)
    _, inner = hold_out(CIRCLE.histories, 10_000, seed=1)
    best = max(metrics["val_ndcg_at_10"] for _, metrics in curve)
    assert mean_metrics(inner.evaluate_users(two))["val_ndcg_at_10"] == pytest.approx(best, rel=1e-6)


@pytest.mark.slow
def test_an_error_in_one_of_two_processes_is_raised() -> None:
    with pytest.raises(TrainingError, match=r"^training diverges at learning_rate=1e\+30"):
        small(Training(max_epochs=3, devices=2, strategy="ddp_spawn"), learning_rate=1e30).fit(SHOP)


def test_the_first_process_decides_whether_to_save(tmp_path: Path) -> None:
    checkpoint = EpochCheckpoint(tmp_path, every_s=3600)
    trainer: Any = SimpleNamespace(should_stop=False, strategy=SimpleNamespace(broadcast=lambda _: False))
    with patch("pytorch_lightning.callbacks.ModelCheckpoint.on_train_epoch_end") as save:
        checkpoint.on_train_epoch_end(trainer, Mock())
        assert save.call_count == 1, "its own clock says no, that of the first process says yes"
        trainer.strategy.broadcast = lambda mine: mine
        checkpoint.on_train_epoch_end(trainer, Mock())
        assert save.call_count == 1


def test_a_checkpoint_that_is_not_written_to_its_end_leaves_the_one_before(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)

    def half(_: Any, file: str) -> None:
        Path(file).write_bytes(path.read_bytes()[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr("lightning_fabric.plugins.io.torch_io._atomic_save", half)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({"epoch": 2}, path)
    assert torch.load(path, weights_only=True) == {"epoch": 1}


HISTORIES = Histories.of([[[0], [1, 0], [2, 3, 3]], [[1]], [[0], [0]], []], n_items=12)


def fixed(*best: int) -> SimpleNamespace:
    """Gives every user the same scores."""
    scores = np.zeros(12, dtype=np.float32)
    scores[list(best)] = np.arange(len(best), 0, -1)
    return SimpleNamespace(score=lambda users: np.tile(scores, (len(users), 1)))


def test_the_last_basket_is_set_aside_and_nothing_else() -> None:
    learned, inner = hold_out(HISTORIES, 100, seed=0)
    assert (learned.lengths.tolist(), learned.item_idx.tolist()) == ([3, 1, 1, 0], [0, 1, 0, 1, 0])
    assert inner.users.lengths.tolist() == [3, 1]  # who has one basket learns and is not judged
    assert [np.flatnonzero(row).tolist() for row in inner.held_out.toarray()] == [[2, 3], [0]]
    assert not inner.hide_seen


def test_the_metrics_by_hand() -> None:
    _, inner = hold_out(HISTORIES, 100, seed=0)
    sums = inner.evaluate_users(fixed(5, 2, 1, 3, 6, 7, 8, 9, 10, 11, 0))  # hits at 2 and 4; at 11, which is too late
    gain, ideal = 1 / np.log2(3) + 1 / np.log2(5), 1 + 1 / np.log2(3)
    assert sums.tolist() == pytest.approx([gain / ideal, 1.0, 1, 2])
    means = {"val_ndcg_at_10": gain / ideal / 2, "val_recall_at_10": 0.5, "val_hit_rate_at_10": 0.5}
    assert mean_metrics(sums) == pytest.approx(means)


def test_seen_items_are_hidden_where_nobody_takes_any_twice() -> None:
    _, inner = hold_out(Histories.of([[[0, 1], [2]], [[3], [4]]], n_items=12), 100, seed=0)
    assert inner.hide_seen
    assert inner.evaluate_users(fixed(0, 1, 2, 3, 4))[0] == pytest.approx(1 + 1 / np.log2(5))  # user 1 sees 0, 1, 2, 4


def test_users_in_parts_are_counted_once() -> None:
    histories = SHOP.histories
    _, inner = hold_out(histories, 10_000, seed=0)
    chance = np.random.default_rng(0).random((len(histories), 20), dtype=np.float32)
    model = SimpleNamespace(score=lambda users: chance[users.user_idx].copy())
    whole = inner.evaluate_users(model)
    assert whole[-1] == (histories.n_baskets > 1).sum()
    for parts in (2, 3, 7):
        each = [inner.evaluate_users(model, slice(part, None, parts)) for part in range(parts)]
        np.testing.assert_allclose(np.sum(each, axis=0), whole)


def test_at_most_so_many_users_are_validated_and_only_their_baskets_are_held_out() -> None:
    learned, inner = hold_out(SHOP.histories, 7, 0)
    assert len(inner.users) == inner.held_out.shape[0] == 7
    drawn = [hold_out(SHOP.histories, 7, seed)[1].users.user_idx.tolist() for seed in (0, 1)]
    assert inner.users.user_idx.tolist() == drawn[0] != drawn[1]
    everybody = hold_out(SHOP.histories, 999, 0)[0].lengths
    validated = np.isin(np.arange(60), inner.users.user_idx)
    np.testing.assert_array_equal(learned.lengths, np.where(validated, everybody, SHOP.histories.lengths))
    assert (learned.lengths[validated] < SHOP.histories.lengths[validated]).all()


def test_a_cosine_schedule_falls_to_zero_and_changes_what_is_learned() -> None:
    falling = Training(max_epochs=3, schedule="cosine")
    factors = [falling.learning_rate_factor(epoch) for epoch in range(3)]
    assert factors == pytest.approx([(1 + np.cos(np.pi * part)) / 2 for part in (1 / 6, 3 / 6, 5 / 6)])
    assert [Training(max_epochs=3).learning_rate_factor(epoch) for epoch in range(3)] == [1, 1, 1]
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def recorded(optimiser: torch.optim.AdamW, **arguments: Any) -> Any:
        rates.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, **arguments)

    with patch.object(torch.optim.AdamW, "step", recorded):
        small(falling, batch_events=10_000).fit(SHOP)  # a step an epoch
    assert rates == pytest.approx([0.001 * factor for factor in factors])
    assert (small(falling).fit(SHOP).score(SHOP.histories) != small().fit(SHOP).score(SHOP.histories)).any()
