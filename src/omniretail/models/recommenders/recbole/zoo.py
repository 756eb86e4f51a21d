"""RecBole's models by name: their family, their requirements, and the users that they can score."""

import importlib.util
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml

from omniretail.core.errors import SettingsError
from omniretail.models.recommenders.recbole.library import require_recbole

Family = Literal["general", "sequential", "knowledge", "context"]

_NAMES: Mapping[Family, str] = {
    "general": """ADMMSLIM AsymKNN BPR CDAE ConvNCF DGCF DMF DiffRec EASE ENMF FISM GCMC ItemKNN LDiffRec LINE LightGCN
        MacridVAE MultiDAE MultiVAE NAIS NCEPLRec NCL NGCF NNCF NeuMF Pop RaCT Random RecVAE SGL SLIMElastic SimpleX
        SpectralCF""",
    "sequential": """BERT4Rec CORE Caser DIEN DIN FDSA FEARec FOSSIL FPMC GCSAN GRU4Rec GRU4RecCPR GRU4RecF GRU4RecKG
        HGN HRM KSR LightSANs NARM NPE NextItNet RepeatNet S3Rec SASRec SASRecCPR SASRecF SHAN SINE SRGNN STAMP
        TransRec""",
    "knowledge": "CFKG CKE KGAT KGCN KGIN KGNNLS KTUP MCCLK MKR RippleNet",
    "context": """AFM AutoInt DCN DCNV2 DSSM DeepFM EulerNet FFM FM FNN FiGNN FwFM KD_DAGFM LR NFM PNN WideDeep
        xDeepFM""",
}
ZOO: Mapping[str, Family] = {name: family for family, names in _NAMES.items() for name in names.split()}
"""Every model of RecBole 1.2.1, except its two wrappers of gradient boosting, and its family."""

PER_USER_SEQUENTIAL = frozenset(["Caser", "DIEN", "DIN", "FOSSIL", "FPMC", "HGN", "HRM", "NPE", "SHAN", "TransRec"])
"""Sequential models that also learn a vector per user."""
AUTOENCODERS = frozenset(["DiffRec", "LDiffRec", "MacridVAE", "MultiDAE", "MultiVAE", "RaCT", "RecVAE"])
"""General models that read a user only as a row of the matrix, stored as padded lists."""
LINEAR = frozenset(["ADMMSLIM", "EASE", "SLIMElastic"])
"""General models that multiply a user's row of the matrix by item weights."""
SAME_FOR_ALL = frozenset(["Pop", "Random"])
PRETRAINED: Mapping[str, tuple[str, ...]] = {
    "S3Rec": ("pretrain", "finetune"),
    "RaCT": ("actor_pretrain", "critic_pretrain", "finetune"),
}
"""Models trained in stages, each from the weights of the stage before."""
NEEDS_ATTRIBUTES = frozenset(["FDSA", "GRU4RecF", "S3Rec", "SASRecF"])
NEEDS_VECTORS = frozenset(["GRU4RecKG", "KSR"])
_NEEDS_PACKAGE: Mapping[str, str] = {"NCL": "faiss", "KGAT": "dgl", "KGIN": "torch_scatter", "MCCLK": "torch_scatter"}

_TRAINING_PARAMETERS = frozenset(
    [
        "MAX_ITEM_LIST_LENGTH",
        "clip_grad_norm",
        "enable_amp",
        "enable_scaler",
        "eval_batch_size",
        "eval_step",
        "learner",
        "learning_rate",
        "repeatable",
        "require_pow",
        "rm_dup_inter",
        "shuffle",
        "train_batch_size",
        "train_neg_sample_args",
        "transform",
        "weight_decay",
    ]
)
_OWN = {"epochs": "epochs", "seed": "seed", "stopping_step": "patience", "device": "device", "gpu_id": "device"}


def require_known(name: str, families: Iterable[Family]) -> Family:
    """The family of a model.

    Raises:
        SettingsError: where RecBole has no such model in these families, with the names that are spelt similarly.
    """
    if ZOO.get(name) in (chosen := tuple(families)):
        return ZOO[name]
    if name in ZOO:
        raise SettingsError(f"{name} is a {ZOO[name]} model of RecBole; choose one of its {_listed(chosen)} models")
    candidates = [each for each in ZOO if ZOO[each] in chosen]
    raise SettingsError(
        f"RecBole has no model {name!r}{_similar(name, candidates)}; docs/recbole.md lists all {len(candidates)}"
    )


def require_parameters(name: str, params: Mapping[str, Any]) -> None:
    """Check the names of parameters.

    Raises:
        SettingsError: where the model has no such parameter, with the names that are spelt similarly.
    """
    allowed = sorted(set(defaults(name)) | _TRAINING_PARAMETERS)
    for parameter in params:
        if parameter in _OWN:
            raise SettingsError(f"params.{parameter} is a setting of its own: set {_OWN[parameter]} instead")
        if parameter not in allowed:
            raise SettingsError(
                f"RecBole's {name} has no parameter {parameter!r}{_similar(parameter, allowed)}; its own are: "
                f"{', '.join(defaults(name)) or 'none'}"
            )


def require_packages(name: str) -> None:
    """Check for packages that a model imports and RecBole does not install.

    Raises:
        SettingsError: naming the missing package, or the vectors that no source has.
    """
    package = _NEEDS_PACKAGE.get(name)
    if package and importlib.util.find_spec(package) is None:
        raise SettingsError(f"RecBole's {name} needs the package {package}, which is not installed")
    if name in NEEDS_VECTORS:
        raise SettingsError(
            f"RecBole's {name} needs vectors of a knowledge graph learned beforehand, which no source has"
        )


def defaults(name: str) -> dict[str, Any]:
    """A model's own parameters and RecBole's defaults of them."""
    path = require_recbole() / "properties" / "model" / f"{name}.yaml"
    return _read(path) if path.exists() else {}


def _read(path: Path) -> dict[str, Any]:
    values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {key: _number(value) for key, value in values.items()}


def _number(value: Any) -> Any:
    """YAML 1.1 reads 1e-5 as text; RecBole means a number."""
    if isinstance(value, list):
        return [_number(each) for each in value]
    return float(value) if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value) else value


def _similar(name: str, names: Iterable[str]) -> str:
    by_lower = {each.lower(): each for each in names}
    near = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=3)]
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
