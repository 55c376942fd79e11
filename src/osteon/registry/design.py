"""The design of a study: control, arms, people per arm, age, sex, follow-up and visits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from osteon.registry.cells import products
from osteon.registry.dose import doses as cell_doses
from osteon.registry.record import Passage, Record, years
from osteon.registry.value import Value

_I = re.IGNORECASE
_CONTROLS = {
    "PLACEBO_COMPARATOR": "placebo",
    "SHAM_COMPARATOR": "sham",
    "NO_INTERVENTION": "no_intervention",
    "ACTIVE_COMPARATOR": "active",
}
_PLACEBO = re.compile(r"(?<!no )(?<!nor )(?<!without )(?<!without a )(?:placebos?|vehicle)\b", _I)
_SHAM = re.compile(
    r"\bsham\b|simulat\w+\s+(?:of\s+)?(?:\w+\s+)?(?:injection|puncture|procedure)|simulating lumbar", _I
)
# A label that names what the cells are suspended in, and nothing else.
_CARRIER = re.compile(
    r"\W*(?:(?:cell|cells?-free|infusion|control|matching|normal|physiological|group|arm|\d|[A-Z]\b|control\s+group)[\s:-]+){0,3}"
    r"(?:(?:suspension|carrier|infusion|freez\w+|cryo\w+|excipient)[\s-]+(?:media|medium|solution|fluid|liquid)|saline|excipient|plasma-?lyte)"
    r"(?:\s+(?:A|alone|only|solution|group|arm|control|injection|infusion))*\W*",
    _I,
)
_AGAINST_USUAL = re.compile(
    r"\b(?:vs\.?|versus|compared\s+(?:to|with))\s+(?:\w+\s+){0,2}(?:conventional|standard|usual)\s+"
    r"(?:treatment|therapy|care|management)\b", re.IGNORECASE,
)  # fmt: skip
_CONTROL = re.compile(
    r"\bcontrols?\b|standard (?:of )?care|conventional|usual care|standard treatment|\balone\b|\bonly\b", _I
)
_LACKS = re.compile(r"\s*(?:(?:no|without)\s+(?:any\s+)?|non-)[\w-]+", _I)
_INSTEAD = re.compile(
    r"\b(?:other|second[\s-]line|standard|conventional|usual)\b.{0,30}\b(?:drugs?|treatment|therapy|care)\b", _I
)
_VERSUS = re.compile(r"\bversus\b|\bvs\b|\bcompar(?:ed|ison)\b", _I)
_DOSED = re.compile(
    r"\b(?:low|medium|mid|intermediate|high(?:er)?|doses?)[\s-]*(?:level|dose|dosage|concentration)?\b|cohort|"
    r"\b\d+\s?(?:X|x)\b|\b\d+\s?(?:mg|µg|ug|g|ml|millions?|M)\b",
    _I,
)
_WITHOUT = re.compile(r"\b(?:without|no)\s+(?:\w+\s+){0,3}(?:cells?|MSCs?|stem|injection|treatment)|not receive", _I)


# What is left of a control arm that gets nothing: no word but these.
_EMPTY = re.compile(
    r"\b(?:no|the|a|an|of|in|to|as|and|or|is|are|was|will|be|all|any|with|without|this|these|control|controls|group|arm|"
    r"patients?|subjects?|participants?|people|assigned|allocated|randomi[sz]ed|other|intervention|blank|treatment|"
    r"untreated|drug|biological|procedure)\b|\W+|\d+",
    _I,
)


def _arm_text(arm: Mapping[str, Any]) -> str:
    parts = [arm.get("label"), arm.get("description"), arm.get("interventionNames")]
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part]) if isinstance(one, str)]
    return " | ".join(one[:4000] for one in flat)


def control(record: Record) -> Value:
    """`placebo`, `sham`, `active`, `no_intervention`, `dose` (the same therapy in other doses), `none`, or None.

    The registry's own arm type decides where one arm is typed as a control; texts decide where none is.
    """
    model = record.text("designModule.designInfo.interventionModel")
    if not record.study_type and not record.interventions and not model:
        return Value(None, "nothing-is-given", "", 0.6)
    if record.study_type in ("OBSERVATIONAL", "EXPANDED_ACCESS"):
        return Value("none", "not-interventional", str(record.get("designModule.studyType") or ""), 0.9, "studyType")
    arms = record.arms
    types = [str(arm.get("type", "")).strip().upper() for arm in arms]
    said = [(i, _arm_text(arm)) for i, arm in enumerate(arms)]
    for kind in ("PLACEBO_COMPARATOR", "SHAM_COMPARATOR"):
        if kind in types:
            return Value(_CONTROLS[kind], "arm-type", str(arms[types.index(kind)]["type"]), 0.95, "armGroups.type")
    for i, text in said:
        if len(arms) > 1 and (m := _SHAM.search(text)) and not products(text.split(" | ")[0]):
            return Value("sham", "arm-text", m[0], 0.85, f"armGroups[{i}]")
    for i, text in said:
        if m := _PLACEBO.search(text):
            return Value("placebo", "arm-text", m[0], 0.88, f"armGroups[{i}]")
    for i, text in said if len(arms) > 1 else ():
        if types[i] in ("EXPERIMENTAL", "OTHER", "") and (m := _CARRIER.fullmatch(text.split(" | ")[0])):
            return Value("placebo", "arm-gets-the-carrier", m[0], 0.8, f"armGroups[{i}].label")
    for row in record.interventions:
        name = row.get("name")
        if isinstance(name, str) and len(record.interventions) > 1 and (m := _PLACEBO.search(name)):
            return Value("placebo", "intervention-named-placebo", m[0], 0.88, "interventions.name")
    if "NO_INTERVENTION" in types:
        return Value(
            "no_intervention", "arm-type", str(arms[types.index("NO_INTERVENTION")]["type"]), 0.95, "armGroups.type"
        )
    randomised = record.text("designModule.designInfo.allocation").upper() == "RANDOMIZED"
    alike = _alike(arms, said, randomised, model.upper() != "SINGLE_GROUP")
    if alike and len(arms) > 1 and set(types) == {"ACTIVE_COMPARATOR"}:
        return alike
    for i, text in said if len(arms) > 1 else ():
        if (m := _LACKS.match(text.split(" | ")[0])) and products(text.split(" | ")[0]):
            kind = "active" if _INSTEAD.search(text) else "no_intervention"
            return Value(kind, "arm-named-by-what-it-lacks", m[0].strip(), 0.8, f"armGroups[{i}].label")
    if "ACTIVE_COMPARATOR" in types and len(arms) > 1:
        return Value("active", "arm-type", str(arms[types.index("ACTIVE_COMPARATOR")]["type"]), 0.9, "armGroups.type")
    if len(arms) > 1:
        for i, text in said:
            if (
                types[i] in ("OTHER", "", "EXPERIMENTAL")
                and (m := _CONTROL.search(text.split(" | ")[0]))
                and not products(text.split(" | ")[0])
            ):
                if not _EMPTY.sub("", f"{text} {_of_arm(record, arms[i])}"):
                    return Value("no_intervention", "arm-names-nothing", m[0], 0.75, f"armGroups[{i}]")
                return Value("active", "arm-text", m[0], 0.75, f"armGroups[{i}]")
        cells = [bool(products(text)) for _, text in said]
        if randomised and any(cells) and not all(cells):
            i = cells.index(False)
            return Value("active", "arm-without-cells", _first_words(arms[i]), 0.7, f"armGroups[{i}]")
        if alike and alike.value != "none":
            return alike
        apart = [set(n) for arm in arms if isinstance(n := arm.get("interventionNames"), list) and _texts(n)]
        if randomised and not any(cells) and len(apart) == len(arms) and not set.intersection(*apart):
            for p in record.passages["title"]:
                if m := _VERSUS.search(p.text):
                    return Value("active", "title-compares", m[0], 0.6, p.field)
    if randomised:
        for p in record.tiers("title", "summary"):
            if m := _AGAINST_USUAL.search(p.text):
                return Value("active", "text-names-usual-care", m[0], 0.75, p.field)
    alone = len(arms) == 1 and randomised and model.upper() == "PARALLEL"
    if alone and types[0] != "EXPERIMENTAL" and not products(said[0][1]):
        return Value("active", "only-arm-without-cells", _first_words(arms[0]), 0.6, "armGroups[0].label")
    for p in record.passages["title"] if len(arms) == 1 and model.upper() == "PARALLEL" else ():
        if m := _VERSUS.search(p.text):
            return Value("active", "title-compares", m[0], 0.6, p.field)
    if not arms and randomised and model.upper() != "SINGLE_GROUP":
        for p in record.tiers("title", "summary", "description"):
            if m := _PLACEBO.search(p.text):
                return Value("placebo", "text-names-placebo", m[0], 0.75, p.field)
        return Value(None, "not-stated", "", 0.0)
    return Value("none", "no-control-arm", model, 0.9, "designInfo.interventionModel")


def _texts(content: list[Any]) -> bool:
    return all(isinstance(one, str) for one in content)


def _of_arm(record: Record, arm: Mapping[str, Any]) -> str:
    """What the record says of the interventions of an arm."""
    names = [n.split(": ", 1)[-1] for n in arm.get("interventionNames") or [] if isinstance(n, str)] \
        if isinstance(arm.get("interventionNames"), list) else []  # fmt: skip
    return " ".join(
        row["description"]
        for row in record.interventions
        if row.get("name") in names and isinstance(row.get("description"), str)
    )


def _kinds(label: str) -> frozenset[str]:
    """The cells that a label names."""
    return frozenset(re.sub(r"[\W_]+|cells?", "", m[0].casefold()) for m in products(label))


def _alike(
    arms: list[Mapping[str, Any]], said: list[tuple[int, str]], randomised: bool, parallel: bool
) -> Value | None:
    """`dose` where all arms get the same in other doses or times, `none` where they get the same; else None."""
    labels = [text.split(" | ")[0] for _, text in said]
    names = [arm.get("interventionNames") for arm in arms]
    same = len(names) > 1 and all(isinstance(n, list) and n and n == names[0] for n in names)
    shared = (
        set.intersection(*(set(re.findall(r"[a-z]{4,}", label.casefold())) for label in labels)) if labels else set()
    )
    doses = sum(bool(_DOSED.search(label)) for label in labels)
    if same and not doses and (kinds := [_kinds(label) for label in labels]) and all(kinds) and len(set(kinds)) > 1:
        return Value("active", "arms-name-other-cells", labels[0][:120], 0.75, "armGroups[0].label")
    stated = [{one.cells for one in cell_doses(Passage("", text))} for _, text in said]
    apart = len({frozenset(one) for one in stated}) > (1 if parallel else len(stated) - 1)
    if same and all(stated) and apart:
        return Value("dose", "arms-state-other-doses", labels[0][:120], 0.8, "armGroups[0].label")
    if (same and (doses or randomised)) or (doses == len(labels) > 1 and (shared or same)):
        return Value("dose", "arms-differ-in-dose", labels[0][:120], 0.8, "armGroups[0].label")
    return Value("none", "arms-get-the-same", labels[0][:120], 0.7, "armGroups[0].label") if same else None


def _first_words(arm: Mapping[str, Any]) -> str:
    label = arm.get("label")
    return label[:120] if isinstance(label, str) else ""


def people(record: Record) -> Value:
    """The number of participants, planned or actual."""
    raw = record.get("designModule.enrollmentInfo.count")
    if isinstance(raw, bool):
        raw = None
    if isinstance(raw, str) and re.fullmatch(r"\s*\d{1,9}\s*", raw):
        return Value(int(raw), "enrollment-count", raw, 0.9, "enrollmentInfo.count")
    if isinstance(raw, float) and raw.is_integer() and 0 <= raw < 1e9:
        return Value(int(raw), "enrollment-count", repr(raw), 0.9, "enrollmentInfo.count")
    if isinstance(raw, int) and 0 <= raw < 10**9:
        return Value(raw, "enrollment-count", str(raw), 0.99, "enrollmentInfo.count")
    return Value(None, "not-stated", "", 0.0)


def age(record: Record, which: str) -> Value:
    """The lower or upper limit of age in years; `which` is minimumAge or maximumAge. None is an open limit."""
    raw = record.text(f"eligibilityModule.{which}")
    value = years(raw)
    return (
        Value(value, "age-limit", raw, 0.99, which) if value is not None else Value(None, "no-limit-stated", "", 0.0)
    )


def sex(record: Record) -> Value:
    """`female`, `male` or `all`."""
    raw = record.text("eligibilityModule.sex")
    value = raw.strip().casefold()
    return Value(value, "sex-field", raw, 0.99, "sex") if value in ("female", "male", "all") \
        else Value(None, "not-stated", "", 0.0)  # fmt: skip


def arms(record: Record) -> Value:
    """The number of arms."""
    count = len(record.arms)
    return Value(
        count or None,
        "arm-groups" if count else "not-stated",
        _first_words(record.arms[0]) if count else "",
        0.95 if count else 0.0,
        "armGroups",
    )


_PER_ARM = re.compile(
    r"(?:\bn\s?=\s?|\bN\s?=\s?)(\d{1,4})\b|\b(\d{1,4})\s+(?:patients|subjects|participants|people|cases|women|men)\b",
    _I,
)


def per_arm(record: Record) -> Value:
    """People per arm as the arms' own texts give them: one number for each arm that states one."""
    found, span = [], ""
    for arm in record.arms:
        m = _PER_ARM.search(_arm_text(arm))
        if m:
            found.append(int(m[1] or m[2]))
            span = span or m[0]
    if found and len(found) == len(record.arms):
        return Value(found, "arm-text-states-n", span, 0.8, "armGroups.description")
    return Value(None, "not-stated", "", 0.0)


