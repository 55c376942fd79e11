"""How the cells reach the body. What no text states is `unstated`: an "infusion" may go into a vein or an organ.

A value joins several routes with " + ". `local` is any other injection or implant at the diseased place.
"""

from __future__ import annotations

import re

from osteon.registry.cells import products
from osteon.registry.record import Passage, Record
from osteon.registry.value import Value, around, sentence

_I = re.IGNORECASE
# Cells brought to a place that no other route names.
_PLACES = (
    r"ovar(?:y|ies)|testis|testes|testicles?|tubules|tendons?|cuff|ligaments?|menisc\w+|cartilages?|bones?|tibia\w*|"
    r"femur|femoral\s+head|jaws?|sockets?|sinus|gums?|root\s+canals?|pulp\s+chambers?|spine|fusion|vertebra\w*|"
    r"transverse\s+process(?:es)?|cages?|gaps?|cavit(?:y|ies)|non-?union\w*|fractures?|lesions?|defects?|splice|scars?|"
    r"strictures?|breasts?|face|scalp|vocal\s+\w+|glands?|fistula\w*|tracts?|sphincters?|urethra\w*|bladder|uter\w+|"
    r"endometri\w+|gingiva\w*|limbus|kidneys?|pancreas|prostate|myoma|hernia|nerves?|stump|septum"
)
_INTO = (
    r"(?:inject|infiltrat|implant|transplant|insert|placed|packed|graft|fill|applied|deliver|administ|inocul|fixed|introduc)\w*"
    r"\s+(?:[\w()%.-]+\s+){0,11}?(?:into|in|on|onto|at|around|between|within|over|along|to)\s+(?:the\s+)?"
    rf"(?:(?!patients?|subjects?|participants?|people|with|treat\w*|manag\w*|children|adults|women|men)[\w-]+\s+){{0,5}}?"
    rf"(?:{_PLACES})\b(?!\s+(?:transplant|disease|failure|recipient|disorder|injur|cancer|fibrosis|allograft))"
)
ROUTES: tuple[tuple[str, str], ...] = (
    ("intracoronary", r"(?:intra|trans)-?\s?coronar\w+|\bIC\s+(?:and\s+IV|infusion|injection)\b|"
                      r"coronary\s+(?:artery\s+)?(?:injection|infusion|delivery)|"
                      r"into\s+(?:the\s+)?(?:infarct\W?related\s+)?coronary|"
                      r"into\s+(?:the\s+)?infarct\W?related\s+(?:blood\s+vessel|vessel|arter)\w*"),
    ("intramyocardial", r"(?:intra|trans-?epi|epi)-?\s?myocardi\w+|intra-?cardiac\w*|trans-?\s?endo-?cardi\w+|"
                        r"endo-?myocardial\s+inj\w+|"
                        r"trans-?epicardial\w*|into\s+the\s+(?:[\w']+\s+){0,2}(?:myocardium|endocardium|"
                        r"ventric\w+\s+wall|heart\s+muscle)|"
                        r"\bin\s+the\s+myocardium|NOGA"),
    ("intraportal", r"portal\s+vein|intra-?portal\w*|hepatic\s+vein|intra-?hepatic\w*|"
                    r"into\s+the\s+liver(?!\s+through)"),
    ("intrathecal", r"intra-?\s?thech?al\w*|lumbar\s+(?:punctur|administ)\w+|sub-?arachnoid\w*|intra-?spinal\s+canal|"
                    r"into\s+(?:the\s+)?cerebrospinal"),
    ("intraspinal", r"intra-?\s?spinal\b|intra-?medullar[ye]?\b(?!\s+(?:nail|rod|canal|fix))|"
                    r"into\s+the\s+(?:injured\s+)?spinal\s+cord|inject\w*\s+(?:[\w-]+\s+){0,8}injured\s+spinal\s+cord"),
    ("intracerebral", r"intra-?cerebr\w*|intra-?ventricular\w*(?!\s+ha?emorrhag)|"
                      r"intra-?cranial(?:ly)?\s+(?:inj|admin|transpl|"
                      r"infus)\w*|stereotactic\w*\s+"
                      r"(?:inj|impl|transpl|infus)\w*|intra-?parenchymal\w*|intra-?cavitary|ommaya|"
                      r"into\s+the\s+(?:[\w-]+\s+){0,2}brains?\b"),
    ("intradiscal", r"intra-?\s?dis[ck]\w*|(?:intra|inter)-?\s?vertebral\s+dis[ck]\s+inject\w*|"
                    r"into\s+(?:the\s+)?(?:\w+\s+){0,3}(?:inter-?vertebral\s+)?dis[ck]s?\b|"
                    r"nucleus\s+pulposus|inject\w*\s+(?:of|in|to)\s+(?:[\w-]+\s+){0,4}dis[ck]s?\b"),
    ("intra-articular", r"intra-?\s?articul\w+|\bIA\s+(?:inject|administ)\w*(?=.{0,60}(?:knee|joint))|"
                        r"articular\s+cavity|into\s+(?:the\s+)?(?:(?!osteochondral)\w+\s+){0,2}(?:knee|joint|"
                        r"joint\s+cavity)s?\b(?!\s+(?:\w+\s+)?(?:cartilage|defect|lesion|bone|menisc))|"
                        r"inject\w*\s+(?:\w+\s+){0,3}(?:in|to)\s+(?:the\s+)?(?:[\w']+\s+){0,3}(?:knee|joint)s?\b|"
                        r"(?<!defects\s)\bin\s+joints\b|inject\w*\s+into\s+the\s+(?:hip|shoulder|ankle)s?\b|"
                        r"knee\s+(?:joint\s+)?(?:inject|administ)\w+"),
    ("intracavernous", r"intra-?\s?cavernos?\w*|corp(?:us|ora)\s+cavern\w+|into\s+(?:the\s+)?(?:\w+\s+)?penis"),
    ("intratracheal", r"intra-?\s?tracheal\w*|endo-?\s?bronchial\w*|intra-?\s?bronch\w+|"
                      r"bronchoscopic\s+(?:deliver|instil|admin|infus|inject)\w*|"
                      r"(?:deliver|instil|admin|infus|inject)\w*\s+(?:\w+\s+){0,3}"
                      r"(?:(?:via|by|through)\s+(?:an?\s+)?(?:\w+\s+)?bronchoscop|"
                      r"bronchoscopically)\w*|endo-?tracheal\s+(?:inst|"
                      r"adm)\w*"),
    ("inhaled", r"\binhal\w+|nebuli[sz]\w+|aerosol\w*"),
    ("intranasal", r"intra-?\s?nasal\w*"),
    ("intraocular", r"intra-?\s?vitre\w+|sub-?\s?retinal\w*|intra-?\s?ocular\w*|sub-?tenon\w*|suprachoroid\w*|"
                    r"retro-?bulbar|peri-?ocular|"
                    r"sub-?conjunctiv\w+|intra-?stromal\w*"),
    ("intra-arterial", r"intra-?\s?arteri\w+|\bia\s+and\s+iv\b|\biv\s+and\s+ia\b|"
                       r"(?:hepatic|renal|femoral|carotid|penile|pancreatic|uterine|"
                       r"dorsal\s+penile)\s+arter\w+|trans-?arterial|"
                       r"(?:into|through|via)\s+(?:the\s+|an?\s+)?(?:(?!coronar|infarct)[\w-]+\s+){0,4}arter(?:y|ies)\b"),
    ("intramuscular", r"intra-?\s?muscul\w+|\bi\.\s?m\.|\bIM\s+(?:inj|admin|route)\w*|"
                      r"into\s+the\s+(?:\w+\s+)?muscles?\b"),
    ("intraperitoneal", r"intra-?\s?peritone\w+|into\s+the\s+(?:peritoneal|abdominal)\s+cavity"),
    ("subcutaneous", r"sub-?\s?cutan\w+|intra-?\s?derm\w+|trans-?\s?dermal\s+inject\w*|\bs\.c\."),
    ("topical", r"\btopical\w*|\bsurface\s+application|\btrans-?derm\w+\b(?!\s+inject)|"
                r"\bspray\w*|(?:hydro)?gel\s+(?:sheet|dressing)|\bsheet\b.{0,20}wound|\bcream\b|"
                r"\beye\s?drops?|"
                r"appli(?:ed|cations?)\s+(?:\w+\s+){0,3}(?:wound|ulcer|burn)|\bGel\s+(?:group|treat)\w*"),
    ("IV", r"intr[ao]-?\s?ven[a-z]{0,3}us\w*|intra[\s-]vein\b|\bvia\s+venous\b|intra-?\s?veno?us\w*|\bi/v\b|"
           r"endo-?venous\w*|\bI\.?\s?V\.?(?![\w.-]*\w|\s+laser)|\bi\.?\s?v\.?(?=\W)|"
           r"(?:by|through|via|into)\s+(?:a\s+|the\s+)?(?:\w+\s+){0,2}(?:vein|central\s+line)s?\b(?<!portal\svein)|"
           r"peripheral\s+(?:[\w-]+\s+){1,3}vein\b|(?:peripheral|antecubital|cubital|cephalic|brachial|central|femoral)\s+(?:venous|veins?)\b|"
           r"venous\s+(?:inf|inj)\w+|"
           r"systemic\s+infusion|drip\b"),
    ("local", r"\b(?:intra|peri|para)-?\s?(?!operat|patient|cellular|od|natal|partum|procedur|venous)"
              r"[a-z]{4,16}\s+(?:inj|inf|admin|transpl|impl|deliv|appl|instil)\w*|intra-?\s?lesion\w*|peri-?\s?lesion\w*|intra-?\s?fistul\w*|peri-?anal\s+inj\w*|intra-?\s?tend\w+|"
              r"intra-?\s?osse\w+|"
              r"sub-?\s?mucos\w+|intra-?\s?tissul\w+|intra-?\s?alveolar|local\w*\s+(?:\w+\s+){0,2}(?:inj|admin|"
              r"impl|appl|transpl|deliv|"
              r"inoc|infil)\w*|(?:inj|admin|appl|transpl|impl|deliv)\w*\s+(?:\w+\s+){0,4}locally|"
              r"trans-?urethral\w*|peri-?urethral|"
              r"intra-?\s?gland\w+|intra-?\s?ovar\w+|intra-?\s?uterin\w+(?=\s+(?:inj|inf|adm|tran))|"
              r"intra-?\s?pancrea\w+|"
              r"intra-?\s?renal|intra-?\s?gingiv\w+|"
              r"(?:cartilage|bone|osseous|periodontal|chondral|alveolar)\s+(?:\w+\s+){0,1}(?:defect|lesion|cleft|"
              r"ridge|graft|regenerat)\w*|"
              r"core\s+decompression|necrotic\s+(?:lesion|zone|area)|femoral\s+head|fistula\s+(?:tract|plug|"
              r"wall)s?|plug\b|scaffold\w*|"
              r"(?:into|to\s+the|at|around|in)\s+(?:the\s+)?(?:\w+\s+){0,3}(?:lesion|defect|fracture|vertebra\w*|"
              r"non-?union|fistula\w*|"
              r"tendon|ulcer|wound|vocal\s+(?:fold|cord)|gland|testic\w+|sphincter|nerve|gingiva|socket|site|"
              r"operation|foot|"
              r"stump)s?\b|(?<!by\s)arthroscop\w+|surgical(?:ly)?\s+implant\w*|"
              r"intra-?\s?testic\w+|(?:renal|kidney)\s+(?:intra-?)?parenchyma\w*|(?:/|\bper\s+|\beach\s+)ovary\b|"
              rf"{_INTO}|"
              r"lipofilling|implantation|endoscop\w+\s+inj\w+|implant\s+of\s+\w+|trans-?catheter|vocal\s+(?:fold|"
              r"cord)s?"),
)  # fmt: skip
_RULES = [(name, re.compile(pattern, 0 if name == "-" else _I)) for name, pattern in ROUTES]
_LOCAL = re.compile(
    r"intra-?\s?lesion\w*|intra-?\s?fistul\w*|intra-?\s?tend\w+|intra-?\s?osse\w+|sub-?\s?mucos\w+|intra-?\s?testic\w+|"
    r"intra-?\s?tissul\w+|intra-?\s?gland\w+|intra-?\s?ovar\w+|"
    r"local\w*\s+(?:inj|admin|impl|appl|transpl|deliv|inoc|infil)\w*|(?:inject|implant|transplant|insert|placed)\w*\s+"
    r"(?:\w+\s+){0,3}(?:into|in|at|around|between)\s+(?:the\s+)?(?:\w+\s+){0,3}(?:lesion|defect|fracture|vertebra|"
    rf"non-?union|fistula|tendon|ulcer|gland|testi|tubul|sphincter|wound|ovar|femoral\s+head|site)|{_INTO}", _I,
)  # fmt: skip
# Routes whose name leaves no doubt in a description, even where the sentence does not name the cells again.
_SURE = ("intra-articular", "intrathecal", "intradiscal", "intracavernous", "intramyocardial")
# "IV" as a number: a stage, class, phase, a manual's edition, or one of a list of Roman numerals.
_ROMAN_BEFORE = re.compile(
    r"(?:\b(?:class(?:es|ification)?|stages?|phases?|grades?|types?|levels?|DSM|NYHA|APACHE|parts?|scores?|"
    r"lawrence|KL|fontaine|"
    r"rutherford|factor|collagen)\W*|\bI{1,3}[AaBb]?\s*(?:and|or|to|&|[-–/,(])\s*)$",
    _I,
)
_ROMAN_AFTER = re.compile(
    r"\s*(?:-TR|[-–/]\s?V\b|ulcer|GVHD|stage|according|\)?\s*heart failure|toxicity|adverse|degree|fluids?)", _I
)
_CONTEXT = re.compile(
    r"cells?\b|MSCs?\b|infus|inject|infiltrat|admin|transplant|implant|deliver|dose|stem|graft|SVF|concentrate|product|"
    r"allorx|bmac|given|"
    r"receiv|suspension|treat|appl|transfus|\broute:|(?:osseous|articular|venous|muscular|dermal)\s+use\b",
    _I,
)
_BACKGROUND = re.compile(
    r"\b(?:mice|mouse|rats?|rabbits?|pigs?|swine|dogs?|animals?|preclinical|pre-clinical|previous(?:ly)?|prior|"
    r"studies have|"
    r"has been shown|have been shown|et al|reported|in contrast|unlike|literature|current treatment|"
    r"conventional treatment|"
    r"standard treatment|background|usually|in these studies)\b",
    _I,
)
_DRUG = re.compile(
    r"steroid|cyclospor|ciclospor|tacrolimus|mycophenol|sirolimus|melphalan|diphenhydr|antihistam|methylpred|hydrocort|prednis|dexameth|heparin|antibiot|immunoglobulin|IVIG|cyclophosph|fludarab|"
    r"busulf|rituximab|"
    r"ointment|sedat|paracetamol|diuretic|furosemide|contrast|gadolin|lidocaine|an[a]?esth|g-csf|insulin|teriparatide|"
    r"parathyroid|\bPTH\b|forteo|amifostine|methotrexate|\b\w+(?:mab|platin|bine|poside|grastim|mustine|mycin|"
    r"stine|sulfan|phamide|cillin|cept)\b|midazolam|fentanyl|hyaluron|mg/kg|mg/m2|\bmg\b",
    _I,
)
# What ails a disc, and words for putting something into it.
_DISC = re.compile(
    r"\bdis[ck]s?\s+degenerat\w+|\bdegenerat\w+\s+(?:\w+\s+){0,2}dis[ck]s?\b|\bdis[ck]ogenic|\bdis[ck]\s+disease", _I
)
_FISTULA = re.compile(r"\bfistulas?\b|\bfistulae\b", _I)
_PUT = re.compile(r"\b(?:inject|implant)\w*", _I)
# Tissue that lies there and is taken for its cells.
_TAKEN_THERE = re.compile(r"\s+(?:\w+\s+)?(?:fat|adipose|tissue|lipo\w+|biops\w+)\b", _I)
_THEIRS = re.compile(
    r"\bcells\b|\bmixture\b|\bcell suspension\b|\b(?:investigational|study|medicinal)\s+product\b|\broute:", _I
)
_CONTROL_ARM = ("PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION")


