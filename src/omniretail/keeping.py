"""What a run keeps of a fitted model, so that it can be exported: a bundle for each of the three protocols."""

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.table import ProfileTable
from omniretail.policies.protocol import fitted
from omniretail.probes.ask import Protocol
from omniretail.probes.examine import Examined
from omniretail.probes.kept import promisers
from omniretail.probes.moments import as_known
from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import Profiling, write_profile
from omniretail.serving.response import write_response
from omniretail.tags import learn, tags_from
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
    folder: Path, model: ProfileEncoder, examined: Examined, protocol: Protocol, rules: Mapping[str, Any]
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
        said = promisers(protocol, examined.learned, examined.answers, examined.before)
        known = replace(before, histories=as_known(now, before), users=now.users, at=now.at)
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


def _kept(folder: Path, write: Callable[[], object]) -> None:
    """A model that cannot be kept is judged all the same."""
    try:
        write()
    except (TypeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        log.warning("the fitted model is not kept with the run, so it cannot be exported: %s", error)
