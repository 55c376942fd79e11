"""The skeleton: mechanisms put together to a model that the engines run, with sites as mixtures of two kinds of bone.

BMD of a site = w · (V m)_trabecular + (1 - w) · (V m)_cortical, each relative to youth, times the site's peak
CTX = R^qC    P1NP = F^qF    BSAP = F^qB            R, F of the whole skeleton relative to youth
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf, isfinite
from typing import Any

from osteon import parameters
from osteon.engine.exposure import Kinetics
from osteon.errors import InputError, nearest
from osteon.mechanisms import (
    COMPARTMENTS,
    Mechanism,
    above,
    ageing,
    degeneration,
    estrogen,
    graft,
    inflammation,
    mineral,
    osteoblasts,
    osteoclasts,
    progenitors,
    remodelling,
    sclerostin,
    senescence,
)
from osteon.regimen import Course
from osteon.therapies import (
    bisphosphonates,
    hormones,
    immune,
    loading,
    mouse,
    pth_analogues,
    rankl_antibody,
    sasp_blockers,
    sclerostin_antibody,
    senolytics,
    stem_cells,
    supplements,
)
from osteon.units import MONTH_DAYS

YEAR_DAYS = 365.25
BIRTH_OF_LIFE = 20.0  # age in years at which every life begins, at peak and in a steady state
PEAK_AGE = 25.0  # to which peak BMD refers: the middle of the youngest decade of NHANES
BIRTH_OF_MICE, PEAK_OF_MICE = 2.0, 4.0  # months
# Therapies first, since they signal to the processes; each may use the signals of those before it.
ALL = (
    hormones.MECHANISM, sclerostin_antibody.MECHANISM, rankl_antibody.MECHANISM, pth_analogues.MECHANISM,
    bisphosphonates.MECHANISM, supplements.MECHANISM, loading.MECHANISM, senolytics.MECHANISM,
    sasp_blockers.MECHANISM, stem_cells.MECHANISM, immune.MECHANISM, estrogen.MECHANISM, ageing.MECHANISM,
    senescence.MECHANISM, graft.MECHANISM, inflammation.MECHANISM, progenitors.MECHANISM, sclerostin.MECHANISM,
    remodelling.MECHANISM, osteoblasts.MECHANISM, osteoclasts.MECHANISM, mineral.MECHANISM, degeneration.MECHANISM,
)  # fmt: skip
OF_MICE = (mouse.MECHANISM,)  # what only mice get; after the senolytics, with which it shares signals
RARE = (
    senolytics.MECHANISM, sasp_blockers.MECHANISM, stem_cells.MECHANISM, immune.MECHANISM, mouse.MECHANISM,
)  # fmt: skip
"""Therapies that few runs have: kernels for today's drugs leave their channels out."""
EXPLORED = {
    "senescent_burden": ("senescence",), "inflammation": ("inflammation",), "progenitors": ("progenitors",),
    "graft": ("graft", "progenitors"),
}  # fmt: skip
"""End points of ageing, and the mechanisms that they rest on."""
NEEDED = ("remodelling", "osteoblasts", "osteoclasts")
SITES = {
    "lumbar_spine_bmd": "spine", "total_hip_bmd": "hip", "femoral_neck_bmd": "neck",
    "distal_third_radius_bmd": "third_radius", "ultradistal_radius_bmd": "ultradistal_radius",
}  # fmt: skip


