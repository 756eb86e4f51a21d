"""RecBole's models under our protocol. This package alone imports recbole, and only when a model is fitted."""

from omniretail.models.recommenders.recbole.recommender import RecBole

__all__ = ["RecBole"]
