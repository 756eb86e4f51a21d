"""The Python face: data frames in, data frames out; what the command line does, without files and without Hydra.

Other settings have the defaults of ``configs/``; any of them can be set as on the command line, e.g.
``om.evaluate(model, data, split, "policy=hide_seen", "metrics.ks=[5,10]")``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from omniretail.config import compose, make, model_option
from omniretail.core.errors import DataError, SettingsError
from omniretail.dataset import Dataset
from omniretail.metrics.significance import bootstrap_interval
from omniretail.policies.protocol import fitted
from omniretail.report.compare import Comparison, Report
from omniretail.result import Result
from omniretail.run import dataset
from omniretail.schema import DatasetCard
from omniretail.splits.cutoff import Cutoff, Split, Stage, require_stage
from omniretail.tasks import Evaluation, Task
from omniretail.views.fold import training_view
from omniretail.views.train import Train

_EVALUATIONS: WeakKeyDictionary[Any, Evaluation] = WeakKeyDictionary()
_REPORTS: dict[str, Report] = {}


def load(source: str, *settings: str) -> Dataset:
    """A dataset by the name of its source, with the split that its yaml carries.

    Args:
        source: a file of ``configs/source``, e.g. ``complete_journey``.
        settings: as on the command line, e.g. ``source.path=sales.csv``.

    Raises:
        DataError: where a raw file is missing, broken or empty.
    """
    chosen = (f"source={source}", *settings)
    return replace(dataset(compose(*chosen)), settings=chosen)


def evaluate(
    model: Any,
    data: Dataset,
    split: Split | None = None,
    *settings: str,
    task: str | Task | None = None,
    stage: Stage = "test",
) -> Result:
    """Fit a model on what lies before the stage's cutoff, and judge it by what lies after.

    The model stays fitted, so that ``recommend``, ``embed`` and ``predict`` take it.

    Args:
        model: of any kind; fitted here.
        data: the dataset.
        split: in place of the dataset's own.
        settings: of the task, as on the command line.
        task: name of a file of ``configs/task``, or a task; None: the one that the yaml of the model's class carries.
        stage: ``val`` to choose settings on, ``test`` to look at once.

    Returns:
        Prints itself as a table.

    Raises:
        DataError: where the data does not allow it.
        SettingsError: where settings do not fit.
    """
    require_stage(stage)
    option = model_option(type(model))
    chosen = [*data.settings, *([f"model={option}"] if option else []), *settings]
    cfg = compose(*chosen, *([f"task={task}"] if isinstance(task, str) else []))
    judge = make(cfg.task) if task is None or isinstance(task, str) else task
    evaluation = judge.evaluate(model, data if split is None else data.with_split(split), stage)
    _EVALUATIONS[model] = evaluation
    _REPORTS[evaluation.result.task] = Report(**compose_section(cfg, "report"))
    return _with_intervals(evaluation.result)


def findings(model: Any) -> Any:
    """What the page of the model's last evaluation shows, e.g. ``SegmentFindings`` of the segmentation task.

    Raises:
        SettingsError: where the model was not evaluated here.
    """
    evaluation = _EVALUATIONS.get(model)
    if evaluation is None:
        raise SettingsError(f"{type(model).__name__} was not evaluated here: call om.evaluate(model, data, split)")
    return evaluation.findings


def fit(model: Any, data: Dataset) -> Any:
    """Fit a recommender or profile encoder on all events, as production does; the fitted model is returned."""
    events = data.tables.feedback
    last = events.timestamp.max().to_pyarrow().as_py()
    everything = Cutoff(before=events, held_out=events.limit(0), at=last + timedelta(seconds=1))
    train = training_view(data.tables, everything)
    model.fit(train)
    (policy,) = fitted([make(compose(*data.settings).policy)], train)
    _EVALUATIONS[model] = Evaluation(Result("", "test"), {"model": model, "policy": policy, "train": train})
    return model


def compare(results: Iterable[Result], **report: Any) -> Comparison:
    """Results of one protocol in one table, with intervals and paired tests.

    Args:
        results: from ``evaluate``, of one task and protocol.
        report: fields of ``Report`` in place of the task's, e.g. ``primary="recall_at_10"``, ``baseline="Popular"``.

    Raises:
        SettingsError: where protocols differ, or a metric was not measured.
    """
    several = list(results)
    if not several:
        raise SettingsError("there are no results to compare; make some with om.evaluate(model, data, split)")
    known = _REPORTS.get(several[0].task) or Report(**compose_section(compose(f"task={several[0].task}"), "report"))
    return replace(known, **report).compare(several, DatasetCard(several[0].protocol.get("source", "")), {})


def recommend(
    model: Any,
    users: Sequence[Any] | None = None,
    k: int = 10,
    histories: Sequence[Sequence[Any]] | None = None,
    stores: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """The best items for some users, under the policy that the model was evaluated with.

    Args:
        model: fitted by ``evaluate`` or ``fit``.
        users: raw ids; None: all users known before the cutoff.
        k: list length, in items.
        histories: item ids, oldest first, one sequence per user, in place of what is known of them; users may then be
            anybody.
        stores: raw id of the store in which each user is, for policies that show what a store sells.

    Returns:
        ``user_id, rank, item_id, score`` and, where items have names, ``name``; ranks start at 1.

    Raises:
        SettingsError: where the model is not fitted.
    """
    from omniretail.serving.bundle import recommender_bundle
    from omniretail.serving.recommender import RecommenderService

    parts = _bundle(model, "policy")
    train: Train = parts["train"]
    ids = train.users.ids.to_list() if users is None and histories is None else _ids(users, histories, train)
    requests = pd.DataFrame({"user_id": ids, "k": k}, dtype=object)
    if histories is not None:
        items = [[{"item_id": _like(item, train.items.ids)} for item in history] for history in histories]
        requests = requests.drop(columns="user_id").assign(history=items)
    if stores is not None:
        requests["store_id"] = pd.Series([_like(store, train.stores.ids) for store in stores], dtype=object)
    answers = RecommenderService(recommender_bundle(**parts)).predict(requests).reset_index(drop=True)
    lists = answers[[name for name in ("item_ids", "scores", "names") if name in answers]].assign(user_id=ids)
    long = lists.explode([name for name in ("item_ids", "scores", "names") if name in lists], ignore_index=True)
    long = long.dropna(subset="item_ids").rename(columns={"item_ids": "item_id", "scores": "score", "names": "name"})
    long.insert(0, "rank", long.groupby("user_id", sort=False).cumcount() + 1)
    shown = ["user_id", "rank", "item_id", "score", *(["name"] if "name" in long else [])]
    return pd.DataFrame(long[shown]).reset_index(drop=True)


def embed(model: Any, users: Sequence[Any] | None = None) -> pd.DataFrame:
    """Embeddings of customers, as known at the cutoff.

    Args:
        model: a profile encoder, fitted by ``evaluate`` or ``fit``.
        users: raw ids; None: all.

    Returns:
        One row per user, indexed by ``user_id``, one column per dimension.
    """
    train: Train = _bundle(model)["train"]
    ids = train.users.ids.to_list() if users is None else _ids(users, None, train)
    rows = train.users.encode(ids)
    if (rows < 0).any():
        raise DataError(f"user {ids[int(np.argmax(rows < 0))]!r} has no event before the cutoff")
    return pd.DataFrame(model.embed(train.histories.take(rows), train.at), index=pd.Index(ids, name="user_id"))


def predict(model: Any, rows: pd.DataFrame) -> pd.Series:
    """Probabilities of a response model for rows of features, as it was fitted on.

    Args:
        model: fitted by ``evaluate``, or by its own ``fit(rows, y)``.
        rows: one per question, columns as in training.

    Returns:
        In [0, 1], indexed like ``rows``.
    """
    return pd.Series(model.predict_proba(rows), index=rows.index, name="probability")


def compose_section(cfg: Any, name: str) -> dict[str, Any]:
    """One section of the settings as plain Python."""
    from omegaconf import OmegaConf

    section: Any = OmegaConf.to_container(cfg[name], resolve=True)
    return section


def _with_intervals(result: Result) -> Result:
    """The result with 95 % intervals of those metrics that are means over units."""
    keys = list(result.values())
    means = [key for key in keys if key in result.per_unit and np.isnan(result.metrics.low.iloc[keys.index(key)])]
    if not means:
        return result
    low, high = bootstrap_interval(result.per_unit[means].to_numpy(float))
    metrics = result.metrics.copy()
    rows = [keys.index(key) for key in means]
    for name, ends in (("low", low), ("high", high)):
        column: Callable[..., Any] = metrics.columns.get_loc
        metrics.iloc[rows, column(name)] = ends
    return replace(result, metrics=metrics)


def _bundle(model: Any, needed: str = "train") -> dict[str, Any]:
    evaluation = _EVALUATIONS.get(model)
    if evaluation is None or needed not in (evaluation.bundle or {}):
        raise SettingsError(
            f"{type(model).__name__} is not fitted here: call om.evaluate(model, data, split) or om.fit(model, data)"
        )
    return dict(evaluation.bundle or {})


def _ids(users: Sequence[Any] | None, histories: Sequence[Any] | None, train: Train) -> list[Any]:
    if users is None:
        return list(range(len(histories or ())))
    return list(users) if histories is not None else [_like(user, train.users.ids) for user in users]


def _like(value: Any, ids: pd.Index) -> Any:
    """A raw id in the type that the log has it in: ``13085`` and ``"13085"`` are one."""
    if pd.api.types.is_integer_dtype(ids.dtype):
        return int(value)
    return str(value)
