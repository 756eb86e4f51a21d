"""Models: one file each, under its paper's name.

    from omniretail.models import EASE, SASRec

A model is imported when it is named, so that torch is loaded by neural models alone.
"""

from importlib import import_module
from typing import Any

_PLACES = {
    "BGNBDGammaGamma": "lifetime.bg_nbd_gamma_gamma",
    "BPR": "recommenders.bpr",
    "BSARec": "recommenders.bsarec",
    "BaseRate": "responses.base_rate",
    "BiTGCF": "recommenders.bitgcf",
    "Blend": "responses.blend",
    "BoostedChoice": "stores.boosted_choice",
    "ChannelWalk": "recommenders.channel_walk",
    "ChebyCF": "recommenders.cheby_cf",
    "ClassTransformation": "uplift.class_transformation",
    "CoLES": "profiles.coles",
    "Concat": "profiles.concat",
    "CountSVD": "profiles.svd",
    "DRLearner": "uplift.dr_learner",
    "EASE": "recommenders.ease",
    "ESASRec": "recommenders.esasrec",
    "GFCF": "recommenders.gfcf",
    "GRU4Rec": "recommenders.gru4rec",
    "GRUAutoencoder": "profiles.gru_autoencoder",
    "HSTU": "recommenders.hstu",
    "IALS": "recommenders.ials",
    "IALSFactors": "profiles.ials",
    "Item2Vec": "profiles.item2vec",
    "ItemKNN": "recommenders.item_knn",
    "LastStore": "stores.last",
    "LightGBM": "responses.lightgbm",
    "LightGBMTLearner": "uplift.lightgbm_t_learner",
    "LightGCN": "recommenders.lightgcn",
    "Logistic": "responses.logistic",
    "MeanRate": "lifetime.naive_rates",
    "MostFrequentStore": "stores.most_frequent",
    "MultVAE": "recommenders.mult_vae",
    "NextItem": "profiles.next_item",
    "NoiseFree": "uplift.noise_free",
    "OneChannel": "profiles.one_channel",
    "OracleFeatures": "uplift.oracle_features",
    "OwnRate": "lifetime.naive_rates",
    "PerArm": "uplift.per_arm",
    "PersonalTop": "recommenders.personal_top",
    "Popular": "recommenders.popular",
    "PopularStore": "stores.popular",
    "ProfileKNN": "recommenders.profile_knn",
    "ProfileReranker": "recommenders.profile_reranker",
    "ProfileTable": "profiles.table",
    "RLearner": "uplift.r_learner",
    "Random": "profiles.random",
    "RecBole": "recommenders.recbole",
    "RecBoleResponse": "responses.recbole",
    "RecentPopular": "recommenders.recent_popular",
    "Response": "uplift.response",
    "SASRec": "recommenders.sasrec",
    "SLIM": "recommenders.slim",
    "SLearner": "uplift.s_learner",
    "STAN": "recommenders.stan",
    "ScoreBlend": "recommenders.blend",
    "SingleFeature": "responses.single_feature",
    "SparseEASE": "recommenders.sparse_ease",
    "StoreOracle": "stores.oracle",
    "TIFUKNN": "recommenders.tifu_knn",
    "TLearner": "uplift.t_learner",
    "TimeOfWeekStore": "stores.time_of_week",
    "TrueEffect": "uplift.true_effect",
    "TwoStage": "recommenders.two_stage",
    "TwHIN": "profiles.twhin",
    "TwoTower": "recommenders.two_tower",
    "UPCF": "recommenders.up_cf",
    "UserKNN": "recommenders.user_knn",
    "VSKNN": "recommenders.vs_knn",
    "VisitProbability": "stores.visit_probability",
    "WideAndDeep": "responses.wide_and_deep",
    "XLearner": "uplift.x_learner",
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"there is no model {name!r}; there are {', '.join(_PLACES)}")
    return getattr(import_module(f"omniretail.models.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_PLACES)
