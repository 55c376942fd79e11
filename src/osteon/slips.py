"""Common slips in a regimen text, and what to write instead."""

from __future__ import annotations

import re

from osteon.errors import nearest
from osteon.therapies import catalogue

_BOTH = "write ' + ' for both at the same time"
_JOINTS = {"then": "write '; then' for one after the other", "and": _BOTH, "plus": _BOTH, "with": _BOTH}
NEAR = (
    0.6  # a wrong drug is worse than no hint: this catches slips of the pen, and no brand name becomes another drug
)
_MOST = 3


def of_word(word: str) -> str:
    """What is wrong with a word where a route, an interval or a length should stand; "" if that is not known."""
    if joint := _JOINTS.get(word.casefold()):
        return f"{word!r} between two treatments: {joint}"
    if re.fullmatch(r"[-+]?[\d.]+", word):
        return f"what is {word!r}? An interval begins with 'every', a length with 'for', a number of doses with 'x'"
    return ""


def of_drug(name: str, first: str) -> str:
    """The hint for an unknown drug, from its whole name and the first word of it: the nearest name, else those that
    begin so, else where to look."""
    names = catalogue.names()
    if hint := nearest(name, names, NEAR) or nearest(first, names, NEAR):
        return hint
    begun = [repr(n) for n in names if len(first) > 2 and n.startswith(first.casefold())]
    return f"; did you mean {' or '.join(begun[:_MOST])}?" if begun else "; `osteon therapies list` shows the names"
