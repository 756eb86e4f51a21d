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
import os
from pathlib import Path

import pandas as pd
from hydra.utils import instantiate
from omegaconf import OmegaConf
from rich.console import Console

from omniretail.config import compose
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.probing.evaluate import Probes, embedded
from omniretail.profile.segments.clustering import fit_segments
from omniretail.profile.segments.projection import plane
from omniretail.profile.tags import Population, customer_card, learn, tags_from
from omniretail.profile.windows import date_text, two_windows
from omniretail.report.pages.segments_summary import apart, feature_words
from omniretail.report.plots.segment_map import customer_map
from omniretail.report.tables.probing import probe_comparison, probe_terminal
from omniretail.sources.protocol import load

while not Path("configs").exists():  # a notebook starts in its own folder
    os.chdir("..")

cfg = compose("source=complete_journey", "+tags=default")
cache = Path(cfg.cache_dir)
tables, split = load(instantiate(cfg.source), cache), instantiate(cfg.split)
looks = two_windows(tables, split, "val", cache)
print(f"{len(looks.now.users):,} households, as known on {date_text(looks.now.at)}")

# %% [markdown]
# ## One household
# The profile table is what a marketer would count; tags are rules over it, with thresholds learned from everybody.

# %%
rules = OmegaConf.to_container(cfg.tags, resolve=True)
profile = ProfileTable().fit(looks.now)
features, table = profile.features(), profile.table(looks.now.histories, looks.now.at)
people = Population(looks.now, table, features, learn(tags_from(rules), table, features), tables.card.currency)
card = customer_card(people, 1, n_words=5, n_products=5)

print(f"Household {card.customer}")
for tag in card.tags:
    print(f"  {tag.label}: {tag.definition}")
figures = [(each.definition, each.window, each.value, each.everybody, each.place) for each in card.figures]
pd.set_option("display.width", 160, "display.max_colwidth", 60, "display.precision", 2)
print(pd.DataFrame(figures, columns=["figure", "window", "this household", "median", "place"]).to_string(index=False))

# %% [markdown]
# What it buys: the largest departments by lines beside everybody's, and the products that come back most.

# %%
for share in card.levels["department"]:
    print(f"  {share.name:<16} {share.share:>6.1%} of its lines, {share.everybody:.1%} of all lines")
for product in card.products:
    print(f"  {product.name} on {product.visits} visits")

# %% [markdown]
# ## What do vectors know?
# Two encoders: the table itself, standardised, and counts of products and categories squeezed into 32 numbers. Small
# probes ask their vectors for facts that the shop knows of some households, and for what happens next, always of
# households that the probes have not seen. Chance is .5 for AUC and 0 for ρ. `scripts/train.py -m model=profile/…` asks
# more, and longer.

# %%
asked = instantiate(cfg.probes.protocol, n_seeds=1, trees=False)
probes = Probes(asked, facts={name: cfg.facts[name] for name in ("age", "children")})
encoders = {name: instantiate(compose(f"model=profile/{name}").model) for name in ("table", "svd")}
results = [probes.take(encoder, tables, split, "val", cache).result for encoder in encoders.values()]
Console(width=110, highlight=False).print(probe_terminal(probe_comparison(results)))

# %% [markdown]
# ## Segments
# k-means on the vectors of the table: households that live alike with the shop. The number of segments is one that
# another half of the households would show again; where none is, the sentence says so, and borders are drawn through a
# cloud.

# %%
_, vectors, _ = embedded(encoders["table"], looks)
segments = fit_segments(vectors, min_segments=3, max_segments=6)
print(segments.note)

readable = pd.concat([table, people.tagged], axis=1)
words = feature_words(features, tables.card.currency) | {tag.name: f"tag “{tag.label}”" for tag in people.learned.tags}
for segment, phrases in apart(readable, segments.labels, words).items():
    print(f"\nSegment {segment}, {segments.sizes[segment - 1]:,} households", *phrases, sep="\n  ")

# %% [markdown]
# ## The map
# Every dot is a household, near those with a like vector. The colours were not shown to the encoder as such: where they
# lie in patches, the vectors know about them all the same.

# %%
# %matplotlib inline
places = plane(vectors).places
customer_map(places, pd.Series(segments.labels).map("Segment {}".format), "segment")

# %%
customer_map(places, table.spend_91, words["spend_91"])

# %%
customer_map(places, people.tagged.loyal, "loyal")

# %% [markdown]
# `scripts/segments.py` makes a page of all this, follows households from one month to the next, and says what drifted.
