"""Train a network: Lightning's loop, our callbacks, and a checkpoint to come back to."""

import logging
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn
from torch.multiprocessing.spawn import ProcessRaisedException

from omniretail.models.training.callbacks import CHECKPOINT, BestWeights, Checkpoints, Curves, Progress
from omniretail.models.training.early_stopping import InnerValidation
from omniretail.models.training.lightning_module import TrainingModule
from omniretail.models.training.settings import Training, TrainingError


def fit_network(
    task: nn.Module,
    training: Training,
    *,
    name: str,
    key: str,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    inner: InnerValidation | None,
) -> None:
    """Train the task in place; its weights afterwards are the best, or the last where nothing is validated.

    A run that was killed goes on from its last checkpoint when it is started again with equal settings and data.

    Args:
        task: see ``Task``; on the CPU, before and after.
        training: where and how long.
        name: for the progress bar.
        key: hash of everything the result depends on beside ``training``.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        seed: of everything random.
        inner: what to validate on; None: nothing.

    Raises:
        TrainingError: where the loss is not finite, memory runs out or the device is not there.
    """
    learner = TrainingModule(task, learning_rate, weight_decay, seed, inner, training)
    curves = Curves()
    callbacks: list[Any] = [curves, Progress(name, training.epochs)]
    if inner is not None:
        callbacks.append(BestWeights(f"val_{training.monitor}", training.patience))
    with _folder(training, key) as folder, _quiet(), _signals_kept(), torch.random.fork_rng():
        if training.checkpoints is not None:
            callbacks.append(Checkpoints(folder, training.checkpoint_every_s))
        before = folder / CHECKPOINT
        if before.exists():
            _log.warning("%s goes on from its checkpoint in %s", name, folder)
        trainer = _trainer(training, callbacks, folder)
        try:
            trainer.fit(learner, ckpt_path=before if before.exists() else None, weights_only=True)
        except (RuntimeError, MemoryError, ProcessRaisedException) as error:
            raise _explained(error) from error
        curves.heard(folder)
    learner.to("cpu")
    task.eval()


_log = logging.getLogger(__name__)


def _trainer(training: Training, callbacks: list[Any], folder: Path) -> lightning.Trainer:
    try:
        return lightning.Trainer(
            accelerator=training.accelerator,
            devices=training.devices,
            strategy=training.strategy,
            precision=training.precision,  # type: ignore[arg-type]
            max_epochs=training.epochs,
            gradient_clip_val=training.clip_norm,
            accumulate_grad_batches=training.accumulate,
            callbacks=callbacks,
            default_root_dir=folder,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except (ValueError, RuntimeError, MisconfigurationException) as error:  # its words name the device or the precision
        raise TrainingError(f"trainer: {error}") from error


@contextmanager
def _folder(training: Training, key: str) -> Iterator[Path]:
    """The run's own folder; kept where the run is killed, gone when it ends or fails."""
    if training.checkpoints is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    folder = Path(training.checkpoints) / key
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except (KeyboardInterrupt, SystemExit):  # Lightning makes the latter of both SIGINT and SIGTERM
        raise  # as good as killed: the checkpoint stays
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's remarks on hardware, workers and its own habits."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric|torch")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Lightning ignores Ctrl-C from its first one on; the rest of a sweep should not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _explained(error: Exception) -> Exception:
    """Say which settings take less memory, where memory was the trouble."""
    text = str(error) or type(error).__name__
    if isinstance(error, ProcessRaisedException) and f"{TrainingError.__name__}: " in text:
        return TrainingError(text.rpartition(f"{TrainingError.__name__}: ")[2].strip())
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text or "enough memory" in text:
        return TrainingError(
            "out of memory in training; lower model.batch_events (or batch_size), n_negatives, max_len or dim, and "
            f"raise trainer.accumulate to make up for smaller batches ({text.splitlines()[0][:120]})"
        )
    return error