_SPAN = re.compile(
    r"(\d{1,6}(?:\.\d{1,4})?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|eighteen|twenty[\s-]?four)[\s-]*"
    r"(?:st|nd|rd|th)?[\s-]*(years?|yrs?|months?|mos?\b|weeks?|wks?|days?)\b|"
    r"\b(years?|months?|weeks?|days?)[\s-]*((?:\d{1,6}(?:\.\d{1,4})?[\s,&/+]*(?:and|to|or|-|–)?[\s]*)+)", _I,
)  # fmt: skip
_BEFORE = re.compile(r"(?:(?<![\d.])\d{1,3}\s*(?:,|/|&|and|or|to|-|–)\s*(?:and\s+)?){1,8}$", _I)
_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "eighteen": 18,
}
_MONTHS = {"y": 12.0, "m": 1.0, "w": 12 / 52.18, "d": 12 / 365.25}


def _months(text: str) -> list[tuple[float, str]]:
    found = []
    for m in _SPAN.finditer(text[:600]):
        if m[1]:
            word = m[1].casefold()
            number = float(word) if word[0].isdigit() else float(_WORDS.get(word, 24))
            found.append((number * _MONTHS[m[2][0].casefold()], m[0]))
            listed = _BEFORE.search(text[max(0, m.start() - 60) : m.start()]) if word[0].isdigit() else None
            if listed:  # "6 and 12 months"
                found += [(float(one) * _MONTHS[m[2][0].casefold()], m[0]) for one in re.findall(r"\d+", listed[0])]
        else:
            numbers = re.findall(r"\d+(?:\.\d+)?", m[4])
            found += [(float(one[:12]) * _MONTHS[m[3][0].casefold()], m[0].strip()) for one in numbers]
    return [(round(value, 2), span) for value, span in found if 0 < value <= 600]


