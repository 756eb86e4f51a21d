"""RecBole's models as recommenders. Only this package imports recbole, and only when a model is fitted."""

from omniretail.models.recommenders.recbole.recommender import RecBole

__all__ = ["RecBole"]
