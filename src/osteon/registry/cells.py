"""Cell therapy or not, what kind of cells, and from which tissue.

A study counts as cell therapy when living cells, or tissue used for its cells (marrow concentrate, stromal vascular
fraction, micro-fragmented fat, blood stem-cell grafts), are given to its participants; exosomes, secretome, platelets
and drugs are not cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from osteon.registry.dose import doses
from osteon.registry.record import Passage, Record
from osteon.registry.value import Value, around, sentence

_I = re.IGNORECASE

_PRODUCT = re.compile(
    r"""
    \bcellulari[sz]ed\b | \bseeded\s+cells?\b
    | \bplacental?[\s-]+(?:derived|expanded)[\s-]+(?:[\w-]+[\s-]+){0,3}cells?
    | (?:mesenchymal|mesenquimal|mesanchymal|stromal|multipotent|pluripotent)[\s-]+(?:[\w-]+[\s-]+){0,3}?cells?\b
    | (?<![a-z])(?:[\w/]{0,8}[-\s]?)?(?<!ne)MSCs?(?![A-Za-z0-9])
    | \bMPCs?\b | \bMSV\b | \b\w{0,3}ASCs?\b | \bADSCs?\b | \bADRCs?\b
    | \b(?:stem|progenitor|precursor|regenerative)[\s-]+cells?\b(?!\s+(?:factor|leuk|tumou?r|mobili[sz]))
    | \bstem-cell\b | \bmedicinal\s+signaling\s+cells?\b
    | \bstromal[\s-]+vascular[\s-]+(?:fraction|cells?) | \bSVF\b
    | \bbone[\s-]+marrow[\s-]+(?:derived\s+)?(?:aspirate[\s-]+)?
        (?:concentrat(?:e|ion)s?|cells?|transplant\w*|mononucle\w+)
    | \bBMAC\b
    | \bmononucle(?:ar|ated)[\s-]+(?:stem\s+)?cells? | \bBM-?MNCs?\b | \bMNCs?\b
    | \bmicro-?[\s-]?fragment(?:ed)?\s+(?:adipose|fat)(?:\s+tissue)? | \blipogems\b
    | \b(?:cell|cellular)[\s-]+(?:therap\w+|transplant\w*|suspension|infusion) | \bcells?[\s-]+implant\w*
    | \b(?:hepatocyte|islet|chondrocyte|keratinocyte|melanocyte|myoblast|fibroblast|osteoblast)s?\s+
        (?:cells?\s+)?(?:transplant|implant|inject|infus|suspension)\w*
    | \bautologous\s+(?:cultured\s+)?(?:chondrocytes?|keratinocytes?|melanocytes?|myoblasts?|
        fibroblasts?|osteoblast\w*)
    | \bosteoblastic\s+cells? | \bdermal\s+cells? | \bepidermal\s+cells?
    | \bCAR[\s-]?T\b
    | \b(?:NK|T|Treg|dendritic|natural\s+killer|regulatory\s+T|killer)[\s-]+cells?\s+
        (?:infus|therap|transf|inject)\w*
    | \btherapeutic\s+(?:autologous|allogeneic)\s+(?:lymphocytes|dendritic\s+cells)
    | \b(?:TREG|Th2|T-reg)[\w/\s-]{0,12}cells?\b | \blymphocyte\s+infusions?
    | \bc-kit\+?\s+cells? | \bcardiosphere-derived\s+cells?
    | \b(?:umbilical\s+)?cord[\s-]+blood\b(?=.{0,40}(?:infus|transplant|cells?|units?)) | \bHSCT\b | \bPBSCT?\b
    | \b(?:amniotic|umbilical)[\w\s]{0,30}?\btissue\s+(?:procedure|therapy|infusion|injection)
    | \bgraft\s+of\s+\w+\s+cells
    | \b(?:viable\s+)?cellular\s+(?:bone\s+)?allografts? | \bcell[\s-]based\s+allografts?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Products that some records name without a word of cells (others say what they are); the last are shared endings.
