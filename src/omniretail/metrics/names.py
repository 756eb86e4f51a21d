"""A metric's two names: the key that machines sort by and the label that people read."""

import re

_LOSSES = {"brier", "ece", "log_loss", "mae", "regret", "rmse", "score_regret"}
_NAMES = {
    "average_precision": "AP",
    "brier": "Brier score",
    "intra_list_diversity": "Diversity",
    "spearman": "Spearman's ρ",
}
"""Of metrics whose key in words is not what the field calls them."""

_ACRONYMS = {"ari", "auc", "auuc", "ece", "mae", "map", "mrr", "ndcg", "rmse"}


def key(metric: str, k: int, part: str = "") -> str:
    """The column of ``per_user`` or the entry of ``overall``.

    >>> key("recall", 10, part="repeat")
    'repeat_recall_at_10'
    """
    return f"{part}_{metric}_at_{k}" if part else f"{metric}_at_{k}"


def label(key: str) -> str:
    """A key in words; that of a group's metric names the group first.

    >>> label("ndcg_at_10"), label("repeat_hit_rate_at_5"), label("users_judged")
    ('NDCG@10', 'Hit rate@5 (repeat)', 'Users judged')
    >>> label("cold_recall_at_10")
    'Recall@10 (cold)'
    >>> label("churn/auc"), label("first_visit/recall_at_3"), label("auc_per_offer")
    ('churn AUC', 'first visit recall@3', 'AUC per offer')
    """
    group, _, metric = key.rpartition("/")
    parts = re.fullmatch(r"(?:(repeat|new|cold)_)?(.+)_at_(\d+)", metric)
    if parts is None:
        name = _words(metric)
    else:
        part, metric, k = parts.groups()
        name = f"{_words(metric)}@{k} ({part})" if part else f"{_words(metric)}@{k}"
    return f"{group_label(group)} {in_a_sentence(name)}" if group else name


def group_label(group: str) -> str:
    """A group in words.

    >>> group_label("first_visit/several_stores")
    'first visit, several stores'
    """
    return group.replace("/", ", ").replace("_", " ")


def in_a_sentence(label: str) -> str:
    """A label as it stands inside a sentence: without a capital, unless it is an acronym or a name.

    >>> in_a_sentence("Hit rate@10"), in_a_sentence("NDCG@10"), in_a_sentence("Qini")
    ('hit rate@10', 'NDCG@10', 'Qini')
    """
    proper = re.match(r"[A-Z]{2}|Qini|Brier|Spearman", label)
    return label if proper else label[:1].lower() + label[1:]


def lower_is_better(key: str) -> bool:
    """Whether a metric is a loss or an error, of a group or of all.

    >>> lower_is_better("churn/brier"), lower_is_better("regret_at_10"), lower_is_better("ndcg_at_10")
    (True, True, False)
    """
    return re.sub(r"_at_\d+$", "", key.rpartition("/")[2]) in _LOSSES


def is_gain(key: str) -> bool:
    """Whether a metric is the difference that something makes, and zero where it makes none.

    >>> is_gain("all_items/new_here/gain"), is_gain("auc")
    (True, False)
    """
    return key.rpartition("/")[2] == "gain"


def _words(metric: str) -> str:
    name = " ".join(word.upper() if word in _ACRONYMS else word for word in metric.split("_"))
    return _NAMES.get(metric, name[:1].upper() + name[1:])
