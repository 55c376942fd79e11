"""Which trials may fit a person: yes, no or unknown for each criterion; unknown never excludes.

Nobody but the site can say who can take part; every answer here is "may fit, ask the site".
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from osteon.errors import InputError
from osteon.registry import places
from osteon.registry.cells import cell_therapy
from osteon.registry.design import age as age_limit
from osteon.registry.design import control
from osteon.registry.design import sex as sex_field
from osteon.registry.places import Place
from osteon.registry.record import Record

YES, NO, UNKNOWN = "yes", "no", "unknown"
# Words that count as the condition asked for; the first of a group is its name.
SYNONYMS: tuple[tuple[str, ...], ...] = (
    (
        "osteoporosis", "osteoporotic", "osteopenia", "osteopenic", "low bone mass", "low bone density",
        "low bone mineral density", "fragility fracture", "fragility fractures", "osteoporoses",
    ),
    ("osteogenesis imperfecta", "brittle bone"),
    ("frailty", "frail", "frail elderly syndrome"),
    ("osteoarthritis", "gonarthrosis", "degenerative joint disease"),
    ("fracture", "fractures", "non-union", "nonunion"),
    ("degenerative disc disease", "intervertebral disc degeneration", "disc degeneration"),
)  # fmt: skip
# Near, but perhaps something else: unknown.
_RELATED = {"osteoporosis": ("bone loss", "bone diseases metabolic", "bone demineralization")}
_OPEN = {
    "RECRUITING": (YES, "recruiting"),
    "AVAILABLE": (YES, "expanded access, available"),
    "NOT_YET_RECRUITING": (UNKNOWN, "not yet recruiting"),
    "ENROLLING_BY_INVITATION": (UNKNOWN, "by invitation only"),
    "UNKNOWN": (UNKNOWN, "status not confirmed for two years or more"),
}
_ASK: tuple[tuple[str, str], ...] = (
    ("earlier bone medicines and the time since (wash-out)",
     r"bisphosphonate|alendron|zoledron|denosumab|teriparatide|romosozumab|anti-?resorptive|osteoporosis (?:drug|"
     r"medic|treat)|raloxifene"),
    ("bone density or T-score", r"t-?score|BMD|bone (?:mineral )?density|DE?XA"),
    ("earlier fractures", r"\bfractures?\b"),
    ("years since menopause", r"menopaus"),
    ("steroids or immune medicines", r"steroid|glucocort|immunosuppress"),
    ("cancer in earlier years", r"malignan|cancer|tumou?r|neoplas"),
    ("kidney, liver or heart disease", r"renal|kidney|creatinine|hepatic|liver|cardiac|heart"),
    ("infection tests (HIV, hepatitis)", r"\bHIV\b|hepatitis"),
    ("vitamin D or calcium in blood", r"vitamin D|25-?OH|calc(?:a)?emia|calcium"),
)  # fmt: skip
_DENTAL = re.compile(
    r"alveolar|periodont|dental|marginal bone|tooth|gingiv|implant", re.IGNORECASE
)  # a bone loss of another kind
_PAYS = re.compile(
    r"patient[\s-]*(?:funded|sponsored)|self[\s-]*(?:funded|pay)|(?:patients?|participants?|subjects?)\s+(?:will|"
    r"must|are required to)\s+"
    r"pay|cost(?:s)? (?:to|for) (?:the )?participa|fee[\s-]for", re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Who asks: years of age, sex, a place and how far it may be (km); what is not told is None."""

    condition: str
    age: float | None = None
    sex: str | None = None
    near: Place | None = None
    within: float | None = None


