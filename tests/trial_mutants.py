"""Records with fields dropped, types changed, texts garbled and huge strings; the same seed gives the same ones."""

from __future__ import annotations

import json
import random

from osteon.registry import Record, extract

ODD = (
    None, 0, -1, 1.5, True, "", [], {}, "x" * 50_000, "1" * 5000, "\ud800", "10^" * 2000, "((" * 3000, "IV " * 3000, "2x10" * 5000,
    [1, "a", {}], {"a": []}, "\x00\n" * 50, "9" * 400 + " million cells/kg", 10**400, "a" * 40_000 + " intravenous", "cells " * 8000,
    "infusion into the " * 3000, "1,000,000," * 4000, "\u202e\u0000é", -(10**30), "0 Years", "99999999999 Years", "2022-99-99",
)  # fmt: skip
BITS = ("\x00", "×10", "10^6/kg", "IV", " ", "é", "\u202e", "((", ".", "mesenchymal", "\\", '"', "<b>", "\n\n")


def mutate(content, chance, rng):
    """A copy with each part changed with a chance."""
    if rng.random() < chance:
        return rng.choice(ODD)
    if isinstance(content, dict):
        return {key: mutate(value, chance, rng) for key, value in content.items() if rng.random() > chance / 2}
    if isinstance(content, list):
        return [mutate(value, chance, rng) for value in content]
    if isinstance(content, str) and rng.random() < chance * 3:
        at = rng.randrange(len(content) + 1)
        return content[:at] + rng.choice(BITS) + content[at:] * rng.choice((0, 1, 2))
    return content


def mutants(records, n, seed):
    """`n` mutants of the records."""
    rng = random.Random(seed)
    while n:
        made = mutate(rng.choice(records), rng.choice((0.002, 0.01, 0.05)), rng)
        if isinstance(made, dict):
            n -= 1
            yield made


def texts(content):
    """All texts and numbers of a record, as texts."""
    if isinstance(content, dict):
        for key, one in content.items():
            if not (isinstance(key, str) and key.startswith("_")):
                yield from texts(one)
    elif isinstance(content, list):
        for one in content:
            yield from texts(one)
    elif isinstance(content, str):
        yield content
    elif isinstance(content, int | float) and abs(content) < 1e300:
        yield str(content)


def check(made):
    """Extraction neither fails nor says what the record does not."""
    found = extract(Record(made))
    json.dumps([found.main(), found.more()], allow_nan=False)
    held = list(texts(made))
    for name, value in found.values.items():
        assert not value.span or any(value.span in text for text in held), (name, value)
