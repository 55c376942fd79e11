"""One value drawn from a record, with the words that decide it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Value:
    """A value with its rule, the text that decides it (word for word from `field`) and a confidence from 0 to 1.

    `span` is "" where nothing decides: the value is then a default such as `unstated` or None.
    """

    value: Any
    rule: str
    span: str = ""
    confidence: float = 0.0
    field: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The four keys that `osteon registry show --json` prints."""
        return {"value": self.value, "rule": self.rule, "span": self.span, "confidence": self.confidence}


def around(text: str, start: int, end: int, before: int = 0, after: int = 0, limit: int = 160) -> str:
    """The words of `text` from start to end, with some on either side, cut at line ends and spaces."""
    low, high = max(0, start - before), min(len(text), end + after)
    left, right = text.rfind("\n", low, start), text.find("\n", end, high)
    low = left + 1 if left >= 0 else low
    high = right if right >= 0 else high
    while 0 < low < start and not text[low - 1].isspace():
        low += 1
    while end < high < len(text) and not text[high].isspace():
        high -= 1
    return text[low : min(high, low + limit)].strip() if high - low > end - start else text[start:end][:limit]


def sentence(text: str, at: int) -> tuple[int, int]:
    """Start and end of the sentence (or line) around a place in a text."""
    start = max((m.end() for m in _ENDS.finditer(text, max(0, at - 600), at)), default=max(0, at - 600))
    found = _ENDS.search(text, at)
    return start, min(found.start() + 1 if found else len(text), at + 600)


_ENDS = re.compile(r"[.;!?](?=\s+[A-Z0-9(\[*])|\n+")