_BRAND = re.compile(
    r"\b(?:allorx|alofisel|astrostem|b[cx]-u001|brtx-?\s?100|cartistem|cellgram\w*|chondrogen|cx-?601|cyp-00\d\w*|furestem|"
    r"hb-admscs?|(?:rnl-)?(?:joint|vasco)stem|lomecel|mesoblast|msctc-0010|multistem|neofuse|neuronata|neurostem|nurown|"
    r"ossm-001|plx-pad|pneumostem|preob|prochymal|protrans|smup-?ia-?01|stemchymal|stempeucel|temcell|tigenix|umc119|"
    r"yb-?1113|\w{3,20}(?:trocel|temcel|leucel))(?![a-z])",
    _I,
)
# Words that make a mention one of disease, of a thing counted or of something without cells.
_NOT_CELLS = re.compile(
    r"exosom|\bexos?\b|-exo\b|secretome|condition(?:ed|ing)\s+medi|extracellular\s+vesicle|\bderived\s+EVs\b|vesicles?\b|cell-free|"
    r"(?<!/)acellular|(?:cell|MSC)s?\s+lysate|"
    r"(?:paracrine|trophic)\s+factors?|mitochondri|supernatant|culture\s+media|\bderived\s+(?:[\w-]+\s+){0,2}factors",
    _I,
)
_DISEASE = re.compile(
    r"stromal(?:\s+cell)?\s+(?:tumou?r|sarcoma|neoplas)|(?:cancer|tumou?r|leuk\w+)\s+(?:stem|initiating)|"
    r"sickle[\s-]cell|"
    r"giant[\s-]cell|squamous|renal\s+cell\s+carc|germ\s+cell|small\s+cell|basal\s+cell",
    _I,
)
_GIVEN = re.compile(
    r"inject|infus|transplant|implant|administ|deliver|receiv|treat|graft|dose|instill|therap|appl(?:y|ied|"
    r"ication)|given|seeded|contain|consist|compris|compos|\bis an?\b|product|suspension|load|mixed\s+with",
    _I,
)
_TITLE_USE = re.compile(
    r"inject|infus|transplant|implant|administ|deliver|treat|therap|graft|safety|efficacy|use of|"
    r"for (?:the )?(?:management|"
    r"repair|prevention)|versus|vs\.?\b|augment|in patients|combin|clinical (?:trial|study)|follow[\s-]?up|"
    r"cells? (?:in|for)\b",
    _I,
)
_NOT_GIVEN = re.compile(
    r"\bin vitro\b|isolat\w+ (?:and|of)|characteri[sz]|biomarker|harvest\w* (?:only|for research)|(?:blood|marrow|"
    r"tissue)\s+"
    r"(?:sample|samples|sampling|collection|draw)|biops|questionnaire|cell\s+count|circulating|mobili[sz]|releas|recruiting\s+(?:[\w-]+\s+){0,3}(?=mesench|stem|MSC)|endogenous|"
    r"osteogenic potential|"
    r"ex vivo study|bank(?:ing)?\b|receptor|registry of donors|functionality|senolytic|inflammation and stem",
    _I,
)
# Marrow or blood is taken to make cells or to study them, and nothing says that anybody gets them.
_COLLECTED = re.compile(
    r"\b(?:collect(?:s|ed|ing|ion)?|procur\w+|donations?|process\s+development|manufacturing)\b(?!.*(?:inject|infus|"
    r"transplant|implant|administ))",
    _I | re.DOTALL,
)
_DELIVERED = re.compile(r"inject|infus|transplant|implant|administ|receiv|treated|treatment|graft|given", _I)
_HOST = re.compile(r"graft[\s-]*(?:versus|vs\.?|-)[\s-]*host", _I)  # a disease, nothing that is given
_PUT = re.compile(r"inject|infus|transplant|implant|administ|graft|given", _I)
_COUNTED = re.compile(r"\bcells\b", _I)
_PLATELETS = re.compile(r"platelet|\bPR[PF]\b", _I)
_PASSIVE = ("BEHAVIORAL", "DIAGNOSTIC_TEST", "DIETARY_SUPPLEMENT", "RADIATION")