@dataclass(frozen=True)
class Match:
    """One trial beside a person."""

    record: Record
    criteria: dict[str, str]
    why: dict[str, str]
    site: dict[str, Any] | None
    km: float | None
    ask: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def fit(self) -> str:
        """`may fit` (nothing known against it), `unclear` (something is unknown), or `does not fit`."""
        values = set(self.criteria.values())
        return "does not fit" if NO in values else "unclear" if UNKNOWN in values else "may fit"

    def as_dict(self) -> dict[str, Any]:
        """What `find-trials --json` prints for a trial."""
        record = self.record
        return {
            "nct": record.nct,
            "fit": self.fit,
            "criteria": self.criteria,
            "nearest_open_site": self.site,
            "km": self.km,
            "status": record.status,
            "verified": record.verified or None,
            "snapshot": record.snapshot,
            "title": record.title,
            "why": self.why,
            "ask": self.ask,
            "warnings": self.warnings,
            "link": record.link,
        }


def _words(text: str) -> str:
    return f" {re.sub(r'[^a-z0-9]+', ' ', text.casefold()).strip()} "


def condition(record: Record, asked: str) -> tuple[str, str]:
    """Whether the study is about the condition, judged here and not by the registry's fuzzy search."""
    wanted = _words(asked)
    group = next((names for names in SYNONYMS if any(_words(name) == wanted for name in names)), (asked,))
    names = [wanted, *map(_words, group)]
    related = [_words(name) for name in _RELATED.get(group[0], ())]
    everything = [*record.conditions, *record.meshes]
    held = [text for text in everything if wanted in _words(text) or not _DENTAL.search(text)]
    for text in held:
        if any(name in _words(text) for name in names):
            return YES, text
    for text in (record.title, record.text("identificationModule.officialTitle")):
        if any(name in _words(text) for name in names):
            return YES, "named in the title"
    for text in record.texts("conditionsModule.keywords"):
        if any(name in _words(text) for name in names):
            return UNKNOWN, f"only a keyword: {text}"
    for text in held:
        if any(name in _words(text) for name in related):
            return UNKNOWN, f"perhaps another condition: {text}"
    if not everything and not record.title:
        return UNKNOWN, "the record names no condition"
    return NO, ", ".join(record.conditions[:3]) or "another condition"


def _age(record: Record, person: Person) -> tuple[str, str]:
    low, high = age_limit(record, "minimumAge").value, age_limit(record, "maximumAge").value
    limits = f"{low:g}" if low is not None else "no lower limit"
    limits += (
        f" to {high:g} years" if high is not None else " years and over" if low is not None else ", no upper limit"
    )
    if person.age is None:
        return UNKNOWN, limits
    if low is not None and person.age < low:
        return NO, limits
    # "75 years" ends on the day before the 76th birthday.
    if high is not None and person.age >= (high + 1 if float(high).is_integer() and high >= 1 else high + 0.1):
        return NO, limits
    if not isinstance(record.get("eligibilityModule"), dict):
        return UNKNOWN, "the record has no eligibility part"
    return YES, limits


def _sex(record: Record, person: Person) -> tuple[str, str]:
    value = sex_field(record).value
    if value is None or person.sex is None:
        return UNKNOWN, f"asks for {value}" if value else "not stated"
    return (YES if value in ("all", person.sex) else NO), f"asks for {value}"


def _open(record: Record, today: datetime.date) -> tuple[str, str]:
    value, why = _OPEN.get(record.status, (NO, record.status.casefold().replace("_", " ")))
    if record.status == "UNKNOWN" and record.text("statusModule.lastKnownStatus"):
        last = record.text("statusModule.lastKnownStatus").upper()
        why += f"; last known: {last.casefold().replace('_', ' ')}"
        if last not in _OPEN:
            return NO, why
    if value == YES and record.completion and record.completion < today:
        return UNKNOWN, f"{why}, but its planned end ({record.completion}) has passed"
    return value, why


