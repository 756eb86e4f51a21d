"""Names are the field's words: identifiers, settings and file names of the first house stay out."""

import io
import keyword
import re
import tokenize
from pathlib import Path

import pytest

from tests.conftest import ROOT

BANNED = {
    "looks": "windows",
    "told": "the noun, e.g. profile_inputs, labels",
    "asked": "queries, request",
    "ask": "predict, query",
    "said": "predictions",
    "given": "the noun",
    "found": "matches, result, or the noun",
    "kept": "saved, selected, or the noun",
    "keeping": "saving, bundles",
    "promise": "prediction",
    "promises": "predictions, CalibrationReport",
    "promised": "predicted",
    "promisers": "probes",
    "examine": "evaluate",
    "examined": "evaluated",
    "examination": "evaluation",
    "watched": "constraint_effect",
    "turns": "promotion_lock",
    "ticket": "promotion_lock",
    "tickets": "promotion_lock",
    "sift": "drop_counting",
    "likeness": "similarity",
    "faded": "decayed",
    "usual": "time_of_week, default",
    "forests": "boosters: t_learner",
    "nought": "zero",
    "apart": "split_repeat_new",
    "floor": "baseline",
    "hindsight": "leaky",
    "clip_norm": "gradient_clip_val",
    "accumulate": "accumulate_grad_batches",
    "min_rows": "min_child_samples",
    "rows_share": "subsample",
    "columns_share": "colsample_bytree",
}
ALLOWED = {
    "FileNotFoundError",
    "ModuleNotFoundError",
    "PackageNotFoundError",
    "np.floor",
    "np.maximum.accumulate",
    "floor_divide",
    "accumulate_grad_batches",
    "minimum.accumulate",
}
FILES = sorted(path for folder in ("src", "scripts") for path in (ROOT / folder).rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def parts(identifier: str) -> set[str]:
    """The words of an identifier, and the identifier itself.

    >>> sorted(parts("kept_rows"))
    ['kept', 'kept_rows', 'rows']
    """
    words = re.split(r"_+|(?<=[a-z])(?=[A-Z])", identifier)
    return {word.lower() for word in words if word} | {identifier}


def identifiers(path: Path) -> set[tuple[int, str]]:
    tokens = list(tokenize.generate_tokens(io.StringIO(path.read_text()).readline))
    return {
        (token.start[0], token.string)
        for before, token in zip([None, *tokens], tokens, strict=False)
        if token.type == tokenize.NAME
        and not keyword.iskeyword(token.string)
        and not (token.string in ("floor", "accumulate", "ask") and before is not None and before.string == ".")
        and token.string not in ALLOWED
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_identifiers_are_the_fields_words(path: Path) -> None:
    wrong = {
        f"line {line}: {name} (write {BANNED[word]})"
        for line, name in identifiers(path)
        for word in parts(name) & BANNED.keys()
    }
    assert not wrong, "; ".join(sorted(wrong))
    assert not parts(path.stem) & BANNED.keys()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_settings_are_the_fields_words(path: Path) -> None:
    keys = re.findall(r"^\s*(?:- )?([\w.]+):", path.read_text(), flags=re.MULTILINE)
    wrong = {f"{key} (write {BANNED[word]})" for key in set(keys) - ALLOWED for word in parts(key) & BANNED.keys()}
    assert not wrong, "; ".join(sorted(wrong))
    assert not parts(path.stem) & BANNED.keys()
