"""How far candidate and champion lie apart, and whether luck alone would set them so far; for each kind of model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from omniretail.metrics.classification import auc_per_group, log_loss, log_losses
from omniretail.metrics.names import label
from omniretail.metrics.significance import bootstrap_test, holm, paired_test
from omniretail.o2o.offers.figures import OfferResult, columns, draws, ranking
from omniretail.profile.probing.figures import BLEND, ProbeResult, answered, measure
from omniretail.report.tables.activity_groups import groups
from omniretail.result import Result

MEAN = "mean"
"""The primary figure of an encoder that is asked for none of its questions: the mean of all."""
LEAST_REDEEMED = 20
"""An offer with fewer redemptions is no group: its AUC says nothing yet."""
_OFFER_DRAWS, _PROBE_DRAWS = 200, 100


@dataclass(frozen=True)
class Difference:
    """One figure of both.

    Attributes:
        what: the figure, and whose it is where it is a group's, in words.
        champion: its value.
        candidate: its value.
        p: two-sided; over customers, paired.
        lower_is_better: as of a loss.
    """

    what: str
    champion: float
    candidate: float
    p: float
    lower_is_better: bool = False

    @property
    def gain(self) -> float:
        """How much better the candidate is."""
        gain = self.candidate - self.champion
        return -gain if self.lower_is_better else gain


@dataclass(frozen=True)
class Differences:
    """What decides, and what is guarded (Holm-corrected among themselves)."""

    primary: Difference
    guarded: list[Difference]


def of_lists(candidate: Result, champion: Result, primary: str, n_groups: int, kept: Sequence[str]) -> Differences:
    """Recommenders: paired t-tests over customers; guarded are groups by activity, and the figures to be kept.

    Args:
        candidate: judged as the champion was.
        champion: the one that serves.
        primary: metric with a value per user.
        n_groups: of about equal size, by events before the cutoff; 0 for none.
        kept: further metrics.

    Raises:
        ValueError: where a metric was not measured.
    """
    for metric in (primary, *kept):
        for result in (candidate, champion):
            if metric not in result.per_user:
                known = ", ".join(name for name in result.per_user if name != "n_history")
                raise ValueError(f"{result.model} has no values per user of {metric}; it has {known}")
    users = candidate.per_user.index
    guarded = [_over_users(label(metric), candidate, champion, metric, users) for metric in kept]
    if n_groups:
        grouped = groups(candidate.per_user["n_history"].to_numpy(), n_groups)
        for number, name in enumerate(grouped.names):
            what = f"{label(primary)} of customers with {name} events before"
            guarded.append(_over_users(what, candidate, champion, primary, users[grouped.of == number]))
    return Differences(_over_users(label(primary), candidate, champion, primary, users), _corrected(guarded))


def of_offers(candidate: OfferResult, champion: OfferResult, primary: str, by_offer: bool) -> Differences:
    """Response models: paired bootstrap over customers; guarded are the log loss, and the AUC of each offer.

    Args:
        candidate: judged on the champion's mailings.
        champion: the one that serves.
        primary: a figure that looks at the order: ``auc``, ``auc_per_offer``, ``average_precision``.
        by_offer: whether offers of at least ``LEAST_REDEEMED`` redemptions are guarded.

    Raises:
        ValueError: where there is no such figure.
    """
    mine, present = (each.answers.sort_values(["offer_id", "user_id"], kind="stable") for each in (candidate, champion))
    truth, score, offer = columns(mine)
    scores = np.stack([columns(present)[1], score])  # (2, N)
    ids = np.unique(mine.offer_id)
    redeemed = np.bincount(offer, weights=truth)
    shown = np.flatnonzero((redeemed >= LEAST_REDEEMED) & by_offer)

    def figures(rows: np.ndarray | slice) -> np.ndarray:
        """Of both models; shape (2, F)."""
        asked = [(truth[rows], each[rows], offer[rows]) for each in scores]
        return np.array([[*ranking(*each).values(), *_per_offer(*each, len(ids))[shown]] for each in asked])

    names = list(ranking(truth, score, offer))
    if primary not in names:
        raise ValueError(f"a response model is judged by one of {', '.join(names)}, not {primary}")
    words = [*map(label, names), *(f"AUC of offer {ids[number]}" for number in shown)]
    drawn = np.stack([figures(rows) for rows in draws(mine, _OFFER_DRAWS)])  # (R, 2, F)
    found = _bootstrapped(words, figures(slice(None)), drawn)
    return Differences(found[names.index(primary)], _corrected([_log_loss(mine, scores), *found[len(names) :]]))


def of_embeddings(candidate: ProbeResult, champion: ProbeResult, primary: str) -> Differences:
    """Profile encoders: paired bootstrap over customers, all questions on the same draws; guarded is each question.

    Args:
        candidate: asked what the champion was asked.
        champion: the one that serves.
        primary: a question, or ``mean`` of them all.

    Raises:
        ValueError: where there is no such question.
    """
    both = [replace(r, answers=_in_one_order(r.answers)) for r in (champion, candidate)]
    names = [str(name) for name in champion.answers.question.unique()]
    if primary not in (MEAN, *names):
        raise ValueError(
            f"the encoders were asked {', '.join(names)}, not {primary}; gate.profile_primary takes one "
            f"of these, or {MEAN}"
        )
    blend = [r.figures[r.figures.probe == BLEND].set_index("question")["value"].loc[names] for r in both]
    values = np.stack([[*each, each.mean()] for each in blend])  # (2, F)
    found = _bootstrapped([*names, "the mean of all questions"], values, _asked_again(both, names))
    return Differences(found[-1] if primary == MEAN else found[names.index(primary)], _corrected(found[:-1]))


def _over_users(what: str, candidate: Result, champion: Result, metric: str, users: pd.Index) -> Difference:
    mine, present = (pd.Series(result.per_user[metric]).reindex(users) for result in (candidate, champion))
    both = (mine.notna() & present.notna()).to_numpy()
    before, after = (float(each.to_numpy()[both].mean()) if both.any() else float("nan") for each in (present, mine))
    return Difference(what, before, after, paired_test(mine, present))


def _per_offer(truth: np.ndarray, score: np.ndarray, offer: np.ndarray, n_offers: int) -> np.ndarray:
    """AUC of each offer, also of those that no drawn customer got; shape (n_offers,)."""
    each = auc_per_group(truth, score, offer)
    return np.pad(each, (0, n_offers - len(each)), constant_values=np.nan)


def _log_loss(answers: pd.DataFrame, scores: np.ndarray) -> Difference:
    """Over customers, each with the sum over all their mailings, so that the test is of the mean that is shown."""
    truth = columns(answers)[0]
    customer = pd.factorize(answers.user_id)[0]
    present, mine = (pd.Series(np.bincount(customer, weights=log_losses(truth, each))) for each in scores)
    before, after = (log_loss(truth, each) for each in scores)
    return Difference("log loss", before, after, paired_test(mine, present), lower_is_better=True)


def _in_one_order(answers: pd.DataFrame) -> pd.DataFrame:
    words = answers.assign(**{name: answers[name].astype(str) for name in ("question", "class")})
    return words.sort_values(["question", "user_id", "class"], kind="stable")


def _asked_again(both: Sequence[ProbeResult], names: Sequence[str]) -> np.ndarray:
    """Each question's figure, and their mean, with customers drawn with replacement; shape (R, 2, Q + 1)."""
    questions = [[answered(result, name) for result in both] for name in names]
    everybody = pd.Index(np.unique(np.concatenate([pair[0].users for pair in questions])))
    rows = [pd.Index(pair[0].users).get_indexer(everybody) for pair in questions]  # -1: not asked that
    rng = np.random.default_rng(0)
    found = []
    for _ in range(_PROBE_DRAWS):
        drawn = rng.integers(len(everybody), size=len(everybody))
        at = [each[drawn][each[drawn] >= 0] for each in rows]
        values = [
            [measure(a.kind, a.truth[r], a.score[r]) for a in pair] for pair, r in zip(questions, at, strict=True)
        ]
        found.append([*values, pd.DataFrame(values).mean().to_numpy()])
    return np.swapaxes(np.array(found), 1, 2)


def _bootstrapped(names: Sequence[str], values: np.ndarray, drawn: np.ndarray) -> list[Difference]:
    """One for each figure.

    Args:
        names: F.
        values: of champion and candidate; shape (2, F).
        drawn: the same on customers drawn with replacement; shape (R, 2, F).
    """
    p = bootstrap_test(values[1] - values[0], (drawn[:, 1] - drawn[:, 0]).T)
    each = zip(names, *values.tolist(), p.tolist(), strict=True)
    return [Difference(name, before, after, p) for name, before, after, p in each]


def _corrected(guarded: Sequence[Difference]) -> list[Difference]:
    """With p-values adjusted for having been looked at together."""
    adjusted = holm(np.array([each.p for each in guarded]))
    return [replace(each, p=float(p)) for each, p in zip(guarded, adjusted, strict=True)]
