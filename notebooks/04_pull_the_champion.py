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
# # Pull the champion
#
# What happens between a run and a service: a run saves what it learned, a version is registered with its card, a gate
# decides which version serves, and a service loads it by name. On The Complete Journey, with two models
# that train quickly.
#
# Open it with `.venv/bin/pip install -e '.[notebooks]' && .venv/bin/jupyter lab`, or run it as a plain script:
# `.venv/bin/python notebooks/04_pull_the_champion.py`. Runs and versions go to the store that `MLFLOW_TRACKING_URI`
# names, else to `mlflow.db`.
#
# The gate compares on **test**, so here, unlike in the other notebooks, each model is evaluated on test, once. Nothing
# is chosen by it but who serves: what a model's settings should be was settled on validation before.

# %%
import json
import textwrap

import pandas as pd
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.registry.gate import Gate
from omniretail.registry.history import CHAMPION
from omniretail.registry.promotion import Outcome, history_in_words, promote, rollback
from omniretail.registry.register import register
from omniretail.run import run
from omniretail.serving.load_registered import load_registered
from omniretail.serving.validation import RequestError

NAME = "grocery-notebook"
URI = compose().tracking.uri
client = MlflowClient(URI, URI)

# %% [markdown]
# ## Train, and register
# Two runs under a policy that a store can keep: only what the customer's store sold lately. `register` loads what the
# run saved in a process of its own, in which nothing for training can be imported, compares its answers with those
# here, and only then makes a version. One that exists is never changed: run this twice, and the numbers go on.

# %%
POLICY = ["policy=store_assortment", "evaluate=[test]"]
versions = {}
for model in ("recent_popular", "personal_top"):
    (result,) = run(compose(f"model=recommender/{model}", *POLICY))
    versions[model] = register(URI, result.run_id, NAME)
    print(f"{result.model}: NDCG@10 {result.value('ndcg_at_10'):.4f} on test, version {versions[model]} of {NAME}")

# %% [markdown]
# ## The gate
# The first champion has nobody to beat. A later one must rank better than it by a paired test over the same
# customers, reach as far into the catalogue, serve no group of customers worse, and answer in time. The bounds on time
# are wide here, for a notebook's machine has other things to do; `configs/registry/gate/default.yaml` has those that
# `scripts/export.py action=promote` holds to.

# %%
gate = Gate(max_latency_ms=2000, max_latency_ratio=None)


def show(outcome: Outcome) -> None:
    """Every check of the gate, and the outcome."""
    for check in outcome.checks:
        print(textwrap.shorten(f"{'passed' if check.passed else 'FAILED'}  {check}", 120, placeholder=" …"))
    print(f"Version {outcome.version} {'is the champion now' if outcome.promoted else 'does not become champion'}.\n")


for model in ("recent_popular", "personal_top"):
    show(promote(URI, NAME, versions[model], gate))

# %% [markdown]
# And back? The gate says no, and why. Past it leads only `force="a reason"`, which is recorded.

# %%
refused = promote(URI, NAME, versions["recent_popular"], gate)
print(f"Version {refused.version} failed {len(refused.failed)} of {len(refused.checks)} checks:")
print(*refused.failed, sep="\n")

# %% [markdown]
# ## The card
# Every version has a card: data and its terms, protocol, metrics with intervals, limits, and the command that makes it
# again. What programs need is beside it as tags.

# %%
champion = client.get_model_version_by_alias(NAME, CHAMPION)
print(champion.description)

# %%
tags = {name: champion.tags[name] for name in ("kind", "model", "data_version", "latency_p50_ms", "latency_p99_ms")}
print(json.dumps(tags | {"policy": json.loads(champion.tags["protocol"])["policy"]}, indent=1))

# %% [markdown]
# ## Load it, and request lists
# `load_registered` downloads the files, compares them with the sha256 in the registry, then loads them: no pickle, no
# code from the store. A row of the table is a request; all its fields are optional.

# %%
champion_model = load_registered(URI, f"models:/{NAME}@{CHAMPION}")
print(f"{champion_model.version}, manifest {champion_model.digest[:12]}…")


def request_lists(*requests: dict) -> None:
    """Print each request with the champion's list."""
    answers = champion_model.service.predict(pd.DataFrame(requests))
    for request, answer in zip(requests, answers.to_dict("records"), strict=True):
        why = f"  (fallback: {answer['fallback']})" if answer["fallback"] else ""
        left_out = f"  ({answer['unknown_items']} event of an item it does not know)" if answer["unknown_items"] else ""
        print(f"{json.dumps(request)}{why}{left_out}", *(f"    {name}" for name in answer["names"]), sep="\n")


# %% [markdown]
# A customer with events before the cutoff; one that training never saw, who bought bananas (1082185), milk (1029743)
# and an item that is not in the catalogue; and no customer: the answer says that a fallback made the list.

# %%
request_lists({"user_id": 115, "k": 4}, {"history": [1082185, 1029743, 0], "k": 4}, {"k": 4})

# %% [markdown]
# The same customer in a store that they rarely visit, where the policy shows what that store sold; with filters on what
# the item table says; and no customer, in that store.

# %%
request_lists(
    {"user_id": 115, "store_id": 306, "k": 4},
    {"user_id": 115, "filters": {"department": ["PRODUCE"], "brand": "National"}, "k": 4},
    {"store_id": 306, "k": 4},
)

# %% [markdown]
# A wrong request is named, with the way to mend it. Over HTTP it is status 400, and the server goes on.

# %%
for request in (
    {"user": 115},
    {"user_id": "household 115"},
    {"user_id": 115, "k": 0},
    {"user_id": 115, "store_id": 999_999},
    {"user_id": 115, "filters": {"departmnt": "PRODUCE"}},
    {"history": [{"timestamp": "2017-12-01"}]},
):
    try:
        request_lists(request)
    except RequestError as error:
        print(f"{json.dumps(request)}\n    {error}")

# %% [markdown]
# ## Back to the one before
# A rollback needs no gate: the version has served before. Every move is recorded with who, when and what was found.

# %%
rollback(URI, NAME)
print(*history_in_words(URI, NAME), sep="\n")
champion_model = load_registered(URI, f"models:/{NAME}@{CHAMPION}")
print(f"\nLoaded again: {champion_model.version}")
request_lists({"user_id": 115, "k": 4})

# %% [markdown]
# From here: `mlflow models serve -m models:/grocery-notebook@champion --env-manager local -p 5001` answers over HTTP,
# `scripts/score.py` answers files of requests, and [docs/serving.md](../docs/serving.md) has the rest.