def _sites(record: Record, person: Person) -> tuple[dict[str, Any] | None, float | None, str, str]:
    """Nearest open site, its km, and the criterion `near` with its reason."""
    rows = record.items("contactsLocationsModule.locations")
    running = record.status in ("RECRUITING", "AVAILABLE")
    candidates: list[tuple[float, int, dict[str, Any]]] = []
    gaps: list[float | None] = []  # of every site, open or not; None where the place is not known
    for index, row in enumerate(rows):
        place = places.site(row) if person.near else None
        gap = places.kilometres(person.near, place) if person.near and place else None
        if gap is None and person.near and person.within and isinstance(row.get("country"), str):
            bound = places.to_country(person.near, row["country"])
            gaps.append(bound if bound is not None and bound > person.within + 100 else None)
        else:
            gaps.append(gap)
        raw = row.get("status")
        status = raw.upper() if isinstance(raw, str) else ""
        if not running or status not in ("RECRUITING", "AVAILABLE", ""):
            continue
        told = {key: row[key] for key in ("facility", "city", "state", "country") if isinstance(row.get(key), str)}
        told["status"] = status or "not given for the site"
        candidates.append((gap if gap is not None else float("inf"), index, told))
    candidates.sort(key=lambda c: (c[0], c[1]))
    site = candidates[0][2] if candidates else None
    km = round(candidates[0][0], 1) if candidates and candidates[0][0] != float("inf") else None
    if person.near is None or person.within is None:
        return site, km, YES, "no distance asked for"
    if km is not None and km <= person.within:
        return site, km, YES, f"{km:.0f} km"
    known = [gap for gap in gaps if gap is not None]
    if known and len(known) == len(gaps) and min(known) > person.within:
        return site, km, NO, f"its nearest site is at least {min(known):.0f} km away"
    if candidates and km is not None and all(c[0] != float("inf") for c in candidates):
        return site, km, NO, f"its nearest open site is {km:.0f} km away"
    if not rows:
        return site, km, UNKNOWN, "no sites are listed"
    return (
        site,
        km,
        UNKNOWN,
        "sites in towns that the gazetteer lacks" if len(known) < len(gaps) else "no site is open yet",
    )


def match(record: Record, person: Person, today: datetime.date) -> Match:
    """One study beside one person at a day."""
    site, km, near, near_why = _sites(record, person)
    told = {
        "condition": condition(record, person.condition), "age": _age(record, person), "sex": _sex(record, person),
        "open": _open(record, today), "near": (near, near_why),
    }  # fmt: skip
    if person.within is None:
        told.pop("near")
    text = record.text("eligibilityModule.eligibilityCriteria")
    ask = (
        [question for question, words in _ASK if re.search(words, text, re.IGNORECASE)]
        if text
        else ["the criteria: none in the record"]
    )
    return Match(
        record, {k: v[0] for k, v in told.items()}, {k: v[1] for k, v in told.items()}, site, km, ask, _warn(record)
    )


def _warn(record: Record) -> list[str]:
    found = []
    for p in record.tiers("summary", "description", "arm", "intervention"):
        if pays := _PAYS.search(p.text):
            found.append(f"the record speaks of payment by participants ({pays[0]!r})")
            break
    if record.study_type == "EXPANDED_ACCESS":
        found.append("expanded access: treatment outside a trial, for patients without other choices")
    if cell_therapy(record).value:
        if control(record).value in ("none", None):
            found.append("cells without a control group: what they do cannot be told apart from chance")
        if len(record.conditions) > 5:
            found.append(f"one treatment for {len(record.conditions)} conditions")
    return found


def find(records: Iterable[Record], person: Person, *, today: datetime.date, every: bool = False) -> list[Match]:
    """The studies that may fit, those with nothing unknown first, then by distance; `every` keeps the others too."""
    if not person.condition.strip():
        raise InputError("--condition: name one, such as osteoporosis")
    found = []
    for record in records:
        if record.nct is None or (record.registered and record.registered > today):
            continue
        said = condition(record, person.condition)
        if said[0] == NO:
            continue  # another disease is no near miss
        one = match(record, person, today)
        if every or one.fit != "does not fit":
            found.append(one)
    order = {"may fit": 0, "unclear": 1, "does not fit": 2}
    opened = {YES: 0, UNKNOWN: 1, NO: 2}
    return sorted(
        found,
        key=lambda m: (
            order[m.fit],
            opened[m.criteria["open"]],
            m.km if m.km is not None else 1e6,
            m.record.nct or "",
        ),
    )
