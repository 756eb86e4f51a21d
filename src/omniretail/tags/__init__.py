"""User tags: readable rules over the profile table, how stable they are, and what they say of a customer or a segment.

``tags_from`` reads the rules, ``learn`` finds their thresholds, ``LearnedTags.apply`` says who is tagged.
"""

from omniretail.tags.card import Card, customer_card
from omniretail.tags.learned import LearnedTags, learn
from omniretail.tags.population import Population
from omniretail.tags.rules import Tag, tags_from
from omniretail.tags.segment import Portrait, segment_portrait
from omniretail.tags.stability import earlier, stability

__all__ = [
    "Card",
    "LearnedTags",
    "Population",
    "Portrait",
    "Tag",
    "customer_card",
    "earlier",
    "learn",
    "segment_portrait",
    "stability",
    "tags_from",
]
