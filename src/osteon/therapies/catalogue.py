"""The therapies that a regimen may name, read from `catalogue.toml`, and what is known of them, from `facts.toml`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from osteon.errors import InputError, nearest

ROUTES: dict[str, str] = {
    "PO": "by mouth",
    "SC": "under the skin",
    "IV": "into a vein",
    "IM": "into a muscle",
    "IP": "into the belly",
    "TD": "through the skin",
    "local": "at the site",
}
ROUTE_WORDS: dict[str, str] = {
    **{route.casefold(): route for route in ROUTES},
    "oral": "PO", "orally": "PO", "subcutaneous": "SC", "sq": "SC", "sc.": "SC", "intravenous": "IV",
    "intramuscular": "IM", "intraperitoneal": "IP", "transdermal": "TD", "patch": "TD",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A known harm or contraindication, where it stands, and whether the model has it. Lists are not complete."""

    what: str
    source: str
    modelled: bool = False


@dataclass(frozen=True)
class Therapy:
    """One agent: `unit` is its own dose unit ("" when it has no dose), `default_dose` the text used when
    a regimen gives none, `species` whom it can be given to."""

    id: str
    kind: str
    unit: str
    routes: tuple[str, ...]
    synonyms: tuple[str, ...] = ()
    species: tuple[str, ...] = ("human", "mouse")
    default_dose: str = ""
    donor: bool = False
    source: str = ""
    targets: tuple[str, ...] = ()
    hallmarks: tuple[str, ...] = ()
    """Hallmarks of Aging that it addresses."""
    sens: tuple[str, ...] = ()
    """Kinds of damage of SENS that it addresses."""
    evidence: str = ""
    """Grade, A to D, of what the size of its effect on bone rests on here; `evidence_why` says which."""
    evidence_why: str = ""
    harms: tuple[Fact, ...] = ()
    contraindications: tuple[Fact, ...] = ()


@functools.cache
def catalogue() -> dict[str, Therapy]:
    """All therapies by id."""
    text = resources.files("osteon.therapies").joinpath("catalogue.toml").read_text("utf-8")
    facts = tomllib.loads(resources.files("osteon.therapies").joinpath("facts.toml").read_text("utf-8"))["therapy"]
    found: dict[str, Therapy] = {}
    for row in tomllib.loads(text)["therapy"]:
        row = row | facts.get(row["id"], {})
        row = row | {key: [Fact(**fact) for fact in row.get(key, ())] for key in ("harms", "contraindications")}
        row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        found[row["id"]] = Therapy(**row)
    return found


@functools.cache
def names() -> dict[str, str]:
    """Every name and synonym, in lower case, to the therapy's id."""
    table: dict[str, str] = {}
    for therapy in catalogue().values():
        for name in (therapy.id, *therapy.synonyms):
            key = name.casefold()
            if table.setdefault(key, therapy.id) != therapy.id:
                raise InputError(f"catalogue: {name!r} names both {table[key]} and {therapy.id}")
    return table


def find(name: str) -> Therapy | None:
    """The therapy of that name or synonym (case does not matter), or None."""
    ident = names().get(" ".join(name.casefold().split()))
    return catalogue()[ident] if ident else None


def get(name: str) -> Therapy:
    """The therapy of that name or synonym; raises InputError with the nearest name."""
    therapy = find(name)
    if therapy is None:
        raise InputError(f"unknown therapy {name!r}{nearest(name, names())}")
    return therapy


def grades(therapies: Iterable[str]) -> dict[str, str]:
    """The evidence grades of therapies, of those that have one in the catalogue."""
    found = {name: str(getattr(get(name), "evidence", "")) for name in therapies}
    return {name: grade for name, grade in found.items() if grade}
