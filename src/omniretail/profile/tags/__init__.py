"""Tags: readable rules over the profile table, their stability, and cards of customers and portraits of segments.

``tags_from`` reads the rules, ``learn`` learns their thresholds, ``LearnedTags.apply`` tags customers.
"""

from omniretail.profile.tags.customer_card import CustomerCard, customer_card
from omniretail.profile.tags.population import Population
from omniretail.profile.tags.rules import Tag, tags_from
from omniretail.profile.tags.segment_portrait import Portrait, segment_portrait
from omniretail.profile.tags.stability import earlier_table, stability
from omniretail.profile.tags.thresholds import LearnedTags, learn

__all__ = [
    "CustomerCard",
    "LearnedTags",
    "Population",
    "Portrait",
    "Tag",
    "customer_card",
    "earlier_table",
    "learn",
    "segment_portrait",
    "stability",
    "tags_from",
]
