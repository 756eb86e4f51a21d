"""What a version must show before it serves; each check says what was found and what was asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from omniretail.metrics.names import label
from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import ProbeResult
from omniretail.registry.gate_tests import Difference
from omniretail.report.tables.format import amount, figure, probability
from omniretail.report.tables.protocol import PROTOCOL
from omniretail.result import Result

AnyResult = Result | ProbeResult | OfferResult
_KINDS = {Result: "recommender", ProbeResult: "profile encoder", OfferResult: "response model"}


@dataclass(frozen=True)
class Check:
    """One question to a candidate.

    Attributes:
        name: what was looked at.
        found: in words.
        bound: what was asked, in words.
        passed: whether what was found is what was asked.
    """

    name: str
    found: str
    bound: str
    passed: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.found} (asked: {self.bound})"


def stands_in(stand_in: AnyResult, champion: AnyResult) -> Check:
    """Whether a run on other data is of what the champion is: the same model with the same settings."""
    mine, present = (f"{each.model} {each.settings.get('parameters', '')}".strip() for each in (stand_in, champion))
    return Check(
        "stands in for the champion", f"run {stand_in.run_id} of {mine}", f"a run of {present}", mine == present
    )


def same_trial(candidate: AnyResult, champion: AnyResult) -> list[Check]:
    """Whether the two were judged alike: kind, data, protocol, and the very customers."""
    return [_kind(candidate, champion), _data(candidate, champion), _protocol(candidate, champion)] + (
        [_customers(candidate, champion)] if type(candidate) is type(champion) else []
    )


def beats(difference: Difference, alpha: float) -> Check:
    """Whether the candidate is better than the champion, and not by luck."""
    passed = difference.gain > 0 and difference.p < alpha
    bound = f"{'lower' if difference.lower_is_better else 'higher'} with p < {alpha:g}"
    return Check(f"beats the champion in {difference.what}", _words(difference), bound, passed)


def not_worse(difference: Difference, alpha: float) -> Check:
    """Whether nothing shows that the candidate is worse."""
    worse = difference.gain < 0 and difference.p < alpha
    bound = f"not {'higher' if difference.lower_is_better else 'lower'} with p < {alpha:g}"
    return Check(difference.what, _words(difference), bound, not worse)


def coverage(candidate: Result, champion: Result, key: str, share: float) -> Check:
    """Whether the lists still reach into the catalogue.

    Raises:
        ValueError: where one of them has no such figure.
    """
    for result in (candidate, champion):
        if key not in result.overall:
            known = ", ".join(sorted(result.overall))
            raise ValueError(f"{result.model} has no {key}; gate.coverage takes one of {known}, or null for no guard")
    mine, present = candidate.overall[key], champion.overall[key]
    found = f"{figure(mine)} against the champion's {figure(present)}"
    return Check(label(key), found, f"at least {100 * share:g} % of the champion's", mine >= share * present)


def latency(candidate_ms: float | None, bound_ms: float) -> Check:
    """Whether an answer comes soon enough."""
    found = "not measured; register the run again" if candidate_ms is None else f"{amount(candidate_ms)} ms"
    return Check(
        "p99 latency", found, f"at most {bound_ms:g} ms", candidate_ms is not None and candidate_ms <= bound_ms
    )


def latency_ratio(candidate_ms: float, champion_ms: float, times: float) -> Check:
    """Whether an answer comes about as soon as the champion's."""
    found = f"{amount(candidate_ms)} ms against {amount(champion_ms)} ms"
    return Check(
        "p99 latency beside the champion's", found, f"at most {times:g} times", candidate_ms <= times * champion_ms
    )


def _kind(candidate: AnyResult, champion: AnyResult) -> Check:
    mine, present = _KINDS[type(candidate)], _KINDS[type(champion)]
    return Check("same kind", f"a {mine}", f"a {present}, as the champion", mine == present)


def _data(candidate: AnyResult, champion: AnyResult) -> Check:
    mine, present = (result.settings.get("data", "unknown") for result in (candidate, champion))
    return Check("same data", f"version {mine}", f"version {present}, as the champion", mine == present)


def _protocol(candidate: AnyResult, champion: AnyResult) -> Check:
    mine, present = ({"stage": r.stage, **r.settings} for r in (candidate, champion))
    keys = [key for key in PROTOCOL if key != "data"]
    other = [key for key in keys if mine.get(key, "") != present.get(key, "")]
    found, bound = (
        ", ".join(f"{key} {each.get(key, '')}".strip() for key in other or keys if each.get(key) or other)
        for each in (mine, present)
    )
    return Check("same protocol", found, f"{bound}, as the champion" if other else "as the champion", not other)


def _customers(candidate: AnyResult, champion: AnyResult) -> Check:
    mine, present = _judged(candidate), _judged(champion)
    strange = (mine - present).total()
    found = f"{mine.total():,} judged" + (f", {strange:,} of them not among the champion's" if strange else "")
    return Check("same customers", found, f"the champion's {present.total():,}", mine == present)


def _judged(result: AnyResult) -> Counter:
    """What the result has answers for: customers, their mailings, or their questions."""
    if isinstance(result, Result):
        return Counter(result.per_user.index)
    if isinstance(result, OfferResult):
        return Counter(zip(result.answers.user_id, result.answers.offer_id, strict=True))
    asked = result.answers[["question", "user_id"]].drop_duplicates()
    return Counter(zip(asked.question.astype(str), asked.user_id, strict=True))


def _words(difference: Difference) -> str:
    values = f"{figure(difference.candidate)} against {figure(difference.champion)}"
    return f"{values}, p {probability(difference.p)}"


def failed(checks: Sequence[Check]) -> list[Check]:
    """Those that were not passed."""
    return [check for check in checks if not check.passed]
