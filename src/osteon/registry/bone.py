"""What a record says about bone and what acts on it: bone outcomes, CT, senolytics, steroids, banked serum."""

from __future__ import annotations

import re

from osteon.registry.record import Record
from osteon.registry.value import Value, around

_I = re.IGNORECASE
_OUTCOME = re.compile(
    r"\bBMD\b|bone[\s-]+(?:mineral|marrow|mass)?[\s-]*density|bone\s+mineral|bone\s+mass|\bDE?XA\b|"
    r"absorptiometr\w+|\bQCT\b|"
    r"bone\s+turnover|\bP1NP\b|\bCTX\b|\bNTX\b|osteocalcin|bone[\s-]specific\s+alk\w+|(?:bone|BMD|DXA|spine|hip|"
    r"lumbar)[\w\s(),/-]{0,30}t-?score|trabecular\s+bone\s+score|"
    r"(?:vertebral|fragility|hip|osteoporotic)\s+fractures?|fracture\s+(?:incidence|rate|risk)",
    _I,
)
_NOT_OUTCOME = re.compile(r"CTX-?II\b|cyclophosphamide|ntx-?glyc", _I)
_BONE_CONDITION = re.compile(
    r"osteoporo\w+|osteopeni\w+|bone\s+loss|fragility\s+fracture|osteogenesis\s+imperfecta|osteonecro\w+|fracture|"
    r"non-?union|"
    r"bone\s+(?:diseases?|defect|cyst|density)",
    _I,
)
_CT = re.compile(
    r"\b(?:chest|lung|thoracic|abdom\w+|HR|low-dose|spine|lumbar|liver|high[\s-]resolution)[\s-]*(?:\w+\s+)?CT\b|"
    r"\bHRCT\b|"
    r"computed\s+tomograph\w*|\bCT[\s-]scans?\b|\bQCT\b",
    _I,
)
_SENOLYTIC = re.compile(
    r"senolytic\w*|dasatinib\s*(?:\+|and|plus|/)\s*quercetin|\bD\s?\+\s?Q\b|fisetin|navitoclax|quercetin", _I
)
_STEROID = re.compile(
    r"(?:methyl)?prednis\w+|(?:gluco)?corticosteroids?|\bsteroids?\b|dexamethasone|hydrocortisone|budesonide", _I
)
_BANK = re.compile(
    r"(?:serum|sera|plasma|blood(?:\s+samples?)?|biospecimens?|samples?)\s+(?:\w+\s+){0,6}?(?:will\s+be\s+|is\s+|"
    r"are\s+|was\s+|were\s+)?"
    r"(?:\w+\s+){0,2}(?:stored|banked|frozen|cryopreserved|biobanked|archived|kept\s+at\s+-)|bio-?bank\w*|"
    r"(?:stor(?:e|age)|bank(?:ing)?)\s+(?:of\s+)?(?:\w+\s+)?(?:serum|plasma|blood\s+samples)|"
    r"collect\w*\s+[\w\s()]{0,40}\bserums?\b",
    _I,
)


# Plain words without one of which a pattern cannot fit: looking for them first is quicker.
_OUTCOME_HINTS = ("bone", "bmd", "dxa", "dexa", "absorp", "qct", "p1np", "ctx", "ntx", "osteocal", "fractur", "score")
_SENOLYTIC_HINTS = ("senolytic", "dasatinib", "d+q", "d +", "fisetin", "navitoclax", "quercetin")
_BANK_HINTS = ("stor", "bank", "frozen", "cryo", "archiv", "kept", "collect")


def _any(text: str, hints: tuple[str, ...]) -> bool:
    low = text.casefold()
    return any(hint in low for hint in hints)


def outcomes(record: Record) -> Value:
    """Bone end points among the outcomes, as the words that name them."""
    found, first = [], None
    for p in record.passages["outcome"]:
        if p.field.endswith("timeFrame") or not _any(p.text, _OUTCOME_HINTS):
            continue
        for m in _OUTCOME.finditer(p.text):
            if not _NOT_OUTCOME.match(p.text, m.start()):
                word = " ".join(m[0].split()).casefold()
                if word not in found:
                    found.append(word)
                first = first or (m[0], p.field)
    return (
        Value(found[:12], "outcome-names-bone", first[0], 0.95, first[1])
        if first
        else Value([], "no-bone-outcome", "", 0.9)
    )


def bone_condition(record: Record) -> Value:
    """Whether the condition itself is one of bone."""
    for p in record.passages["keyword"]:
        if p.field == "conditions" and (m := _BONE_CONDITION.search(p.text)):
            return Value(True, "condition-is-bone", m[0], 0.9, p.field)
    for term in record.meshes:
        if m := _BONE_CONDITION.search(term):
            return Value(True, "mesh-is-bone", m[0], 0.9, "meshes")
    return Value(False, "condition-not-bone", "", 0.9)


def _first(
    record: Record,
    pattern: re.Pattern[str],
    rule: str,
    *tiers: str,
    sure: float = 0.85,
    hints: tuple[str, ...] = ("",),
) -> Value:
    for p in record.tiers(*tiers):
        if not _any(p.text, hints):
            continue
        if m := pattern.search(p.text):
            return Value(True, rule, around(p.text, *m.span()), sure, p.field)
    return Value(False, "not-stated", "", 0.8)


def ct(record: Record) -> Value:
    """Whether CT scans are part of the study, which can show bone without a new visit."""
    return _first(record, _CT, "text-names-ct", "outcome", "description", "summary", "arm", "intervention")


def senolytic(record: Record) -> Value:
    """Whether a senolytic is given."""
    return _first(
        record, _SENOLYTIC, "names-senolytic", "intervention", "arm", "title", sure=0.95, hints=_SENOLYTIC_HINTS
    )


def steroids(record: Record) -> Value:
    """Whether glucocorticoids come with the study or its patients."""
    found = _first(record, _STEROID, "names-steroid", "intervention", "arm", "summary", "description")
    if found.value:
        return found
    for p in record.passages["eligibility"]:  # what is asked for, not what excludes
        wanted = re.split(r"exclusion|must not|not eligible", p.text, maxsplit=1, flags=_I)[0]
        if m := _STEROID.search(wanted):
            return Value(True, "criteria-ask-for-steroid", around(p.text, *m.span()), 0.7, p.field)
    return found


def banked(record: Record) -> Value:
    """Whether serum, plasma or other samples are kept: bone markers could be run on them without a new visit."""
    retention = record.text("designModule.bioSpec.retention")
    if retention and retention.strip().upper() not in ("NONE_RETAINED", ""):
        return Value(True, "samples-retained", retention, 0.97, "bioSpec.retention")
    return _first(
        record,
        _BANK,
        "text-tells-of-storage",
        "outcome",
        "description",
        "summary",
        "arm",
        sure=0.75,
        hints=_BANK_HINTS,
    )