_RECIPIENT = re.compile(r"[\s,]*(?:\w+\s+)?(?:recipient|candidate|survivor)", _I)
_JOINED = re.compile(r"\+|\band\b|\bplus\b|,|&|\bwith\b|\bor\b", _I)
_QUICK = re.compile(
    r"cell|cyte|blast|islet|treg|th2|msc|mpc|msv|asc|adrc|svf|stromal|marrow|bmac|mnc|lipogems|fragment|sct|cord|tissue|car|graft",
    _I,
)


def products(text: str) -> list[re.Match[str]]:
    """The mentions of cells as a product in a text."""
    patterns = (*((_PRODUCT,) if _QUICK.search(text) else ()), _BRAND)
    return [m for pattern in patterns for m in pattern.finditer(text) if _is_product(text, m)]


def _is_product(text: str, m: re.Match[str]) -> bool:
    start, end = m.span()
    if _DISEASE.search(text, max(0, start - 25), end + 15) or _RECIPIENT.match(text, end):
        return False
    for other in _NOT_CELLS.finditer(text, max(0, start - 80), end + 34):
        between = text[other.end() : start] if other.start() < start else text[end : other.start()]
        near = other.start() < end or other.start() - end < 34
        if near and not _JOINED.search(between) and "." not in between:
            return False
    return True


def _cell_free(text: str) -> bool:
    return bool(_NOT_CELLS.search(text))


def cell_therapy(record: Record) -> Value:
    """Whether participants are given cells, by the strongest of: intervention, arm, title."""
    free: Passage | None = None
    without = 0
    for row_index, row in enumerate(record.interventions):
        kind = str(row.get("type", "")).upper()
        own = [p for p in record.passages["intervention"] if p.field.startswith(f"interventions[{row_index}].")]
        names = [p for p in own if not p.field.endswith("description")]
        if any(_cell_free(p.text) and not products(p.text) for p in names):
            free = free or next(p for p in names if _cell_free(p.text))
            without += 1
            continue
        for p in names:
            for m in products(p.text):
                if kind in _PASSIVE or _NOT_GIVEN.search(p.text):
                    continue
                return Value(True, "intervention-names-cells", around(p.text, *m.span()), 0.97, p.field)
        for p in own:
            if (
                p.field.endswith("description")
                and kind not in _PASSIVE
                and (not _cell_free(p.text) or products(p.text))
            ):
                for m in products(p.text):
                    near = p.text[max(0, m.start() - 120) : m.end() + 120]
                    if _GIVEN.search(near) and not _NOT_GIVEN.search(near):
                        return Value(True, "intervention-describes-cells", around(p.text, *m.span()), 0.93, p.field)
    watched = record.study_type == "OBSERVATIONAL" and not record.interventions
    given = _DELIVERED if watched else _GIVEN
    tested = bool(record.interventions) and all(
        str(row.get("type", "")).upper() in _PASSIVE for row in record.interventions
    )
    for p in () if tested or 0 < without == len(record.interventions) else record.passages["arm"]:
        if _cell_free(p.text) and not products(p.text):
            free = free or p
            continue
        for m in products(p.text):
            near = p.text[max(0, m.start() - 120) : m.end() + 120]
            if not _NOT_GIVEN.search(near) and (
                given.search(near) or doses(p) or (not watched and not p.field.endswith("description"))
            ):
                return Value(True, "arm-names-cells", around(p.text, *m.span()), 0.9, p.field)
    if free:
        found = _NOT_CELLS.search(free.text)
        return Value(False, "product-without-cells", found[0] if found else "", 0.93, free.field)
    for p in record.tiers("intervention", "arm"):
        for one in doses(p):
            if _COUNTED.search(one.span) and not _cell_free(p.text) and not _NOT_GIVEN.search(p.text):
                return Value(True, "dose-counts-cells", one.span, 0.85, p.field)
    for p in () if _only_collects(record) else record.passages["title"]:
        for m in products(p.text):
            if watched and not _DELIVERED.search(_HOST.sub("", p.text)):
                continue
            if re.search(r"recipient|candidate|survivor", p.text[m.end() : m.end() + 40], _I) or re.search(
                r"(?:undergo\w*|after|following|post-?|prior to|before)\s+(?:[\w-]+\s+){0,3}$",
                p.text[: m.start()],
                _I,
            ):
                continue  # a group of patients who had such a graft is not a study of the graft
            if (
                _TITLE_USE.search(p.text)
                and not _NOT_GIVEN.search(p.text)
                and not _COLLECTED.search(p.text)
                and not _cell_free(p.text)
            ):
                if tested:
                    continue
                return Value(True, "title-names-cells", around(p.text, *m.span()), 0.8, p.field)
    for p, m in _named(record):
        return Value(True, "text-tells-product-is-cells", around(p.text, *m.span()), 0.78, p.field)
    for p in record.passages["title"]:
        found = _NOT_CELLS.search(p.text)
        if found:
            return Value(False, "product-without-cells", found[0], 0.9, p.field)
    return Value(False, "no-cells-given", "", 0.9)