class Osteon:
    """osteon's own model. `without` names mechanisms to leave out ("ageing": all of ageing, see mechanisms/ageing);
    `values` stand in place of the records' by id (as of another fit); a person's own features go before them. Values
    must lie in the bounds of their records, or among the shipped draws where these reach further; a fit on its way
    may go beyond (`bounded` False)."""

    name = "osteon"
    citations: tuple[str, ...] = ()
    composed = True
    """Of many parts, so that the reference integrator had better take its traced form."""
    year_days = YEAR_DAYS
    age_days = YEAR_DAYS
    birth_days, peak_days = BIRTH_OF_LIFE * YEAR_DAYS, PEAK_AGE * YEAR_DAYS
    species: tuple[str, ...] = ("human",)
    age_range = (BIRTH_OF_LIFE, 100.0)
    uses = frozenset(
        {
            "age",
            "sex",
            "years_since_menopause",
            "t_score",
            "weight_kg",
            "senescent_burden",
            "prior_vertebral_fracture",
        }
    )  # the last for its fractures alone
    parts: tuple[Mechanism, ...] = ALL
    absent: tuple[Mechanism, ...] = OF_MICE
    sites: Mapping[str, str] = SITES
    bmd_units = "g/cm2"

    def __init__(
        self, without: Collection[str] = (), values: Mapping[str, float] | None = None, *, bounded: bool = True
    ) -> None:
        names = [m.name for m in self.parts]
        for name in without:
            if name not in names:
                raise InputError(
                    f"there is no mechanism {name!r}{nearest(name, names)}; there are {', '.join(names)}"
                )
            if name in NEEDED:
                raise InputError(f"{name} cannot be left out: nothing would be left of bone")
        left = set(without)
        if "ageing" in left or left >= {"senescence", "inflammation", "progenitors"}:
            left |= set(ageing.GROUP)
        self.without = tuple(sorted(left))
        self.values = {ident: float(value) for ident, value in (values or {}).items()}
        for ident, value in self.values.items():
            low, high = _limits(self.name, ident)
            if not isfinite(value):
                raise InputError(f"the value of {ident} must be a finite number, not {value}")
            if bounded and not low <= value <= high:
                unit = parameters.load(self.name)[ident].units
                raise InputError(
                    f"the value of {ident} must lie from {low:g} to {high:g}{'' if unit == '1' else ' ' + unit}, "
                    f"not {value:g}; `osteon params show {ident}` tells more"
                )
        self._left_out = [*self.absent, *(m for m in self.parts if m.name in self.without)]
        self._mechanisms = [m for m in self.parts if m.name not in self.without]
        self._initial: dict[str, Any] = {}
        for mechanism in self._mechanisms:
            self._initial |= dict(mechanism.states)
        self.states: tuple[str, ...] = tuple(self._initial)
        self.channels: tuple[str, ...] = tuple(c for m in self._mechanisms for c in m.channels)
        self.usual_channels: tuple[int, ...] = tuple(
            i for i, c in enumerate(self.channels) if any(c in m.channels for m in self._mechanisms if m not in RARE)
        )
        self.endpoints: Mapping[str, str] = {
            **dict.fromkeys(self.sites, self.bmd_units), **dict.fromkeys(("p1np", "ctx", "bsap"), "1"),
            **{f"{k}_bone_volume": "1" for k in COMPARTMENTS}, "formation": "1", "resorption": "1",
            **{name: "1" for name, of in EXPLORED.items() if not {*of, "ageing"} & set(self.without)},
        }  # fmt: skip

    @property
    def title(self) -> str:
        """What it is, and which fit of it is shipped."""
        return f"osteon's own model, fit {self.parameter_hash}"

    @property
    def parameter_hash(self) -> str:
        """Short content hash of all records, and of the values in their place."""
        records = parameters.load(self.name).hash
        return parameters.digest({"records": records, "values": self.values}) if self.values else records

    def parameters(self, **changes: float) -> Any:
        """Parameter values as a named tuple."""
        return parameters.load(self.name).values_tuple(**{**self.values, **changes})

    def traits(self, person: Any) -> dict[str, float]:
        """What a person's features make of parameters: sex, and the age at menopause where it is known."""
        changes = {"male": 1.0} if person.sex == "male" else {}
        if person.senescent_burden is not None:
            changes["senescent_burden"] = person.senescent_burden
        if person.sex == "female" and person.years_since_menopause is not None:
            changes["menopause_age"] = person.age - person.years_since_menopause
        if person.weight_kg is not None and person.species == "human":
            records = parameters.load(self.name)
            relative = person.weight_kg / records["reference_weight"].value
            changes["body_size"] = relative ** records["size_exponent"].value
        return changes

    def of_person(self, person: Any) -> Any:
        """Parameters of a person."""
        return self.parameters(**self.traits(person))

    def kinetics(self, p: Any) -> dict[str, Kinetics]:
        """How each therapy drives its channel."""
        return {
            therapy: Kinetics(self.channels.index(channel), gain, half_life)
            for mechanism in self._mechanisms
            for therapy, (channel, gain, half_life) in mechanism.kinetics(p).items()
        }

    def start(self, p: Any) -> tuple[float, list[Any]]:
        """Youth: every cell state 1, nothing in the bone, and a surplus of cortical bone left by growth."""
        values = dict(self._initial)
        if "senescent_usual" in values:
            values["senescent_usual"] = ageing.steady(p, self.birth_days)
        if "burden_more" in values:
            values["burden_more"], values["burden_less"] = (
                above(p.senescent_burden - 1.0),
                above(1.0 - p.senescent_burden),
            )
            values["estrogen_senescence"] = p.estrogen_senescence
        if "progenitors_less" in values:
            values["progenitors_less"] = above(1.0 - p.progenitor_host)
        values["volume_cortical"] = 1.0 + p.growth_surplus
        values["volume_trabecular"] = 1.0 + p.growth_surplus_trabecular
        for k in COMPARTMENTS:
            if f"mineral_{k}" in values:
                values[f"mineral_{k}"] = mineral.steady(p, k)
        return self.birth_days, list(values.values())

    def given(self, courses: Sequence[Course], p: Any, age: float) -> tuple[Course, ...]:
        """The courses as the model takes them, of a person of that age at month 0: stem cells by their donor."""
        return stem_cells.given(courses, p, age * self.age_days)

    def rebalance(self, p: Any) -> dict[str, Any]:
        """Nothing to do: youth is a steady state whatever the parameters."""
        return {}

    def kinks(self, p: Any) -> tuple[Any, ...]:
        """When the rates have a kink (d since birth)."""
        found: list[Any] = []
        for kink in (k for mechanism in self._mechanisms for k in mechanism.kinks(p)):
            if not any(isinstance(kink, float) and isinstance(k, float) and kink == k for k in found):
                found.append(kink)
        return tuple(found)

    def rates(self, x: Sequence[Any], exposure: Sequence[Any], t: Any, p: Any) -> tuple[list[Any], list[Any]]:
        """Production and loss of each state, from all mechanisms."""
        states, u = dict(zip(self.states, x, strict=True)), dict(zip(self.channels, exposure, strict=True))
        signals: dict[str, Any] = {}
        for mechanism in self._left_out:
            signals |= mechanism.neutral
        for mechanism in self._mechanisms:
            signals |= mechanism.signals(states, u, t, p, signals)
        signals |= skeletal(states, p)
        found: dict[str, tuple[Any, Any]] = {}
        for mechanism in self._mechanisms:
            found |= mechanism.rates(states, u, t, p, signals)
        return [found[name][0] for name in self.states], [found[name][1] for name in self.states]

    def observe(self, x: Any, p: Any) -> dict[str, Any]:
        """BMD by site, volumes, and turnover of the whole skeleton, relative to youth."""
        states = dict(zip(self.states, x, strict=True))
        mass = {k: states[f"volume_{k}"] * states.get(f"mineral_{k}", 1.0) for k in COMPARTMENTS}
        young = {k: mineral.steady(p, k) if f"mineral_{k}" in states else 1.0 for k in COMPARTMENTS}
        grown = (self.peak_days - self.birth_days) / YEAR_DAYS
        young["cortical"] = young["cortical"] * (1.0 + remodelling.surplus_left(p, grown))
        found: dict[str, Any] = {}
        for endpoint, site in self.sites.items():
            share = getattr(p, f"trabecular_share_{site}")
            mixed = (
                share * mass["trabecular"] / young["trabecular"]
                + (1.0 - share) * mass["cortical"] / young["cortical"]
            )
            peak, peak_men = getattr(p, f"peak_{site}"), getattr(p, f"peak_{site}_men")
            found[endpoint] = (peak + p.male * (peak_men - peak)) * mixed
        found["lumbar_spine_bmd"] = found["lumbar_spine_bmd"] * (1.0 + states.get("degeneration", 0.0))
        turnover = skeletal(states, p)
        found |= {f"{k}_bone_volume": states[f"volume_{k}"] for k in COMPARTMENTS}
        found |= {"formation": turnover["skeletal_formation"], "resorption": turnover["skeletal_resorption"]}
        return found | {name: self._explored(name, states, p) for name in EXPLORED if name in self.endpoints}

    def _explored(self, name: str, x: Mapping[str, Any], p: Any) -> Any:
        """An end point of ageing, relative to the usual at old age (cells) or to youth (the others)."""
        if name == "senescent_burden":
            return (senescence.cells(x, p, "bone") + senescence.cells(x, p, "systemic")) / 2
        if name == "inflammation":
            usual = ageing.inflammation(x, p)
            return 1.0 + usual + inflammation.change(x, usual)
        if name == "progenitors":
            return ageing.progenitors(x, p) * progenitors.relative(x)
        return 1.0 + x["graft"] / (ageing.progenitors(x, p) * progenitors.relative(x) + 1e-12)

    def derive(self, observed: Mapping[str, Any], p: Any) -> dict[str, Any]:
        """The end points, markers among them."""
        formation, resorption = observed["formation"], observed["resorption"]
        markers = {
            "p1np": formation**p.p1np_exponent,
            "ctx": resorption**p.ctx_exponent,
            "bsap": formation**p.bsap_exponent,
        }
        every = {**observed, **markers}
        return {name: every[name] for name in self.endpoints}

    def read_out(self, x: Any, p: Any) -> dict[str, Any]:
        """End points from the states."""
        return self.derive(self.observe(x, p), p)


