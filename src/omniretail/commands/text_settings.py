"""Settings that are free text, such as a reason, an id or a path, on Hydra's command line."""

import re
from collections.abc import Collection, Iterable


def quoted(words: Iterable[str], names: Collection[str]) -> list[str]:
    r"""Quote the values of some settings, so that Hydra takes every character and reads no number, list or sweep.

    With ``-m`` nothing is quoted: there a comma separates the values of a sweep.

    Args:
        words: of the command line.
        names: of the settings that are text.

    >>> quoted(["force=the champion's lists, again", "gate.alpha=.01"], ["force"])
    ['force="the champion\'s lists, again"', 'gate.alpha=.01']
    """
    words = list(words)
    return words if {"-m", "--multirun"} & set(words) else [_quoted(word, names) for word in words]


def _quoted(word: str, names: Collection[str]) -> str:
    name, mark, value = word.partition("=")
    if not mark or name not in names or value in ("", "null") or re.fullmatch(r"'.*'|\".*\"", value, re.DOTALL):
        return word
    escaped = re.sub(r'(\\*)(")', r"\1\1\\\2", value)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f'{name}="{escaped}"'
