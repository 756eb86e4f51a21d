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
# one household of The Complete Journey: which campaigns it was sent and how likely it redeems, who it is, which store
# it visits next, what that store has for it. Last, whom a coupon *brings*, which no log tells, only an experiment.
#
# Open it with `.venv/bin/pip install -e '.[notebooks]' && .venv/bin/jupyter lab`, or run it as a plain script:
# `.venv/bin/python notebooks/03_one_customer_one_offer_one_store.py`.
#
# Everything here looks at **validation**: campaigns from May to August 2017, and the four weeks from 6 November on. The
# data package calls its data fit for education and exploration.

# %%
import pandas as pd

import omniretail as om

pd.set_option("display.width", 160, "display.max_colwidth", 60, "display.precision", 3)
data = om.load("complete_journey")
fold = data.fold("val")

# %% [markdown]
# ## Who redeems?
# Logistic regression, learned from campaigns that were over by 8 May, evaluated on those of the summer. Each row knows
# what was known on the day of its mailing.

# %%
response = om.models.Logistic()
redemptions = om.evaluate(response, data, stage="val")
print(redemptions)

# %% [markdown]
# Not the household that looks best: of those that were mailed an offer and came in November, the one in the middle by
# purchases.

# %%
mailed = redemptions.per_unit.reset_index()
mailed["place"] = mailed.groupby("offer_id").score.rank(ascending=False).astype(int)
mailed["recipients"] = mailed.groupby("offer_id").score.transform("size")
purchases = pd.Series(fold.users.lengths, index=fold.user_ids)
candidates = purchases[purchases.index.isin(mailed.user_id)].sort_values(kind="stable")
household = candidates.index[len(candidates) // 2]
print(f"Household {household}, {candidates[household]:,} purchases before 6 November; its mailings of the summer:")
own = mailed[mailed.user_id == household]
print(own[["offer_id", "score", "place", "recipients", "truth"]].to_string(index=False))

# %% [markdown]
# ## Who is it?
# Tags are rules over the profile table with thresholds learned from all customers.

# %%
profile = om.models.ProfileTable()
om.evaluate(profile, data, None, f"task.customer={household}", task="tags", stage="val")
card = om.findings(profile).card
for tag in card.tags:
    print(f"{tag.label}: {tag.definition}")
print("Buys most often:", " | ".join(f"{product.name} ({product.visits} visits)" for product in card.products[:5]))

# %% [markdown]
# ## Which store next?
# Simple rules, learned from visits before 6 November, evaluated on the visits after it.

# %%
rules = [om.models.PopularStore(), om.models.LastStore(), om.models.MostFrequentStore(half_life_days=56)]
print(om.compare([om.evaluate(rule, data, stage="val") for rule in rules]))

# %%
row = int(fold.train.users.encode([household])[0])
visited = fold.train.histories.take([row]).store
stores = pd.Series(fold.train.stores.decode(visited[visited >= 0])).value_counts()
print(f"Household {household} has bought in {len(stores)} stores, most in store {stores.index[0]}")

# %% [markdown]
# ## What does that store have for it?
# A list of ten under `policy=store_assortment`, with the household in its most frequent store, and in its least. The
# policy shows what a store sold in the thirteen weeks before. ✓ marks what the household bought in the next four weeks.

# %%
habits = om.models.PersonalTop()
evaluated = om.evaluate(habits, data, None, "policy=store_assortment", stage="val")
place = list(fold.user_ids).index(household)
bought_next = set(fold.train.items.decode(fold.held_out[[place]].indices))
lists = {}
for store in (stores.index[0], stores.index[-1]):
    items = om.recommend(habits, users=[household], k=10, stores=[store])
    ticks = items.item_id.isin(bought_next).map({True: "✓ ", False: "  "})
    lists[f"in store {store}"] = ticks + items.name.fillna("(no name)")
print(pd.DataFrame(lists).to_string(index=False))

# %% [markdown]
# One household proves nothing. All of them, each in the store that it visited most in the last eight weeks:

# %%
names = ["feasible_share_before_at_10", "unconstrained_ndcg_at_10", "feasible_share_at_10", "ndcg_at_10"]
print(evaluated.per_unit[names].mean().round(3).to_string())

# %% [markdown]
# ## Whom does a coupon bring?
# That a household redeems does not mean that it came because of the coupon. The campaigns above went to chosen
# households, so their log cannot tell. `source=simulate` draws a retailer that sends coupons at random. It is
# **synthetic**: customers of a program whose truth is known. Learned from the first campaigns, judged by the last but
# one.

# %%
simulated = om.load("simulate", "source.n_customers=2000")
learners = [om.models.TLearner(), om.models.XLearner(), om.models.Response()]
print(om.compare([om.evaluate(learner, simulated, stage="val") for learner in learners]))

# %% [markdown]
# Qini is what a ranking gains over a random order. `Response` ranks by who buys when sent a coupon, and spends most on
# customers who would have come anyway. With 2,000 customers no learner differs surely from another; with 20,000 they
# do: [docs/uplift.md](../docs/uplift.md).
