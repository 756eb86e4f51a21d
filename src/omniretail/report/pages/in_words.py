"""Settings as people read them, in place of how Python writes them."""

import re

_CONSTANTS = {"True": "yes", "False": "no", "None": "none"}
_ARGUMENTS = {"refit=False": "frozen (validation is in the histories at test time, never learned from)"}


def in_words(text: str) -> str:
    """A setting without Python's brackets, quotes and underscores.

    >>> in_words("Temporal(horizon_days=28, refit=True, end=None)")
    'Temporal: horizon days 28, refit yes'
    >>> in_words("LeaveLast(min_events=3, refit=False)")
    'LeaveLast: min events 3, frozen (validation is in the histories at test time, never learned from)'
    >>> in_words("['customer', 'past_offers']"), in_words("AllowSeen()"), in_words("{'a': 'b_c'}")
    ('customer, past_offers', 'AllowSeen', 'a: b_c')
    >>> in_words("allow_seen")
    'allow seen'
    >>> in_words("campaign 18 (May) from 2017-10-30 on"), in_words("")
    ('campaign 18 (May) from 2017-10-30 on', '')
    """
    call = re.fullmatch(r"([A-Za-z_][\w.]*)\((.*)\)", text, flags=re.DOTALL)
    if call is None:
        plain = re.sub(r"(?<![\w])'([^']*)'", r"\1", text)
        plain = plain[1:-1] if re.fullmatch(r"[\[{(].*[\]})]", plain, flags=re.DOTALL) else plain
        return _CONSTANTS.get(plain, plain.replace("_", " ") if plain.isidentifier() else plain)
    arguments = [_argument(part) for part in _split(call[2])]
    return ": ".join(filter(None, [call[1].rpartition(".")[2], ", ".join(filter(None, arguments))]))


def parameters_in_words(line: str) -> str:
    """A line of hyper-parameters, see ``tasks.parameters_of``.

    >>> parameters_in_words("levels=['department','brand'] half_life_days=None k=10")
    'levels department, brand; half life days none; k 10'
    """
    pairs = [part.partition("=") for part in line.split()]
    words = (f"{name.replace('_', ' ')} {in_words(value).replace(',', ', ')}".strip() for name, _, value in pairs)
    return "; ".join(words) or "none"


def _argument(part: str) -> str:
    """One argument; one that is None says nothing."""
    if part in _ARGUMENTS:
        return _ARGUMENTS[part]
    name, equals, value = part.partition("=")
    if not equals or not name.isidentifier():
        return in_words(part)
    words = in_words(value)
    inner = f"({words})" if ": " in words else words
    return "" if value == "None" else f"{name.replace('_', ' ')} {inner}"


def _split(text: str) -> list[str]:
    """Arguments apart, those inside brackets together."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    return [part for part in [*parts, text[start:].strip()] if part]
