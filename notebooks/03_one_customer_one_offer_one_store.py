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
# # One customer, one offer, one store
#
# A coupon is mailed from an office and redeemed at a till; a list is made on a server and taken from a shelf. We follow
# one household of The Complete Journey all the way: who it is, which campaigns it was sent and how likely it redeems,
# which store it visits next, what that store has for it. Last, whom a coupon *brings*, which no log tells, only an
# experiment.
#
# Open it with `.venv/bin/pip install -e '.[notebooks]' && .venv/bin/jupyter lab`, or run it as a plain script:
# `.venv/bin/python notebooks/03_one_customer_one_offer_one_store.py`.
#
# Everything here looks at **validation**: campaigns from May to August 2017, and the four weeks from 6 November on.
# Test is for the end of an experiment, once. The data package calls its data fit for education and exploration: read
# this as a way to ask, not as evidence about real customers.

# %%
import dataclasses
import os
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from hydra.utils import instantiate
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from omegaconf import OmegaConf

from omniretail.config import compose
from omniretail.models.profiles.table import ProfileTable
from omniretail.models.responses.encoding import features_of, log_compressed, matrix
from omniretail.models.stores.decayed_visits import decayed_counts
from omniretail.models.stores.last import LastStore
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.models.stores.popular import PopularStore
from omniretail.models.stores.time_of_week import TimeOfWeekStore
from omniretail.models.top_k import recommend
from omniretail.o2o.uplift.evaluate import coupon_figures, ranking_figures
from omniretail.o2o.uplift.experiment_rows import campaigns, experiment
from omniretail.policies.stores import Sold
from omniretail.profile.tags import Population, customer_card, learn, tags_from
from omniretail.recommendation.evaluate import Examination
from omniretail.report.pages.uplift import qini_plot
from omniretail.report.plots.style import GRID, canvas, line_styles, styled
from omniretail.sources.protocol import load
from omniretail.views.cached import load_fold
from omniretail.views.stores.visit_log import held_out_visits, store_log

while not Path("configs").exists():  # a notebook starts in its own folder
    os.chdir("..")

CFG = compose("model=response/logistic", "policy=store_assortment", "+tags=default")
CACHE = Path(CFG.cache_dir)
tables, split = load(instantiate(CFG.source), CACHE), instantiate(CFG.split)
fold = load_fold(tables, split, "val", CACHE)
train, names = fold.train, fold.train.item_table["name"].fillna("(no name)")
BLUE, RED = (look.colour for look in line_styles(("known", "came after"), None).values())
pd.set_option("display.width", 160, "display.max_colwidth", 60, "display.precision", 2)

# %% [markdown]
# ## Choosing a household
# Not the one that looks best: of the households that had redeemed an offer before, were mailed another from May to
# August, and came in November, we take the one in the middle by visits.

