"""Whose cells: the participant's own (autologous), a donor's (allogeneic), both, or undeclared."""

from __future__ import annotations

import re

from osteon.registry.cells import products
from osteon.registry.record import Record
from osteon.registry.value import Value, sentence

_I = re.IGNORECASE
_OWN = re.compile(
    r"\bautolog(?:ous|us|eous)\w*|\bautogen(?:ous|ic)\w*|\bautograft\w*(?=.{0,30}(?:cell|MSC))|"
    r"(?:patients?|subjects?|participants?|person|individual)(?:'s|s'|’s|s’|\\&#39;s)?\s+own\s+(?:\w+\s+){0,3}"
    r"(?:cells?|bone|fat|adipose|marrow|blood|stem|body|tissue)|\b(?:his|her|their|your)\s+own\s+(?:\w+\s+){0,2}"
    r"(?:cells?|bone marrow|fat|stem|body|adipose)|\bsubjects\s+own\s+cells|"
    r"\bto\s+the\s+same\s+(?:patient|subject|participant)s?\b|"
    r"\b(?:transplant\w*|inject\w*|infus\w*|implant\w*|given|put|return\w*)\s+back\s+(?:in)?to\b|"
    r"\bre-?(?:inject|infus|implant)\w*\s+(?:\w+\s+){0,4}(?:in)?to\s+(?:the\s+)?(?:same\s+)?(?:patient|subject|participant)",
    _I,
)
_DONOR = re.compile(
    r"\ballog[ea]n(?:e?ic|ous|eous|eic)\w*|\ballo-?(?:hMSCs?|MSCs?|ASCs?|APZ\w*)\b|\bthird[\s-]party\b|"
    r"\bunrelated\s+(?:[\w-]+\s+){0,2}donors?|\bhealthy,?\s+(?:[\w-]+,?\s+){0,2}donors?|\bvolunteer\s+donors?|"
    r"\b(?:sibling|related|family|living)\s+donors?|"
    r"\brelated\s+or\s+unrelated\b|"
    r"\bhaplo-?(?:identical|type)|\boff-the-shelf\b|\buniversal\s+cells?\b|\bcellular\s+(?:bone\s+)?allografts?\b|\bcell[\s-]based\s+allografts?\b|\bHLA[\s-](?:identical|matched|mismatched)\b|\buniversal\s+donor|"
    r"\bmatched\s+sibling|\b(?:obtained|derived|collected|recruited)\s+from\s+(?:the\s+|a\s+)?donors?\b",
    _I,
)
_BIRTH = re.compile(
    r"umbilical[\s-]+cord|wharton|placent\w+|amnio\w*|\bperinatal\s+tissue\w*|\bcord[\s-](?:blood|derived|lining|tissue)\w*|"
    r"\b[ah]?UCB?-?\s?MSC[sC]?\b|"
    r"\bh?UMSCs?\b|\bHUC-?MSCs?\b|\bWJ-?\s?MSCs?|\bULSCs?\b",
    _I,
)
_OWN_CORD = re.compile(r"(?:autolog\w+|own)\s+(?:\w+\s+){0,2}(?:umbilical|cord|placent)", _I)
# Donor words that tell of an earlier transplant or of the graft of an organ, not of the cells under study.
_OTHER = re.compile(
    r"\s*(?:h(?:a)?ematopoietic|stem[\s-]cell\s+transplant|bone\s+marrow\s+transplant|"
    r"transplant(?:ation)?\s+(?:recip|for)|"
    r"HSCT|HCT|SCT|BMT|renal|kidney|liver|organ|graft\b|(?:human\s+)?(?:freeze-?dried\s+)?bone\b(?!\s+marrow)|bone\s+graft|osteochondral|blood\s+transf|fat\s+graft)",
    _I,
)
_HEMATOPOIETIC = re.compile(
    r"h(?:a)?ematopoietic|PBSC|cord blood|peripheral blood|bone marrow transplant|lymph|T-?cell", _I
)


# A sentence of the running text that tells of other studies.
_ELSEWHERE = re.compile(
    r"\b(?:previous(?:ly)?|studies|suggest(?:s|ed)?|literature|et al|our team has|has carried out|"
    r"(?:was|were|been) (?:reported|shown|published|demonstrated)|revealed)\b",
    _I,
)


