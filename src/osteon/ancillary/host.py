"""A record as a possible host: its arms, people, months, status at a day, and how far it is from the target (τ)."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from osteon.ancillary.prior import Given, People
from osteon.ancillary.tables import Tables
from osteon.registry.cells import products
from osteon.registry.extract import Extraction
from osteon.registry.record import RUNNING, Record

_I = re.IGNORECASE
# Diseases by group, first match wins; names are entries of [bias].
DISEASES: tuple[tuple[str, str], ...] = (
    ("bone", r"osteoporo|osteopeni|fragility fract|osteogenesis|osteonecro|fracture|non-?union|bone (?:loss|"
             r"density)"),
    ("frailty", r"frail|aging|ageing|sarcopeni|longevity"),
    ("acute", r"covid|sars-cov|corona|respiratory distress|ARDS|sepsis|septic|acute (?:lung|kidney|myocard|liver)|"
              r"trauma|burn|cardiac arrest|"
              r"intracerebral h|ischemic stroke|acute stroke"),
    ("cancer", r"cancer|leuk|lymphom|myelom|tumou?r|neoplas|graft[\s-]*(?:vs|versus)|GVHD|transplant|aplastic|"
               r"myelodys|sarcoma"),
    ("immune", r"arthritis, rheum|rheumatoid|lupus|crohn|colitis|sclerosis, mult|multiple scler|psoria|"
               r"systemic scler|scleroderma|"
               r"sjogren|dermatitis|inflammatory|ankylosing|autoimmun"),
    ("metabolic", r"diabet|kidney|renal|nephro|cirrhos|liver|hepat|obes|metabol|fatty"),
    ("heart", r"heart|cardi|myocard|coronary|limb ischemia|peripheral arter|angina"),
    ("nerve", r"spinal cord|amyotrophic|ALS|parkinson|alzheimer|dementia|palsy|stroke|neuro|brain|autism|ataxia|"
              r"dystroph|myelitis"),
    ("joint", r"osteoarthr|cartilage|knee|disc|meniscus|tendon|rotator|joint|back pain"),
)  # fmt: skip
_RULES = [(name, re.compile(pattern, _I)) for name, pattern in DISEASES]
_RESCUE = re.compile(r"cross(?:ed)?[\s-]*over|open[\s-]label extension|rescue|delayed treatment|wait[\s-]*list", _I)
_CONTROLS = ("PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION")


@dataclass(frozen=True)
class Host:
    """A study as the planner sees it; `months` is the usable follow-up."""

    record: Record
    drawn: Extraction
    therapy: str | None
    status: str
    disease: str
    treated: float
    control: float
    randomised: bool
    months: float | None
    enrolling: float
    people: People
    sites: int
    tables: Tables
    notes: list[str] = field(default_factory=list)

    @property
    def nct(self) -> str:
        return str(self.record.nct)

    @cached_property
    def bias(self) -> dict[str, float]:
        """The parts of τ by name, in points."""
        return _bias(self)

    @cached_property
    def subjects(self) -> People:
        """The participants with what they get; drawn from the record when first asked for."""
        drawn = self.drawn
        drug = drawn.value("senolytic").span if drawn["senolytic"] else None
        got = Given(drawn["dose"], bool(drawn["per_kg"]), drawn["route"], drawn["source"], drawn["tissue"], drug)
        return replace(self.people, given=got)

    @property
    def tau(self) -> float:
        """SD of transport bias, in points: the parts add as squares."""
        return math.sqrt(sum(part**2 for part in self.bias.values()))

    @property
    def n(self) -> float:
        return self.treated + self.control


def status_at(record: Record, at: datetime.date) -> str:
    """The status at a day: the registry's where the record is not younger than that day, else judged by its dates."""
    start, end = record.start, record.completion
    younger = record.snapshot is not None and record.snapshot > at.isoformat()
    if younger and record.status not in ("WITHDRAWN",) and start:
        if at < start:
            return "NOT_YET_RECRUITING"
        if end and at > end:
            return "COMPLETED"
        return "RECRUITING" if record.status != "SUSPENDED" else record.status
    if record.status in RUNNING and end and at > end:
        return "COMPLETED"
    return record.status


def _disease(record: Record) -> str:
    text = " | ".join([*record.conditions, record.title])
    if len(record.conditions) > 6 or re.search(
        r"various|numerous|multiple (?:chronic )?conditions", record.title, _I
    ):
        return "several"
    return next((name for name, rule in _RULES if rule.search(text)), "other")