# %%
offers = instantiate(CFG.offers)
sent = offers.fold(tables, "val", CACHE)
mailings = sent.judged.rows.assign(customer=sent.judged.user_id, offer=sent.judged.offer_id)
firsts = mailings.drop_duplicates("customer")
redeemers = firsts[(firsts.offers_redeemed > 0) & firsts.customer.isin(fold.user_ids)]
household = int(redeemers.sort_values(["visits", "customer"]).customer.iloc[len(redeemers) // 2])
print(
    f"Household {household}, of {len(redeemers)} that had redeemed an offer and of {len(firsts):,} that were mailed one"
)

# %% [markdown]
# ## Who is it?
# As known on 6 November: tags are rules with thresholds learned from everybody, figures stand beside the median.

# %%
profile = ProfileTable().fit(train)
features, table = profile.features(), profile.table(train.histories, train.at)
rules = tags_from(OmegaConf.to_container(CFG.tags, resolve=True))
people = Population(train, table, features, learn(rules, table, features), tables.card.currency)
card = customer_card(people, household, n_words=4, n_products=5)
for tag in card.tags:
    print(f"{tag.label}: {tag.definition}")
shown = ("visits_91", "gap_mean_days", "spend_91", "basket_value_mean", "discount_share", "coupon_visits", "stores")
figures = [(f.definition, f.window, f.value, f.everybody, f.place) for f in card.figures if f.feature in shown]
print(pd.DataFrame(figures, columns=["figure", "window", "this household", "median", "place"]).to_string(index=False))
print("Buys most often:", " | ".join(f"{product.name} ({product.visits} visits)" for product in card.products))

# %% [markdown]
# ## Will it redeem?
# Logistic regression, learned from campaigns that were over by 8 May, asked about those of the summer. Each row knows
# what was known on the day of its mailing and nothing else.

# %%
seen = sent.learned.columns(offers.groups)
model = instantiate(CFG.model).fit(sent.learned.rows[seen], sent.y)
mailings["probability"], mailings["redeemed"] = model.predict_proba(mailings[seen]), sent.judged.y.astype(int)
mailings["rank"] = mailings.groupby("offer").probability.rank(ascending=False).astype(int)
mailings["recipients"] = mailings.groupby("offer").offer.transform("size")
own = mailings[mailings.customer == household]
columns = ["offer", "kind", "offer_items", "offered_lines", "probability", "rank", "recipients", "redeemed"]
print(f"Learned from {len(sent.y):,} mailings, of which {sent.y.mean():.1%} were redeemed. Of household {household}:")
print(own[columns].astype({"offer_items": int, "offered_lines": int}).to_string(index=False))

# %% [markdown]
# `offer_items` are the products that the coupons cover, `offered_lines` how often the household had bought one, `rank`
# its place among all who were mailed. Over all households: a fifth after the other, the least likely first.

# %%
fifth = pd.qcut(mailings.probability, 5, labels=False).add(1).rename("fifth")
print(
    mailings.groupby(fifth).agg(
        mailings=("redeemed", "size"), promised=("probability", "mean"), redeemed=("redeemed", "mean")
    )
)

# %% [markdown]
# The order holds. The level holds in the likeliest fifth alone, and below it the model promises more than the summer
# kept: calibrate before a budget is made of such numbers.
#
# What carries it? The model adds up: each feature's weight times how far the household stands from the average mailing
# learned from. Of its first mailing, what speaks most for redeeming (blue) and most against it (red):

# %%
known = features_of(model)
words = [f"{column}: {word}" for column, found in known.vocabularies() for word in found]
said = {each.name: each.definition for each in sent.judged.features}
added = pd.Series(
    matrix(known, log_compressed(own[seen][:1]))[0] * model.weights_, index=[*(said[name] for name in known.quantities), *words]
)


@styled
def adds_up(added: pd.Series, n_for: int = 8, n_against: int = 4) -> Figure:
    """The largest parts of a log-odds, one bar each."""
    bars = pd.concat([added.nsmallest(n_against), added.nlargest(n_for)[::-1]])
    figure, (axes,) = canvas(height=0.34 * len(bars) + 0.6)
    axes.barh(range(len(bars)), bars, color=np.where(bars > 0, BLUE, RED), height=0.6)
    axes.axvline(0, color=GRID, linewidth=1)
    axes.set_yticks(range(len(bars)), [textwrap.fill(phrase, 46) for phrase in bars.index], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("added to the log-odds of redeeming")
    return figure


# %matplotlib inline
adds_up(added)

# %% [markdown]
# ## Which store next?
# Four baselines, learned from visits before 6 November, asked for the first visit of every household after it. The last
# one is also told weekday and hour of the visit.

# %%
log = store_log(train)
after = held_out_visits(split.cutoff(tables.events, "val"), train.users, train.stores)
first = after.first()
for baseline in (PopularStore(), LastStore(), MostFrequentStore(half_life_days=28), TimeOfWeekStore()):
    told = isinstance(baseline, TimeOfWeekStore)
    hits = baseline.fit(log).score(first, timed=told).argmax(axis=1) == first.visits.store
    print(f"{type(baseline).__name__:<18}{hits.mean():>6.1%} of {len(hits):,} first visits{', moment told' * told}")

# %%
row = int(people.row_of(household))
asked = after.keep(after.visits.row == row)
scores = MostFrequentStore(half_life_days=28).fit(log).score(asked.first(), timed=False)[0]
store = int(scores.argmax())
ids = train.stores.decode(np.arange(len(train.stores)))
print(f"Household {household} will come to store {ids[store]}; it came to store {ids[asked.visits.store[0]]}")


@styled
def visits_by_store() -> Figure:
    """One row per store of the household, one mark per visit."""
    before = log.visits.keep(log.visits.row == row)
    ranked = [place for place in (-decayed_counts(log)[row]).argsort(kind="stable") if decayed_counts(log)[row, place]]
    ranked += [place for place in dict.fromkeys(asked.visits.store.tolist()) if place not in ranked]
    height = {place: n for n, place in enumerate(ranked[::-1])}
    figure, (axes,) = canvas(height=0.28 * len(ranked) + 0.9)
    for made, colour, name in ((before, BLUE, "known"), (asked.visits, RED, "came after")):
        when = pd.to_datetime(made.timestamp, unit="s")
        axes.scatter(when, [height[s] for s in made.store], c=colour, marker="|", s=80, linewidths=1.4, label=name)
    axes.axvline(pd.Timestamp(log.at, unit="s"), color=GRID, linewidth=1, linestyle=":")
    axes.xaxis.set_major_formatter(DateFormatter("%b"))
    axes.tick_params(labelsize=9)
    axes.set_yticks(range(len(ranked)), [f"store {ids[place]}" for place in height], fontsize=9)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9)
    return figure


visits_by_store()

# %% [markdown]
# ## What does that store have for it?
# A list of ten as the model ranks the whole catalogue; then under `policy=store_assortment`, with the household in that
# store; then in the one of its stores that it knows least. The policy shows what a store sold in the thirteen weeks
# before: a lower bound of what it sells, for the log holds these households' purchases alone.
#
# ✓ bought in the next four weeks, wherever.

# %%
taste, policy = instantiate(compose("model=recommender/personal_top").model), instantiate(CFG.policy).fit(train)
taste.fit(train)
place = int(np.searchsorted(fold.user_ids, household))
itself, bought = fold.users.take([place]), fold.held_out[[place]].indices
least = int(np.where(decayed_counts(log)[row] > 0, decayed_counts(log)[row], np.inf).argmin())
lists = {"anywhere": recommend(taste, itself, 10)[0][0]}
for shop in (store, least):
    has = Sold(weeks=13).carried(train)[[shop]].indices
    there = dataclasses.replace(itself, at_store=np.array([shop], dtype=np.int32))
    ranked = recommend(taste, there, 10, policy)[0][0]
    lists[f"in store {ids[shop]}"] = ranked
    print(
        f"Store {ids[shop]} sold {len(has):,} of {len(names):,} products: "
        f"{np.isin(lists['anywhere'], has).sum()} of the 10 can be had there"
    )
marked = {name: [("✓ " if i in bought else "  ") + names[i] for i in items] for name, items in lists.items()}
print(pd.DataFrame(marked).to_string(index=False))
print("Bought next:", " | ".join(f"{np.isin(items, bought).sum()} of the list {name}" for name, items in lists.items()))

# %% [markdown]
# One household proves nothing. All of them, each in the store that it visited most in the last eight weeks:

# %%
judged = Examination(instantiate(CFG.metrics), policy, CFG.memory_mb, {}).take(taste, fold, "val").per_user.mean()
print(f"A list made for anywhere: {judged.feasible_share_before_at_10:.0%} of it can be had there, ", end="")
print(f"NDCG@10 {judged.unconstrained_ndcg_at_10:.3f}")
print(f"A list made for the store: {judged.feasible_share_at_10:.0%} of it, NDCG@10 {judged.ndcg_at_10:.3f}")

# %% [markdown]
# ## Whom does a coupon bring?
# That a household redeems does not mean that it came because of the coupon. The campaigns above went to chosen
# households, so nobody can tell from them. `source=simulate` draws a retailer that sends coupons by chance. It is
# **synthetic**: 2,000 customers out of a program whose truth is known. It shows how methods behave, and says nothing
# about anybody. Learned from the first campaigns, judged by the last but one.

# %%
synthetic = compose("source=simulate", "source.n_customers=2000")
world = instantiate(synthetic.source)
drawn = load(world, CACHE)
sent_by_chance = campaigns(drawn)
past, latest = experiment(drawn, sent_by_chance[:-2]), experiment(drawn, sent_by_chance[-2:-1])
rankings = {"the true effect": world.world().effect(int(latest.offer_id[0]) - 1)[latest.user_id - 1]}
for learner in ("x_learner", "response", "chance"):
    uplift = instantiate(compose(f"model=uplift/{learner}").model)
    uplift.fit(past.x.to_numpy(float), past.treated, past.y)
    rankings[type(uplift).__name__] = uplift.predict(latest.x.reindex(columns=past.x.columns).to_numpy(float))
qini = ranking_figures(latest, rankings)[["ranking", "qini", "qini_low", "qini_high"]].set_index("ranking") * 100
fifth = coupon_figures(latest, rankings, shares=(0.2,)).set_index("ranking")[["buy", "buy_anyway", "because"]].round()
print(qini.join(fifth.astype(int)))

# %% [markdown]
# Qini is what a ranking gains over a random order, in buyers per 100 customers, with its interval; beside it, where 100
# coupons to its best fifth go. `Response` ranks by who buys when sent a coupon, and spends most on customers who would
# have come anyway. The true effect shows how much there is to win. So few customers do not let any learner be told from
# chance: with 1,500 of them, another one leads.

# %%
qini_plot(latest, rankings)

# %% [markdown]
# `scripts/train.py -m model=response/logistic,response/lightgbm` compares response models. With
# `scripts/uplift.py source=simulate source.n_customers=20000`, learners part from chance:
# [docs/uplift.md](../docs/uplift.md).
