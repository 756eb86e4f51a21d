"""Splits: how events are cut into what is learned from and what is judged. Each gives one ``Cutoff`` for a stage."""

from omniretail.splits.cutoff import Cutoff
from omniretail.splits.fixed import Fixed
from omniretail.splits.last_basket import LastBasket
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.session import Session
from omniretail.splits.target_channel import TargetChannel
from omniretail.splits.temporal import Temporal

__all__ = ["Cutoff", "Fixed", "LastBasket", "LeaveLast", "Session", "TargetChannel", "Temporal"]