def follow_up(record: Record) -> Value:
    """The longest time frame of an outcome, in months; the raw text is the span."""
    best: tuple[float, str, str] | None = None
    for p in record.passages["outcome"]:
        if p.field.endswith("timeFrame"):
            for value, span in _months(p.text):
                if best is None or value > best[0]:
                    best = (value, span, p.field)
    if best:
        return Value(best[0], "longest-time-frame", best[1], 0.9, best[2])
    for p in record.tiers("summary", "description", "arm"):
        for m in re.finditer(r"follow(?:ed)?[\s-]*up", p.text, _I):
            for value, span in _months(p.text[m.start() : m.end() + 60]):
                if best is None or value > best[0]:
                    best = (value, span, p.field)
    return Value(best[0], "follow-up-in-text", best[1], 0.7, best[2]) if best else Value(None, "not-stated", "", 0.0)


def visits(record: Record) -> Value:
    """The months at which outcomes are measured, as the time frames name them."""
    found, span = set(), ""
    for p in record.passages["outcome"]:
        if p.field.endswith("timeFrame"):
            for value, words in _months(p.text):
                found.add(value)
                span = span or words
    return Value(sorted(found), "time-frames", span, 0.8, "outcomes.timeFrame") if found \
        else Value(None, "not-stated", "", 0.0)  # fmt: skip
