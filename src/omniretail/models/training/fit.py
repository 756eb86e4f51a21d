"""Train a network by Lightning, and continue from a checkpoint where there is one."""

import logging
import shutil
import signal
import sys
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
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging
from torch import nn
from torch.multiprocessing.spawn import ProcessRaisedException

from omniretail.models.training.checkpoints import BEST, LAST, AtomicCheckpointIO, EpochCheckpoint, best_weights
from omniretail.models.training.inner_validation import InnerValidation
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
    """Train the task in place; its weights afterwards are the best, or the last where there is no validation.

    A run that was killed continues from its last checkpoint when it is started again with equal settings and data.

    Args:
        task: see ``TrainingTask``; on the CPU, before and after.
        training: where and how long.
        name: of the model, for the log.
        key: hash of everything the result depends on.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        seed: of all random numbers.
        inner: the inner validation; None: there is none.

    Raises:
        TrainingError: where training diverges, memory runs out or the device is missing.
    """
    module = TrainingModule(task, learning_rate, weight_decay, seed, inner, training)
    with _folder(training, key) as folder, _without_remarks(), _sigint_restored(), torch.random.fork_rng():
        last = folder / LAST
        if last.exists():
            _log.warning("%s continues from its checkpoint in %s", name, folder)
        trainer = _trainer(training, inner is not None, folder)
        try:
            trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=True)
        except (RuntimeError, MemoryError, ProcessRaisedException) as error:
            raise _explained(error) from error
        if (folder / BEST).exists():
            state = torch.load(folder / BEST, weights_only=True, map_location="cpu")["state_dict"]
            weights = {name: value for name, value in state.items() if name.startswith(_TASK)}
            task.load_state_dict({name.removeprefix(_TASK): value for name, value in weights.items()})
    if not all(torch.isfinite(weight).all() for weight in task.parameters()):
        raise module.diverged("weights of the network are not finite")
    module.to("cpu")
    task.eval()


_log = logging.getLogger(__name__)
_TASK = "task."  # before the names of the task's weights in the module's


def _trainer(training: Training, validated: bool, folder: Path) -> lightning.Trainer:
    callbacks: list[Any] = []
    if training.ema_decay is not None:
        callbacks.append(EMAWeightAveraging(decay=training.ema_decay, use_buffers=False))
    if validated:
        monitor = f"val_{training.monitor}"
        callbacks += [EarlyStopping(monitor, patience=training.patience, mode="max"), best_weights(folder, monitor)]
    if training.checkpoints is not None:
        callbacks.append(EpochCheckpoint(folder, training.checkpoint_every_s))
    try:
        return lightning.Trainer(
            accelerator=training.accelerator,
            devices=training.devices,
            strategy=training.strategy,
            precision=training.precision,  # type: ignore[arg-type]
            max_epochs=training.max_epochs,
            gradient_clip_val=training.gradient_clip_val,
            accumulate_grad_batches=training.accumulate_grad_batches,
            check_val_every_n_epoch=training.check_val_every_n_epoch,
            limit_val_batches=1 if validated else 0,
            num_sanity_val_steps=0,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            default_root_dir=folder,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=bool(callbacks),
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
        )
    except (ValueError, RuntimeError, MisconfigurationException) as error:  # the message names device or precision
        raise TrainingError(f"trainer: {error}") from error


@contextmanager
def _folder(training: Training, key: str) -> Iterator[Path]:
    """The run's own folder, which stays where the run is killed and goes when it ends or fails."""
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
def _without_remarks() -> Iterator[None]:
    """Silence Lightning's remarks on hardware, workers and its own habits."""
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
def _sigint_restored() -> Iterator[None]:
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
    """The error in a sentence that names the settings to change, where they are the reason."""
    text = str(error) or type(error).__name__
    if isinstance(error, ProcessRaisedException) and f"{TrainingError.__name__}: " in text:
        return TrainingError(text.rpartition(f"{TrainingError.__name__}: ")[2].strip())
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text or "enough memory" in text:
        return TrainingError(
            "out of memory in training; lower model.batch_events (or batch_size), n_negatives, max_len or dim, and "
            f"raise trainer.accumulate_grad_batches to make up for smaller batches ({text.splitlines()[0][:120]})"
        )
    return error
