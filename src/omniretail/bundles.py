"""What a run keeps of a fitted model, so that it can be exported: a bundle for each of the three protocols."""

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.table import ProfileTable
from omniretail.o2o.offers.figures import OfferResult, figures_of
from omniretail.o2o.uplift.experiment_rows import Experiment
from omniretail.policies.protocol import fitted
from omniretail.profile.probing.cross_fitting import CrossFitting
from omniretail.profile.probing.evaluate import Examined
from omniretail.profile.propensity.saved_probes import saved_probes
from omniretail.profile.tags import learn, tags_from
from omniretail.profile.windows import aligned
from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import Profiling, write_profile
from omniretail.serving.response import write_response
from omniretail.views.train import Train

log = logging.getLogger(__name__)


def keep_recommender(folder: Path, model: Any, policy: Any, train: Train) -> None:
    """Keep a recommender with the policy that it was judged under.

    Args:
        folder: where; left out where the model cannot be kept.
        model: fitted on ``train``.
        policy: not yet fitted.
        train: what the model learned from.
    """
    _kept(folder, lambda: write_recommender(folder, model, fitted([policy], train)[0], train))


def keep_profile(
    folder: Path, model: ProfileEncoder, examined: Examined, protocol: CrossFitting, rules: Mapping[str, Any]
) -> None:
    """Keep an encoder, with probes of what happens next and with tags.

    Args:
        folder: where; left out where the model cannot be kept.
        model: as examined.
        examined: what was found, and by what.
        protocol: of the probes.
        rules: of tags, see ``tags_from``.
    """
    before, now = examined.looks.before, examined.looks.now

    def write() -> None:
        table = ProfileTable().fit(before)
        tags = learn(tags_from(rules), table.table(before.histories, before.at), table.features())
        said = saved_probes(protocol, examined.learned, examined.answers, examined.before)
        known = replace(before, histories=aligned(now, before), users=now.users, at=now.at)
        write_profile(folder, Profiling(model, known, said, table, tags))

    _kept(folder, write)


def keep_response(folder: Path, model: Any, rows: pd.DataFrame) -> None:
    """Keep a response model.

    Args:
        folder: where; left out where the model cannot be kept.
        model: fitted.
        rows: of which it was asked: their columns are what a request gives.
    """
    _kept(folder, lambda: write_response(folder, model, rows))


def as_response(
    model: Any, learned: Experiment, judged: Experiment, rankings: pd.DataFrame, settings: dict[str, str]
) -> OfferResult:
    """A model that tells both, judged as a response model on those who were sent the coupon, with its uplift beside.

    Args:
        model: fitted, with ``predict_proba`` for rows of the treated.
        learned: what it learned from.
        judged: rows of campaigns that it has not seen.
        rankings: from ``ranking_figures``.
        settings: the protocol in words.
    """
    name, sent = type(model).__name__, np.flatnonzero(judged.treated)
    rows = judged.x.reindex(columns=learned.x.columns).iloc[sent]
    answers = pd.DataFrame(
        {
            "user_id": judged.user_id[sent],
            "offer_id": judged.offer_id[sent],
            "truth": judged.y[sent].astype(np.float64),
            "score": model.predict_proba(rows),
        }
    )
    ranked = rankings.set_index("ranking").loc[name]
    uplift = [
        {"figure": f, "value": ranked[f], "low": ranked[f"{f}_low"], "high": ranked[f"{f}_high"]}
        for f in ("qini", "auuc")
    ]
    parts = {"learned": learned, "judged": judged}
    return OfferResult(
        model=name,
        stage="test",
        figures=pd.concat([figures_of(answers), pd.DataFrame(uplift)], ignore_index=True),
        answers=answers,
        counts={
            **{of: int(part.treated.sum()) for of, part in parts.items()},
            **{f"{of}_redeemed": int(part.y[part.treated].sum()) for of, part in parts.items()},
            **{f"{of}_offers": len(np.unique(part.offer_id)) for of, part in parts.items()},
        },
        settings={**settings, "stage": "test"},
    )


def _kept(folder: Path, write: Callable[[], object]) -> None:
    """A model that cannot be kept is judged all the same."""
    try:
        write()
    except (TypeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        log.warning("the fitted model is not kept with the run, so it cannot be exported: %s", error)
