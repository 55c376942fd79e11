"""Cell doses in text: powers of ten in all their spellings, lost superscripts, millions; totals and per kg.

The value is the largest stated dose in cells (or cells per kg); all of them are kept beside it. `10e6` after a
factor is read as 10^6, as registrants mean it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from osteon.registry.record import Passage, Record
from osteon.registry.value import Value, sentence

_I = re.IGNORECASE
MAX_PER_KG, MAX_TOTAL, MIN_TOTAL = 2e7, 2e10, 1e3  # beyond these a text is flagged (assumed; see docs/registry.md)

_NUMBER = r"\d{1,3}(?:,\d{3}){1,3}|\d{1,12}(?:[.,·]\d{1,6})?"  # bounded, so that hostile texts stay quick
_TIMES = r"\)?\s*(?:[x×X*∗✕·]|times(?=\s*10)|\.(?=10))\s*"
_POWER = (
    rf"(?P<mant>{_NUMBER})?(?(mant){_TIMES})10\s*(?P<caret>\^|\*(?=\d)|\*\*|[eE]\^?|exp\s?|"
    rf"(?(mant)[/'’~-](?=\d\b)))?\s*\(?(?P<exp>\d{{1,2}})\)?"
    r"(?!\d|[.,]\d)(?:\s*-\s*(?P<exp2>\d{1,2})(?!\d|\s*[.,x×*X·∗]))?"
)
# One character for one, so that places in the text stay; a backslash is left over from markdown.
_UNICODE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ˆ＾∧～•⋅（）ⅹⅩ⨯✖\\", "0123456789^^^~··()xxxx ")
_POWERS = re.compile(
    rf"(?<![\d.,^])(?<![A-Za-z]-)(?:(?P<low>{_NUMBER})\s*(?:-|–|to|~|or|and|,(?=\s))\s*)?(?:{_POWER})", _I
)
# "106 cells/kg" and "106/kg" without a factor: nobody is given a hundred cells.
_BARE = re.compile(
    r"(?<![\w.,^×*/-])(?<!\d\s)10(?P<exp>[5-8])(?=\s*(?:(?:[\w-]+\s+){0,3}?(?:cells?|\w{0,4}MSCs?)\s*)?(?:/|per)\s*kg)",
    _I,
)
_PLAIN_E = re.compile(r"(?<![\d.,\w])(?P<mant>\d+(?:\.\d+)?)\s?[eE]\+?0?(?P<exp>\d{1,2})(?!\d)")
_MILLIONS = re.compile(
    rf"(?<![\d.,])(?P<list>(?:(?:{_NUMBER})\s*(?:-|–|to|(?<!\b0),|/|or|and|,\s*or|,\s*and)\s*){{0,6}})(?P<mant>{_NUMBER})\s*-?\s*"
    r"(?P<unit>millions?|billions?|thousand|(?-i:MM)|mln|mio|(?-i:M)(?=\s+(?:cells|MSCs?|allo)))(?![a-z])",
    _I,
)
_WRITTEN = re.compile(
    r"(?<![\w.,-])(?:(?:\d{1,3}(?:\.\d{1,3})?\s*(?:-|–|~|to|or|and)\s*)?"
    r"(?P<times>\d{1,3}(?:\.\d{1,3})?)\s*[x×*]\s*(?=10|1,0))?"
    r"(?P<mant>\d{1,3}(?:[,. ]\d{3}){2,3}|\d{6,12})(?![\d,])"
)
_CELL = re.compile(
    r"cells?\b|\bcel\b|MSCs?\b|MSV\b|MPCs?\b|ASCs?\b|\bTNCs?\b|\bMNCs?\b|CD34|\bCME\b|mononuc|nucleated|stem|"
    r"stromal|hUC|\bCSMa?\b|chondrocytes|"
    r"myoblasts|keratinocytes|fibroblasts|lymphocytes|SVF|mesenchymal|progenitors|viable",
    _I,
)
_PER_KG = re.compile(
    r"(?:/\s?|\bx\s?|\bper\s+|\bby\s+|\beach\s+|\ba\s+)(?:1\s*)?(?:k\.?g\.?(?:\s?b\.?w)?|kilo(?:gram)?s?)\b|kg\s?(?:-|⁻|\^-)\s?1|"
    r"[x×*]\s?(?:body\s?)?weight\s?\(?\s?kg|"
    r"\bkg\s+(?:of\s+)?"
    r"(?:body|recipient|patient)|\bcells?\s+(?:/|per)?\s*kg\b",
    _I,
)
_NOT_DOSE = re.compile(
    r"^\s*(?:[\w-]+\s*)?(?:/|\bper\s)\s?(?:min|hour|h\b)|^\s*(?:cells?\s*)?(?:/|per)\s?(?:μ|µ|u|micro|m)?\s?(?:L\b|liter|litre|mm|ul|hpf)|^\s*(?:vesicl|particl|nano|"
    r"copies|"
    r"platelet|PLT|vp\b|pfu|cfu|IU|units?\s+of(?!\s+(?:umbil|human|mesen|stem|cell))|vg\b|colony|people|person|"
    r"individuals|patients|deaths|americans|cases|adults|"
    r"women|men\b|children|world|population|dollar|euro|USD|RMB|yuan|inhabitants|live births|births|confirmed|"
    r"hospital|infected|"
    r"operations|procedures|years|units(?!\s?/\s?kg)|new|persons|blood cells|white|red blood|"
    r"neutro|WBC|mL\b|ml\b|cc\b|mg|IU)",
    _I,
)
_BAD_BEFORE = re.compile(
    r"(?:platelet|PLT|neutrophil|ANC|WBC|leu[ck]ocyt|lymphocyte count|count|h(?:a)?emoglobin|thrombocyt|vesicle|"
    r"CFU|viral load|"
    r"prevalence|affects?|affecting|approximately \$|costs?)[^.;]{0,30}$|(?:less than|below|[<>≤≥])\s*$",
    _I,
)
_GIVEN = re.compile(
    r"dos[ei]|inject|infus|transplant|implant|admin|receiv|deliver|contain|give|cells?\b|total|level|group|cohort", _I
)
_BACKGROUND = re.compile(
    r"\b(?:mice|mouse|rats?|rabbits?|pigs?|sheep|animals?|in vitro|previous(?:ly)?|studies|study showed|et al|"
    r"reported|"
    r"literature|preclinical|published|trials? (?:have|used|showed)|million people)\b",
    _I,
)


# Numbers of cells on the bench, not in the patient.
_MAKING = re.compile(
    r"\b(?:seed(?:ed|ing)|cultured(?![^.;]*(?:cells?|MSCs?)\s*\($)|plated|"
    r"passage\w*|harvest\w*|yield\w*|frozen|bank(?:ed)?)\b[^.;]{0,40}$",
    _I,
)
_INTO = re.compile(
    r"\s*(?:(?:is|are|was|were|will be)\s+)?(?:injected|infused|administered|given|implanted)\b|"
    r"\s*per\s+(?:\w+\s+)?(?:limb|leg|eye|knee|joint|patient)\b",
    _I,
)
# A number of which the text says that it is a dose, with no unit behind it.
_SAID_DOSE = re.compile(
    r"\b(?:injection|infusion|dose|dosage)s?\s+(?:of|is|was)\s*$|\bdosages?\s+(?:[\w-]+\s+){0,6}(?:is|was)\s*$", _I
)
# Cells of several doses together, where the text also tells of one at a time.
_TOGETHER_BEFORE = re.compile(r"\b(?:cumulative|(?:per|pre)\s+protocol)\b[^.;()]{0,30}$", _I)
_TOGETHER_AFTER = re.compile(r"[^.;()]{0,35}\bin\s+total\b(?!\s+of)", _I)
_SEVERAL = re.compile(r"\b(?:doses|procedures|infusions|times|courses|cycles)\b", _I)
_SAID = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
         "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100,
         "one hundred": 100, "two hundred": 200}  # fmt: skip
_SAID_MILLIONS = re.compile(rf"\b({'|'.join(sorted(_SAID, key=len, reverse=True))})\s+millions?\b", _I)


# "2 x 10^7 cells/mL /vial": the volume is that of what is given.
_VIAL = re.compile(r"/\s?m[lL]\s*/\s*(?:vial|syringe)", _I)


@dataclass(frozen=True)
class Dose:
    """One stated dose: cells; whether per kg, per volume or area, or for several doses together; its words."""

    cells: float
    per_kg: bool
    concentration: bool
    span: str
    field: str
    together: bool = False


def _number(text: str) -> float:
    text = text.strip().replace("·", ".").replace(" ", "")
    if re.fullmatch(r"\d{1,3}([,.]\d{3}){2,}|\d{1,3}(,\d{3})+", text):
        return float(text.replace(",", "").replace(".", ""))
    return float(text.replace(",", ".")) if len(text) < 16 else 0.0


def _amounts(text: str) -> list[tuple[list[float], int, int]]:
    """Quantities in a text as (values, start, end), without judging what they count."""
    plain = text.translate(_UNICODE)
    found: list[tuple[list[float], int, int]] = []
    for m in _POWERS.finditer(plain):
        power, factor = int(m["exp"]), m["mant"]
        if factor and plain[m.end("mant")] == ")" and plain[: m.start()][-1:] != "(":
            continue  # "(4/6) x 10^7": the number in the brackets is no factor
        if not 3 <= power <= 11 or (factor is None and not m["caret"] and "(" not in m[0]):
            continue
        values = [(_number(factor) if factor else 1.0) * 10.0**power]
        if m["exp2"] and 3 <= int(m["exp2"]) <= 11:
            values.append((_number(factor) if factor else 1.0) * 10.0 ** int(m["exp2"]))
        if m["low"] and factor and _number(m["low"]) < 1000:
            values.append(_number(m["low"]) * 10.0**power)
        found.append((values, m.start(), m.end()))
    found += [([10.0 ** int(m["exp"])], m.start(), m.end()) for m in _BARE.finditer(plain)]
    found += [
        ([float(m["mant"]) * 10.0 ** int(m["exp"])], m.start(), m.end())
        for m in _PLAIN_E.finditer(plain)
        if 4 <= int(m["exp"]) <= 11 and m["mant"] != "10"
    ]
    for m in _MILLIONS.finditer(plain):
        unit = m["unit"].casefold()
        scale = 1e9 if unit.startswith("b") else 1e3 if unit.startswith("t") else 1e6
        values = [_number(m["mant"]) * scale]
        values += [_number(one) * scale for one in re.findall(_NUMBER, m["list"])]
        found.append((values, m.start(), m.end()))
    said = _SAID_MILLIONS.finditer(plain)
    found += [([_SAID[" ".join(m[1].casefold().split())] * 1e6], m.start(), m.end()) for m in said]
    found += [
        ([_number(m["times"] or "1") * _number(m["mant"])], m.start(), m.end()) for m in _WRITTEN.finditer(plain)
    ]
    taken: list[tuple[list[float], int, int]] = []
    for one in sorted(found, key=lambda f: (f[1], -f[2])):
        if not taken or one[1] >= taken[-1][2]:
            taken.append(one)
    return taken


def doses(passage: Passage, *, strict: bool = False) -> list[Dose]:
    """The cell doses that a passage states; `strict` leaves out sentences of background."""
    text, found = passage.text, []
    amounts = _amounts(text)
    for index, (values, start, end) in enumerate(amounts):
        following = amounts[index + 1][1] if index + 1 < len(amounts) else len(text)
        low, high = sentence(text, start)
        after, before = text[end : min(end + 75, following, max(high, end))], text[max(0, start - 60) : start]
        values = [value for value in values if 10 <= value < 1e13]
        if not values or _NOT_DOSE.match(after) or _BAD_BEFORE.search(before):
            continue
        said = text[low:high]
        if strict and (_BACKGROUND.search(said) or not (_GIVEN.search(said) or _PER_KG.match(after))):
            continue
        if _MAKING.search(before):
            continue
        unit, kg = _CELL.search(after[:48]), _PER_KG.search(after[:60])
        chained = index + 1 < len(amounts) and following - end < 26 and not unit and not kg
        if chained:  # "2x106 - 6x106/kg": the unit stands after the last of a list
            further = text[following : following + 90]
            unit, kg = _CELL.search(further), _PER_KG.search(further[:75])
        if (
            not unit
            and not kg
            and not _INTO.match(after)
            and text.strip() != text[start:end]
            and not (_SAID_DOSE.search(before) and max(values) >= 1e5)
            and not (_CELL.search(before[-45:]) or (_CELL.search(said) and _GIVEN.search(before)))
        ):
            continue
        if kg and re.search(r"\b(?:mg|mcg|µg|ug|IU|g|ml)\s*/?\s*$", text[:end][-6:], _I):
            continue
        tail = after[: (unit.end() + 14 if unit and not chained else 16)]
        concentration = bool(
            re.search(r"/\s?(?:\d+(?:\.\d+)?\s?)?(?:m[lL]|cc|cm|mm|µ[lL])|per\s+(?:ml|cc|cm|mm|square)", tail, _I)
            and not _VIAL.search(after[:48])
        )
        stop = end + (min(kg.end(), len(after)) if kg and not chained else unit.end() if unit and not chained else 0)
        span = text[start : min(stop, start + 140)].strip()
        several = _TOGETHER_BEFORE.search(text[max(low, start - 60) : start]) or _TOGETHER_AFTER.match(after)
        together = bool(several and _SEVERAL.search(said))
        found += [Dose(value, bool(kg), concentration, span, passage.field, together) for value in values]
    return found


def dose(record: Record) -> tuple[Value, Value, Value, Value]:
    """The dose in cells, whether it is per kg, all stated doses, and a flag for an implausible text."""
    tiers = (
        (("intervention", "arm"), False, 0.95),
        (("title",), False, 0.93),
        (("summary",), True, 0.88),
        (("description",), True, 0.8),
        (("outcome",), True, 0.7),
    )
    for names, strict, confidence in tiers:
        texts = [
            p for p in record.tiers(*names) if names != ("outcome",) or re.search(r"\bdos(?:e|age|ing)", p.text, _I)
        ]
        found = [one for p in texts for one in doses(p, strict=strict)]
        firm = [one for one in found if not one.concentration] or found
        if not firm:
            continue
        firm = [one for one in firm if not one.together] or firm
        per_kg = [one for one in firm if one.per_kg]
        kept = per_kg or firm
        top = max(kept, key=lambda one: one.cells)
        sure = confidence - (0.25 if top.concentration else 0.0)
        every = sorted({one.cells for one in kept})
        rule = f"{names[0]}-states-dose" + ("-per-volume" if top.concentration else "")
        strange = top.cells > (MAX_PER_KG if top.per_kg else MAX_TOTAL) or top.cells < (
            1e2 if top.per_kg else MIN_TOTAL
        )
        rule += "-implausible" if strange else ""
        flag = Value("implausible" if strange else None, "dose-beyond-reason" if strange else "dose-plausible",
                     top.span if strange else "", sure, top.field)  # fmt: skip
        return (
            Value(top.cells, rule, top.span, sure if not strange else 0.3, top.field),
            Value(top.per_kg, rule, top.span, sure, top.field),
            Value(every, rule, top.span, sure, top.field),
            flag,
        )
    none = Value(None, "not-stated", "", 0.0)
    return none, none, none, none