def _only_collects(record: Record) -> bool:
    """Whether all that is done to participants is to take a sample."""
    own = [p.text for p in record.passages["intervention"]]
    taken = re.compile(r"\b(?:collect|harvest|sampl|draw|biops|donat)\w*", _I)
    return bool(own) and all(taken.search(text) and not _PUT.search(text) for text in own)


def _named(record: Record) -> Iterator[tuple[Passage, re.Match[str]]]:
    """Sentences of the running text that say of an intervention, by its name, that it is or holds cells."""
    names = [
        name.strip()
        for row in record.interventions
        for name in (row.get("name"),)
        if isinstance(name, str)
        and 3 < len(name.strip()) < 80
        and not _PLATELETS.search(name)
        and str(row.get("type", "")).upper() not in _PASSIVE
    ]
    for p in record.tiers("summary", "description"):
        for name in names:
            for at in (
                m.start() for m in re.finditer(r"[\s-]?".join(map(re.escape, re.split(r"[\s-]+", name))), p.text, _I)
            ):
                low, high = sentence(p.text, at)
                said = p.text[low:high]
                if _GIVEN.search(said) and not _NOT_GIVEN.search(said):
                    for m in products(said.replace("stem cell transplant", "")):
                        whole = re.compile(re.escape(m[0])).search(p.text, low)
                        if (
                            whole
                            and not _cell_free(said)
                            and not re.search(
                                r"(?:undergo\w*|after|following|receiving)\s+(?:[\w-]+\s+){0,3}$",
                                said[: m.start()],
                                _I,
                            )
                        ):
                            yield p, whole