_TAKEN = (
    r"(?:liposuction\w*|lipoaspirat\w*|aspiration\s+of\s+(?:the\s+)?(?:bone\s+)?marrow|"
    r"(?:bone[\s-]+)?marrow\s+(?:will\s+be\s+|was\s+|is\s+)?(?:aspirat|harvest|collected|taken|extract)\w*)"
)
_WHO = r"(?:patients?|participants?|subjects?)\b"
# Tissue for the cells is taken from those who take part.
_TAKEN_FROM = re.compile(
    rf"\b{_WHO}\s+(?:[\w-]+\s+){{0,6}}{_TAKEN}|\b{_TAKEN}\s+(?:[\w,-]+\s+){{0,8}}(?:of|from|in)\s+(?:the\s+|each\s+)?{_WHO}",
    _I,
)


def _elsewhere(text: str, at: int) -> bool:
    low, high = sentence(text, at)
    return bool(_ELSEWHERE.search(text[low:high]))


def source(record: Record) -> Value:
    """`autologous`, `allogeneic`, `both` or `undeclared`; birth tissue without another word counts as a donor's."""
    blood = any(_HEMATOPOIETIC.search(p.text) for p in record.passages["intervention"])
    cells = {p.field.split(".")[0] for p in record.passages["intervention"] if products(p.text)}
    groups = (
        (("title", "intervention", "arm"), 0.95),
        (("summary",), 0.88),
        (("keyword",), 0.8),
        (("description",), 0.78),
    )
    for tiers, confidence in groups:
        own = donor = None
        for p in record.tiers(*tiers):
            if cells and p.field.startswith("interventions[") and p.field.split(".")[0] not in cells:
                continue  # another thing given: plasma, bone, a drug
            for m in _OWN.finditer(p.text):
                if tiers[0] in ("description", "summary") and _elsewhere(p.text, m.start()):
                    continue
                if own is None and not re.match(
                    r"\s*(?:serum|plasma|platelet|blood\s+(?:serum|plasma)|PRP|periosteal|fibrin|"
                    r"bone\s+graft|"
                    r"iliac)",
                    p.text[m.end() : m.end() + 30],
                    _I,
                ):
                    own = (m[0], p.field)
            for m in _DONOR.finditer(p.text):
                after = p.text[m.end() : m.end() + 45]
                if (
                    donor is None
                    and (blood or not _OTHER.match(after))
                    and not re.search(
                        r"(?:after|following|prior|previous|undergo\w*|post-?|not|without|than)\s+(?:\w+\s+){0,2}$",
                        p.text[: m.start()][-40:],
                        _I,
                    )
                ):
                    donor = (m[0], p.field)
        if own and donor:
            if tiers[0] in ("description", "summary"):
                break  # a comparison in the background decides nothing
            return Value("both", "words-for-both", own[0], 0.8, own[1])
        if own:
            return Value("autologous", "word-autologous", own[0], confidence, own[1])
        if donor:
            return Value("allogeneic", "word-allogeneic", donor[0], confidence, donor[1])
        if tiers[0] == "title":
            for p in record.tiers(*tiers):
                found = _BIRTH.search(p.text)
                if found and not any(_OWN_CORD.search(q.text) for q in record.tiers("summary", "description")):
                    return Value("allogeneic", "birth-tissue-of-a-donor", found[0], 0.85, p.field)
    for p in record.passages["keyword"]:
        if (found := _BIRTH.search(p.text)) and re.search(r"cells?\b|MSC", p.text[found.end() :], _I):
            return Value("allogeneic", "birth-tissue-of-a-donor", found[0], 0.7, p.field)
    for p in record.tiers("summary", "description"):
        found = next((m for m in _BIRTH.finditer(p.text) if not _elsewhere(p.text, m.start())), None)
        if found and (
            re.search(
                r"(?:derived|obtained|isolated|from|human)\W+(?:\w+\W+){0,3}$", p.text[: found.start()][-40:], _I
            )
            or re.match(r".{0,25}(?:cells?|MSCs?)\b", p.text[found.end() : found.end() + 40], _I)
        ):
            return Value("allogeneic", "birth-tissue-of-a-donor", found[0], 0.7, p.field)
    if not any(_DONOR.search(p.text) for tier in ("summary", "description") for p in record.passages[tier]):
        for p in record.tiers("intervention", "arm", "summary", "description"):
            if found := _TAKEN_FROM.search(p.text):
                return Value("autologous", "taken-from-participants", found[0], 0.65, p.field)
    return Value("undeclared", "not-stated", "", 0.0)