def _arms(record: Record, drawn: Extraction) -> tuple[float, float, list[str]]:
    """People who get the therapy and who do not, by equal split over the arms unless the arms state their numbers."""
    n = float(drawn["n"] or 0)
    kinds = [str(arm.get("type", "")).upper() for arm in record.arms]
    notes: list[str] = []
    if drawn["control"] in (None, "none", "dose") or len(kinds) < 2:
        return n, 0.0, notes
    is_control = []
    for arm, kind in zip(record.arms, kinds, strict=True):
        text = " ".join(str(arm.get(key, "")) for key in ("label", "description", "interventionNames"))
        label = str(arm.get("label", ""))
        cells = bool(products(label)) or (
            drawn["senolytic"] and re.search(r"dasatinib|quercetin|fisetin|senoly", label, _I)
        )
        plain = kind in _CONTROLS or bool(
            re.search(r"\b(?:placebo|sham|control|vehicle|standard|conventional)\b", label, _I)
        )
        is_control.append((plain and not cells) or (kind == "ACTIVE_COMPARATOR" and not products(text)))
    if not any(is_control):
        if drawn["control"] in ("placebo", "sham", "no_intervention") or len(kinds) == 2:
            is_control = [False] * (len(kinds) - 1) + [True]
            notes.append("which arm is the control is not plain; an equal split is taken")
        else:
            return n, 0.0, notes
    if all(is_control):
        is_control[0] = False
    stated = drawn["n_per_arm"]
    if stated and abs(sum(stated) - n) <= 0.1 * n:
        control = float(sum(k for k, c in zip(stated, is_control, strict=True) if c))
    else:
        control = n * sum(is_control) / len(is_control)
    return n - control, control, notes


def _enrolling(record: Record, at: datetime.date, lag: float, months: float | None) -> tuple[float, str]:
    """The share of participants who will come in after the lag; each needs a scan before the first cells."""
    first = at + datetime.timedelta(days=lag * 30.4375)
    start, end = record.start, record.completion
    if start is None or end is None or end <= start:
        return 0.5, "start or end is not stated: half of the participants are taken to come after the lag"
    last = end - datetime.timedelta(days=(months or 6.0) * 30.4375)
    if first <= start:
        return 1.0, ""
    if first >= last or last <= start:
        return 0.0, ""
    return (last - first) / (last - start), ""


def _cells_later(record: Record) -> bool:
    """Whether control participants may get the therapy in the end: crossover, rescue, or listed in a control arm."""
    if record.text("designModule.designInfo.interventionModel").upper() == "CROSSOVER":
        return True
    names = " | ".join(str(row.get("name", "")) for row in record.interventions)
    if re.search(r"placebo|sham|saline|vehicle", names, _I):  # else all arms list the one product
        for arm in record.arms:
            listed = arm.get("interventionNames")
            if str(arm.get("type", "")).upper() in _CONTROLS and _texts(listed) and products(" ".join(listed or [])):
                return True
    return any(_RESCUE.search(p.text) for p in record.tiers("arm", "summary", "description"))


def host(record: Record, drawn: Extraction, at: datetime.date, tables: Tables) -> Host:
    """The record as a host at a day; nothing is decided here."""
    notes: list[str] = []
    therapy = None
    if drawn["senolytic"]:
        therapy = "senolytic"
    elif drawn["cell_therapy"]:
        kinds = (
            "mesenchymal",
            "stem cells, kind not stated",
            "marrow concentrate",
            "stromal vascular fraction",
            None,
        )
        therapy = "msc" if drawn["cell_type"] in kinds else "other_cells"
    treated, control, more = _arms(record, drawn) if therapy else (float(drawn["n"] or 0), 0.0, [])
    notes += more
    months = drawn["follow_up_months"]
    if therapy and months and control and _cells_later(record):
        notes.append("control participants may get the therapy later: half of the follow-up is counted")
        months = months / 2
    low, high = drawn["age_min"], drawn["age_max"]
    mean_age = ((low if low is not None else 18.0) + (min(high, 90.0) if high is not None else 85.0)) / 2
    disease = _disease(record)
    enrolling, said = _enrolling(record, at, tables("gates", "lag"), months)
    if said:
        notes.append(said)
    return Host(
        record,
        drawn,
        therapy,
        status_at(record, at),
        disease,
        treated,
        control,
        record.text("designModule.designInfo.allocation").upper() == "RANDOMIZED",
        months,
        enrolling,
        People(mean_age, drawn["sex"] or "all", disease),
        max(1, len(record.items("contactsLocationsModule.locations"))),
        tables,
        notes,
    )


def _bias(one: Host) -> dict[str, float]:
    drawn, of = one.drawn, one.tables.section("bias")
    found = {"base": of["base"], one.disease: of[one.disease]}
    if one.therapy != "senolytic":
        way = drawn["systemic"]
        if way is None:
            found["route unstated"] = of["route_unstated"]
        elif not way:
            near = "intra-arterial" in str(drawn["route"]) or "intraportal" in str(drawn["route"])
            found[f"route {drawn['route']}"] = of["route_other" if near else "route_local"]
        if drawn["dose"] is None:
            found["dose not stated"] = of["dose_unknown"]
        elif drawn["dose_flag"]:
            found["dose text implausible"] = of["dose_strange"]
    if drawn["steroids"]:
        found["steroids"] = of["steroids"]
    if abs(one.people.age - 65) > 5:
        found["age"] = of["age_per_decade"] * abs(one.people.age - 65) / 10
    if drawn["sex"] == "male":
        found["men only"] = of["one_sex"]
    if one.months is None:
        found["follow-up not stated"] = of["follow_unknown"]
    elif one.months < 12:
        found["short follow-up"] = of["short"] * math.log2(12 / max(one.months, 1.0))
    return found


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
