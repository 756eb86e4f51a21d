# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A fair comparison in ten lines
# A log in memory goes in; tables come out. No files, no settings.

# %%
import numpy as np
import pandas as pd

import omniretail as om

rng = np.random.default_rng(0)
n = 8_000
customer = rng.integers(0, 400, n)
leaves_on_day = rng.integers(60, 300, 400)  # half of the customers stop coming
log = pd.DataFrame(
    {
        "CustomerID": 13_000 + customer,
        "StockCode": np.where(rng.random(n) < 0.7, customer % 20 * 5 + rng.integers(0, 5, n), rng.integers(0, 100, n)),
        "InvoiceDate": pd.Timestamp("2024-01-01")
        + pd.to_timedelta((rng.random(n) * np.minimum(leaves_on_day[customer], 180) * 24).astype(int), unit="h"),
    }
)
items = pd.DataFrame({"item_id": range(100), "name": [f"product {number}" for number in range(100)]})

# %%
columns = {"user_id": "CustomerID", "item_id": "StockCode", "timestamp": "InvoiceDate"}
data = om.Dataset.from_frames(events=log, items=items, columns=columns)
split = om.splits.Temporal(horizon_days=28)
model = om.models.EASE(l2=200.0)
results = [om.evaluate(each, data, split) for each in (model, om.models.PersonalTop(), om.models.Popular())]
print(om.compare(results))

# %% [markdown]
# The model stays fitted, so it can be asked for lists.

# %%
print(om.recommend(model, users=["13085"], k=5))

# %% [markdown]
# The same log through another door: what does a profile say of these customers, and what is its embedding?

# %%
profile = om.models.CountSVD(dim=8)
print(om.evaluate(profile, data, split, "task.probes.n_seeds=2", "task.n_folds=3"))
print(om.embed(profile, users=["13085", "13086"]).round(2))
