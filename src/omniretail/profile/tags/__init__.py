"""User tags: readable rules over the profile table, how stable they are, and what they say of a customer or a segment.

``tags_from`` reads the rules, ``learn`` finds their thresholds, ``LearnedTags.apply`` says who is tagged.
"""

from omniretail.profile.tags.customer_card import CustomerCard, customer_card
from omniretail.profile.tags.population import Population
from omniretail.profile.tags.rules import Tag, tags_from
from omniretail.profile.tags.segment_portrait import Portrait, segment_portrait
from omniretail.profile.tags.stability import earlier, stability
from omniretail.profile.tags.thresholds import LearnedTags, learn

__all__ = [
    "CustomerCard",
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
