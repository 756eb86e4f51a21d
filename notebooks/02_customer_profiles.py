# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who are these customers?
#
# One household as a card, then all of them as vectors: what do two encoders know, which segments are there, what sets
# each apart? On The Complete Journey.
#
# Open it with `.venv/bin/pip install -e '.[notebooks]' && .venv/bin/jupyter lab`, or run it as a plain script:
# `.venv/bin/python notebooks/02_customer_profiles.py`.
#
# Everything here is as of the **validation** cutoff. Test is for the end of an experiment, once.

# %%
import pandas as pd

import omniretail as om
from omniretail.profile.segments.projection import plane
from omniretail.report.charts.customer_map import customer_map
from omniretail.report.pages.segments_text import distinguishing_features, feature_labels

pd.set_option("display.width", 160, "display.max_colwidth", 60, "display.precision", 2)
data = om.load("complete_journey")

# %% [markdown]
# ## One household
# The profile table is what a marketer would count; tags are rules over it, with thresholds learned from all customers.

# %%
profile = om.models.ProfileTable()
print(om.evaluate(profile, data, None, "task.customer=1", task="tags", stage="val"))

# %%
card = om.findings(profile).card
print(f"Household {card.customer}")
for tag in card.tags:
    print(f"  {tag.label}: {tag.definition}")
figures = [(each.definition, each.window, each.value, each.everybody, each.percentile) for each in card.figures]
print(
    pd.DataFrame(figures, columns=["figure", "window", "this household", "median", "percentile"]).to_string(index=False)
)

# %% [markdown]
# What it buys: the largest departments by lines beside everybody's, and the products that come back most.

# %%
for share in card.levels["department"]:
    print(f"  {share.name:<16} {share.share:>6.1%} of its lines, {share.everybody:.1%} of all lines")
for product in card.products:
    print(f"  {product.name} on {product.visits} visits")

# %% [markdown]
# ## What do embeddings know?
# Two encoders: the table itself, standardised, and counts of products and categories reduced to 32 numbers. Small
# probes predict attributes that the shop knows of some households, and what happens next, always for households that
# the probes were not trained on. Chance is .5 for AUC and 0 for Spearman's correlation.
# `scripts/train.py -m model=profile/table,profile/svd` predicts more, with more seeds.

# %%
QUICK = ("task.probes.n_seeds=1", "task.probes.lightgbm=false", "task.n_folds=3", "task.levels={}")
encoders = [om.models.ProfileTable(), om.models.CountSVD()]
print(om.compare([om.evaluate(encoder, data, None, *QUICK, stage="val") for encoder in encoders]))

# %% [markdown]
# ## Segments
# k-means on the embeddings of CountSVD. Without `task.n_segments` the number of segments is one that another half of
# the households would show again, which takes longer to find.

# %%
print(om.evaluate(encoders[1], data, None, "task.n_segments=4", task="segmentation", stage="val"))
segmentation = om.findings(encoders[1])
segments = segmentation.customers.segments
print(segments.note)

definitions = feature_labels(segmentation.features, "USD") | dict(segmentation.labels)
for segment, phrases in distinguishing_features(segmentation.profile, segments.labels, definitions).items():
    print(f"\nSegment {segment}, {segments.sizes[segment - 1]:,} households", *phrases, sep="\n  ")

# %% [markdown]
# ## The map
# Every dot is a household, near those with a similar embedding. The colours are features that the encoder was not given
# as such: where they lie in patches, the embedding knows about them.

# %%
projected = plane(segmentation.earlier.embeddings)
coordinates = projected.coordinates
customer_map(coordinates, pd.Series(segments.labels).map("Segment {}".format), "segment", projected.note)

# %%
customer_map(coordinates, segmentation.profile.spend_91.reset_index(drop=True), definitions["spend_91"], projected.note)

# %%
customer_map(coordinates, segmentation.profile.loyal.reset_index(drop=True), "loyal", projected.note)

# %% [markdown]
# `scripts/train.py task=segmentation model=profile/table` makes a page of all this, assigns households anew one window
# later, and shows what drifted.
