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
# # Compare recommenders, then look at what they recommend
#
# Figures say which model is better; lists say why. We train four models on The Complete Journey, put them into one
# table, and look at a few households: what they used to buy, what each model recommends, what they then bought.
#
# Open it with `.venv/bin/pip install -e '.[notebooks]' && .venv/bin/jupyter lab`, or run it as a plain script:
# `.venv/bin/python notebooks/01_compare_recommenders.py`.
#
# Everything here looks at **validation**. Test is for the end of an experiment, once.

# %%
import pandas as pd

import omniretail as om

data = om.load("complete_journey")
MODELS = {
    "most bought": om.models.Popular(),
    "own habits": om.models.PersonalTop(),
    "EASE": om.models.EASE(weighting="log"),
    "TIFU-KNN": om.models.TIFUKNN(),
}

# %% [markdown]
# ## Train and compare
# `evaluate` fits a model on what lies before the cutoff and judges it by the four weeks after; `compare` tests each
# against the best by a paired test over households.

# %%
results = [om.evaluate(model, data, stage="val") for model in MODELS.values()]
print(om.compare(results, metrics=["recall_at_10", "new_recall_at_10", "coverage_at_10"]))

# %% [markdown]
# ## What lies behind the figures
# The fold is what the models saw: the households' histories before the cutoff, and what is held out after it.

# %%
fold = data.fold("val")
ids, names = fold.train.items.ids, fold.train.item_table["name"].fillna("(no name)")


def shopping_list(items: pd.Series, bought_next: set) -> pd.Series:
    """Product names; a tick marks what the household bought in the four weeks after."""
    named = dict(zip(ids, names, strict=True))
    return pd.Series([("✓ " if item in bought_next else "  ") + named[item] for item in items])


def household(row: int, k: int = 10) -> pd.DataFrame:
    """Its most bought products beside each model's list; a tick marks what it bought next."""
    user, history = fold.user_ids[row], fold.users.take([row])
    bought_next = set(ids[fold.held_out[[row]].indices])
    habits = pd.Series(ids[history.item_idx]).value_counts().index[:k].to_series()
    lists = {name: om.recommend(model, users=[user], k=k).item_id for name, model in list(MODELS.items())[1:]}
    columns = {"bought most so far": habits, **lists}
    return pd.DataFrame({name: shopping_list(items, bought_next) for name, items in columns.items()})


# %%
pd.set_option("display.width", 200, "display.max_colwidth", 44)
for row in (10, 500, 1500):
    print(
        f"Household {fold.user_ids[row]}: {fold.users.lengths[row]:,} purchases, {fold.n_held_out[row]} products next"
    )
    print(household(row).to_string(index=False), end="\n\n")

# %% [markdown]
# ## Somebody new
# A model that scores from a history needs no retraining for a customer it has never seen: give it the basket.

# %%
lowered = names.str.lower()
basket = [ids[lowered.index[lowered.str.contains(product)][0]] for product in ("banana", "milk", "yogurt")]
print("In the basket:", " | ".join(shopping_list(pd.Series(basket), set()).str.strip()))
print("EASE adds:    ", " | ".join(om.recommend(MODELS["EASE"], histories=[basket], k=8).name))