# A local injection that is given beside another route.
_BESIDE = re.compile(
    r"(?:\band\b|\bplus\b|\+|&)\s+(?:\w+\s+){0,2}(?:(?:intra|peri)-?\s?(?:lesion|osse)\w*|local(?:ly)?\b)|"
    r"(?:(?:intra|peri)-?\s?(?:lesion|osse)\w*|\blocal)(?:\s+\w+){0,2}\s+(?:and|plus|\+|&)",
    _I,
)


def _hits(
    passage: Passage, *, strict: bool, others: tuple[str, ...] = (), named: tuple[str, ...] = ()
) -> list[tuple[str, re.Match[str]]]:
    text = passage.text
    found: list[tuple[str, re.Match[str]]] = []
    for name, rule in _RULES:
        for m in rule.finditer(text):
            before, after = text[max(0, m.start() - 24) : m.start()], text[m.end() : m.end() + 16]
            if name == "IV" and re.fullmatch(r"i\.?\s?v\.?", m[0], _I):
                alone = re.match(r"\s*(?:inf|inj|adm|[,(+]|\d)", after, _I) or re.search(r"[,(]\s*$", before)
                if m[0].isalpha() and m[0] != "IV" and not alone:
                    continue
                if _ROMAN_BEFORE.search(before) or _ROMAN_AFTER.match(after):
                    continue
            if (
                name in ("subcutaneous", "intramuscular")
                and _TAKEN_THERE.match(text, m.end())
                and not re.search(r"\b(?:in|into|to)\s+(?:the\s+)?$", before, _I)
            ):
                continue
            low, high = sentence(text, m.start())
            said = text[low:high]
            if strict and _BACKGROUND.search(said):
                continue
            theirs = name in _SURE or _THEIRS.search(said) or any(one in said.casefold() for one in named)
            if strict and not theirs and not products(said):
                continue
            to = re.match(r"\s*\w+\s+of\s+", text[m.end() : m.end() + 30])
            if to and text[m.end() + to.end() : m.end() + to.end() + 80].casefold().startswith(others):
                continue  # the route of another thing that is given
            just = text[max(low, m.start() - 30) : m.start()]
            if name in ("IV", "subcutaneous", "intramuscular") and _DRUG.search(just) and not products(just):
                continue
            near = text[max(low, m.start() - 110) : min(high, m.end() + 110)]
            if not _CONTEXT.search(near):
                continue
            if (
                name == "intraspinal"
                and "medullar" in m[0].casefold()
                and not re.search(r"spinal|\bcord\b", text, _I)
            ):
                name = "local"  # a bone's marrow cavity, not the spinal cord
            if (
                name == "intracerebral"
                and "parenchym" in m[0].casefold()
                and re.search(r"kidney|renal|nephro|pancrea", text, _I)
            ):
                name = "local"
            if name in (
                "IV",
                "subcutaneous",
                "intramuscular",
                "topical",
                "inhaled",
                "intra-articular",
                "intraperitoneal",
            ):
                close = text[max(low, m.start() - 90) : min(high, m.end() + 60)]
                following = text[m.end() : min(high, m.end() + 45)]
                if any(_DRUG.search(part) and not products(part) for part in (close, following)):
                    continue
            if name == "local" and strict and not _LOCAL.search(said):
                continue
            if name == "local" and any(other.start() == m.start() for _, other in found):
                continue  # "intra-articular injection" has a name
            found.append((name, m))
            break
    return found