def _limits(name: str, ident: str) -> tuple[float, float]:
    """What a parameter may be: the bounds of its record, and what is in the shipped draws."""
    bounds = parameters.load(name)[ident].bounds or (-inf, inf)
    drawn = parameters.draws(name).get(ident, bounds)
    return min(bounds[0], float(min(drawn))), max(bounds[1], float(max(drawn)))


def skeletal(states: Mapping[str, Any], p: Any) -> dict[str, Any]:
    """Formation and resorption of the whole skeleton, relative to youth: compartments by volume and turnover."""
    weight = {
        "trabecular": p.skeleton_trabecular * p.turnover_trabecular,
        "cortical": (1.0 - p.skeleton_trabecular) * p.turnover_cortical,
    }
    whole = weight["trabecular"] + weight["cortical"]
    found = {}
    for name, of in (("formation", remodelling.formation), ("resorption", remodelling.resorption)):
        total = sum(weight[k] * of(states, p, k) for k in COMPARTMENTS)
        found[f"skeletal_{name}"] = total / whole
    return found


def mechanisms() -> dict[str, Mechanism]:
    """All mechanisms by name, in their order."""
    return {m.name: m for m in ALL}


class OsteonMouse(Osteon):
    """The same equations with the records of mice: ages in months, from 2 to 30; no menopause; the experiments of
    therapies/mouse. BMD is relative to that at the peak."""

    name = "osteon_mouse"
    age_days = MONTH_DAYS
    birth_days, peak_days = BIRTH_OF_MICE * MONTH_DAYS, PEAK_OF_MICE * MONTH_DAYS
    species: tuple[str, ...] = ("mouse",)
    age_range = (BIRTH_OF_MICE, 30.0)
    uses = frozenset({"age", "sex", "weight_kg", "senescent_burden"})
    parts = (*ALL[: ALL.index(senolytics.MECHANISM) + 1], *OF_MICE, *ALL[ALL.index(senolytics.MECHANISM) + 1 :])
    absent = ()
    sites: Mapping[str, str] = {name: SITES[name] for name in ("lumbar_spine_bmd", "total_hip_bmd")}
    bmd_units = "1"
    usual_weight_kg = 0.03