_TYPES: tuple[tuple[str, str], ...] = (
    ("mesenchymal", r"mesenchymal|mesenquimal|multipotent stromal|\b\w{0,4}-?MSCs?\b|marrow stromal|"
                    r"stromal (?:stem )?cells?|"
                    r"\bMPCs?\b|\bADSCs?\b|\b(?:h|allo-)?ASCs?\b|"
                    r"adipose[\s-](?:tissue[\s-])?(?:derived\s)?(?:stem|stromal cells)|"
                    r"umbilical cord (?:lining |derived |blood )*stem|medicinal signaling|\bMSV\b|cord lining stem"),
    ("stromal vascular fraction", r"stromal[\s-]vascular|\bSVF\b|\bADRCs?\b|regenerative cells"),
    ("micro-fragmented fat", r"micro-?[\s-]?fragment\w*|lipogems"),
    ("marrow concentrate", r"aspirate concentrate|marrow concentrate|\bBMAC\b"),
    ("mononuclear", r"mononucle(?:ar|ated)|\bMNCs?\b|BM-?MNC"),
    ("hematopoietic", r"h(?:a)?ematopoietic|peripheral blood (?:stem|progenitor)|cord blood|\bHSCT\b|\bPBSCT?\b|CD34|"
                      r"(?:bone marrow|stem cell) transplant"),
    ("T cell", r"\bT[\s-]?cells?\b|\bTREG|lymphocyte|\bCAR[\s-]?T"),
    ("chondrocyte", r"chondrocyte"),
    ("osteoblast", r"osteoblast"),
    ("skin cells", r"keratinocyte|melanocyte|fibroblast|epidermal cell|dermal cell"),
    ("muscle cells", r"myoblast|muscle[\s-]derived"),
    ("pluripotent-derived", r"\biPSC?|embryonic|pluripotent"),
    ("cardiac", r"c-kit|cardiosphere|cardiac stem"),
    ("stem cells, kind not stated", r"stem[\s-]cells?|progenitor"),
)  # fmt: skip
_TYPE_RULES = [(name, re.compile(pattern, _I)) for name, pattern in _TYPES]


def cell_type(record: Record) -> Value:
    """The kind of cells, from the most telling passage that names one."""
    for tier, confidence in (
        ("intervention", 0.95),
        ("title", 0.93),
        ("arm", 0.9),
        ("summary", 0.8),
        ("keyword", 0.7),
        ("description", 0.7),
    ):
        for kind, pattern in _TYPE_RULES[:-1] if tier != "description" else _TYPE_RULES:
            for p in record.passages[tier]:
                found = pattern.search(p.text)
                if found:
                    return Value(kind, f"{tier}-names-kind", found[0], confidence, p.field)
    return Value(None, "not-stated", "", 0.0)


_TISSUES: tuple[tuple[str, str], ...] = (
    ("cord blood", r"cord[\s-]blood|\bh?UCB"),
    ("umbilical cord", r"umbilical|wharton|\bh?UC-?\s?MSCs?|\bWJ-?|cord[\s-](?:derived|lining|tissue)|\bULSC"),
    ("placenta or amnion", r"placent|amnio|chorion|decidua"),
    ("adipose", r"adipose|\bfat\b|lipo(?:suction|aspirate|gems)|\b(?:h|allo-)?ASCs?\b|\bADSCs?\b|\bAD-?MSCs?|"
                r"-adMSC|\bSVF\b"),
    ("bone marrow", r"bone[\s-]?marrow|marrow|\bBM-?\s?MSCs?|iliac crest|\bBMAC\b"),
    ("dental", r"dental pulp|deciduous|periodontal ligament|\bSHED\b"),
    ("menstrual blood", r"menstrual|endometrial"),
    ("peripheral blood", r"peripheral[\s-]blood"),
    ("skin", r"skin-derived|dermal|ABCB5"),
    ("synovium", r"synovi(?:um|al)[\s-](?:derived|stem)"),
)  # fmt: skip
_TISSUE_RULES = [(name, re.compile(pattern, _I)) for name, pattern in _TISSUES]


def tissue(record: Record) -> Value:
    """The tissue that the cells come from."""
    for tier, confidence in (("intervention", 0.93), ("title", 0.92), ("arm", 0.9), ("summary", 0.75),
                             ("description", 0.65)):  # fmt: skip
        for name, pattern in _TISSUE_RULES:
            for p in record.passages[tier]:
                found = pattern.search(p.text)
                if found:
                    return Value(name, f"{tier}-names-tissue", found[0], confidence, p.field)
    return Value("unstated", "not-stated", "", 0.0)