def route(record: Record) -> Value:
    """The route of the cells, by the first tier of text that states one."""
    treated = [index for index, arm in enumerate(record.arms) if str(arm.get("type", "")).upper() not in _CONTROL_ARM]
    cells = {int(p.field.split("[")[1].split("]")[0]) for p in record.passages["intervention"] if products(p.text)}
    for index, row in enumerate(record.interventions):
        name = row.get("name")
        if isinstance(name, str) and _DRUG.search(name) and not products(name):
            cells.discard(index)  # a drug that is given before or with the cells
    others = tuple(
        row["name"].casefold()[:60]
        for index, row in enumerate(record.interventions)
        if cells and index not in cells and isinstance(row.get("name"), str) and len(row["name"]) > 3
    )
    mine = tuple(
        row["name"].casefold()
        for index, row in enumerate(record.interventions)
        if (index in cells or not cells) and isinstance(row.get("name"), str) and 4 < len(row["name"]) < 60
    )
    infused = any(re.search(r"infus", p.text, _I) for p in record.tiers("intervention", "arm"))
    own = [
        p for p in record.passages["intervention"] if not cells or int(p.field.split("[")[1].split("]")[0]) in cells
    ]
    arms = [p for p in record.passages["arm"] if int(p.field.split("[")[1].split("]")[0]) in treated]
    tiers: tuple[tuple[str, list[Passage], float, bool], ...] = (
        ("intervention", [*own, *arms], 0.95, False),
        ("title", record.passages["title"], 0.93, False),
        ("summary", record.passages["summary"], 0.85, True),
        ("description", record.passages["description"], 0.78, True),
        ("keyword", record.passages["keyword"], 0.65, True),
    )
    weak: tuple[str, re.Match[str], Passage] | None = None
    for tier, passages, confidence, strict in tiers:
        seen: dict[str, tuple[re.Match[str], Passage]] = {}
        for p in passages:
            for name, m in _hits(p, strict=strict, others=others, named=mine):
                if name == "local" and tier == "title" and infused and not _LOCAL.search(m[0]):
                    continue  # the place of the disease in a title is not where an infusion goes
                seen.setdefault(name, (m, p))
        named = [name for name in seen if name != "local"]
        if named:
            if len(named) > 1 and "intrathecal" in named and "intraspinal" in named:
                named = ["intrathecal", "intraspinal", *(one for one in named if one == "IV")]
            m, p = seen[named[0]]
            if (
                "local" in seen
                and not {"topical", "intraspinal"} & set(named)
                and (
                    _BESIDE.search(p.text, max(0, m.start() - 50), m.end() + 60)
                    or _BESIDE.search(seen["local"][1].text, max(0, seen["local"][0].start() - 50))
                )
            ):
                named.append("local")
            return Value(
                " + ".join(sorted(named, key=str.casefold)),
                f"{tier}-states-route",
                around(p.text, *m.span()),
                confidence if len(named) == 1 else confidence - 0.1,
                p.field,
            )
        if "local" in seen and weak is None:
            weak = ("local", *seen["local"])
        if weak and tier == "title" and _LOCAL.search(weak[1][0]):
            break  # what is done with the cells is told; later texts tell of other things too
    for p in () if infused else record.tiers("title", "keyword"):
        if (disc := _DISC.search(p.text)) and any(_PUT.search(q.text) for q in record.tiers("title", "intervention")):
            return Value("intradiscal", "place-of-the-disease", disc[0], 0.6, p.field)
        if (hole := _FISTULA.search(p.text)) and any(
            _PUT.search(q.text) for q in record.tiers("title", "intervention", "arm")
        ):
            weak = weak or ("local", hole, p)
    if weak:
        name, m, p = weak
        return Value(name, "place-of-the-disease", around(p.text, *m.span()), 0.75, p.field)
    return Value("unstated", "not-stated", "", 0.0)


def systemic(value: str) -> bool | None:
    """Whether cells by this route reach the whole body; None when the route is not stated."""
    parts = value.split(" + ")
    if "IV" in parts:
        return True
    return None if parts == ["unstated"] else False
