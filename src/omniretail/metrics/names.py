"""A metric's two names: the key that machines sort by and the label that people read."""

import re

_ACRONYMS = {"ndcg", "mrr", "map", "auc"}
_LOSSES = {"log_loss", "brier", "ece", "mae", "rmse"}
_PLAIN = {"intra_list_diversity": "Diversity", "auc_per_offer": "AUC per offer"}


def key(metric: str, k: int, part: str = "") -> str:
    """The column of ``per_user`` or the entry of ``overall``.

    >>> key("recall", 10, part="repeat")
    'repeat_recall_at_10'
    """
    return f"{part}_{metric}_at_{k}" if part else f"{metric}_at_{k}"


def label(key: str) -> str:
    """A key in words.

    >>> label("ndcg_at_10"), label("repeat_hit_rate_at_5"), label("users_judged")
    ('NDCG@10', 'Hit rate@5 (repeat)', 'Users judged')
    """
    parts = re.fullmatch(r"(?:(repeat|new)_)?(.+)_at_(\d+)", key)
    if parts is None:
        return _words(key)
    part, metric, k = parts.groups()
    return f"{_words(metric)}@{k} ({part})" if part else f"{_words(metric)}@{k}"


def lower_is_better(key: str) -> bool:
    """Whether a metric is a loss or an error, of a group or of all.

    >>> lower_is_better("churn/brier"), lower_is_better("ndcg_at_10")
    (True, False)
    """
    return key.rpartition("/")[2] in _LOSSES


def _words(metric: str) -> str:
    if metric in _ACRONYMS:
        return metric.upper()
    return _PLAIN.get(metric, metric.replace("_", " ").capitalize())
