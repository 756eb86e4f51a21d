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
import os
from pathlib import Path

import pandas as pd
from hydra.utils import instantiate
from rich.console import Console

from omniretail.config import compose
from omniretail.models.top_k import recommend
from omniretail.report import comparison, terminal, verdict
from omniretail.run import run
from omniretail.sources.protocol import load
from omniretail.views.cached import load_fold
from omniretail.views.histories import Histories

while not Path("configs").exists():  # a notebook starts in its own folder
    os.chdir("..")

MODELS = ["popular", "personal_top", "ease", "tifu_knn"]

# %% [markdown]
# ## Train and compare
# `compose` gives the same settings as the command line; `run` trains, judges, and keeps the run in MLflow.

# %%
results = [run(compose(f"model=recommender/{name}", "evaluate=[val]"))[0] for name in MODELS]
table = comparison(results, metrics=["recall_at_10", "new_recall_at_10", "coverage_at_10"], primary="ndcg_at_10")
Console(width=110, highlight=False).print(terminal(table, width=110))
print(verdict(table, "PersonalTop"))

# %% [markdown]
# ## What lies behind the figures
# The fold is what the models saw: the households' histories before the cutoff, and what is held out after it.

# %%
cfg = compose("source=complete_journey")
fold = load_fold(load(instantiate(cfg.source), Path(cfg.cache_dir)), instantiate(cfg.split), "val", Path(cfg.cache_dir))
models = {name: instantiate(compose(f"model=recommender/{name}").model).fit(fold.train) for name in MODELS[1:]}
names = fold.train.item_table["name"].fillna("(no name)")


def shopping_list(items: pd.Series, held_out: set[int]) -> pd.Series:
    """Product names; a tick marks what the household bought in the four weeks after."""
    return pd.Series([("✓ " if item in held_out else "  ") + names[item] for item in items])


def look_at(row: int, k: int = 10) -> pd.DataFrame:
    """One household: its most bought products beside each model's list; a tick marks what it bought next."""
    household = fold.users.take([row])
    bought_next = set(fold.held_out[[row]].indices.tolist())
    habits = pd.Series(household.item_idx).value_counts().index[:k].to_series()
    columns = {"bought most so far": shopping_list(habits, bought_next)}
    for name, model in models.items():
        ranked, _ = recommend(model, household, k)
        columns[name] = shopping_list(pd.Series(ranked[0]), bought_next)
    return pd.DataFrame(columns)


# %%
pd.set_option("display.width", 200, "display.max_colwidth", 44)
for row in (10, 500, 1500):
    print(
        f"Household {fold.user_ids[row]}: {fold.users.lengths[row]:,} purchases, {fold.n_held_out[row]} products next"
    )
    print(look_at(row).to_string(index=False), end="\n\n")

# %% [markdown]
# ## Somebody new
# A model that scores from a history needs no retraining for a customer it has never seen: give it the basket.

# %%
words = names.str.lower()
basket = [int(words.index[words.str.contains(word)][0]) for word in ("banana", "milk", "yogurt")]
newcomer = Histories.of([[basket]], n_items=len(names))
ranked, _ = recommend(models["ease"], newcomer, k=8)
print("In the basket:", " | ".join(names[basket]))
print("EASE adds:    ", " | ".join(names[ranked[0]]))
