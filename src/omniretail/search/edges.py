"""Winners at the edge of their space, and the setting that widens it."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig

from omniretail.config import make
from omniretail.core.errors import DataError, SettingsError
from omniretail.core.overrides import override
from omniretail.search.evaluate import with_params
from omniretail.search.space import Dimension, short_name, written


def at_the_edge(cfg: DictConfig, space: Sequence[Dimension], params: Mapping[str, Any]) -> list[str]:
    """A sentence for each setting of the winner at an end of its range, unless the model allows nothing beyond it.

    Args:
        cfg: settings.
        space: what was searched.
        params: of the winner, by dotted name.
    """
    sentences = []
    for dimension in space:
        wider = dimension.wider(params.get(dimension.name)) if dimension.name in params else None
        if wider is None or not _allowed(cfg, {**params, dimension.name: wider[1]}):
            continue
        end, value = wider
        sentences.append(
            f"{short_name(dimension.name)}={written(params[dimension.name])} lies at the edge of its space, "
            f"{written(dimension.low)} to {written(dimension.high)}; go on with a wider one: "
            f"{override(f'{dimension.place}.{end}', value)}"
        )
    return sentences


def _allowed(cfg: DictConfig, params: Mapping[str, Any]) -> bool:
    try:
        make(with_params(cfg, params).model)
    except (SettingsError, DataError):
        return False
    return True
