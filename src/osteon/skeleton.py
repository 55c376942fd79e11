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
    degeneration,
    estrogen,
    mineral,
    osteoblasts,
    osteoclasts,
    remodelling,
    sclerostin,
)
from osteon.therapies import (
    bisphosphonates,
    hormones,
    loading,
    pth_analogues,
    rankl_antibody,
    sclerostin_antibody,
    supplements,
)

YEAR_DAYS = 365.25
BIRTH_OF_LIFE = 20.0  # age in years at which every life begins, at peak and in a steady state
PEAK_AGE = 25.0  # to which peak BMD refers: the middle of the youngest decade of NHANES
# Therapies first, since they signal to the processes; each may use the signals of those before it.
ALL = (
    hormones.MECHANISM, sclerostin_antibody.MECHANISM, rankl_antibody.MECHANISM, pth_analogues.MECHANISM,
    bisphosphonates.MECHANISM, supplements.MECHANISM, loading.MECHANISM, estrogen.MECHANISM, sclerostin.MECHANISM,
    remodelling.MECHANISM, osteoblasts.MECHANISM, osteoclasts.MECHANISM, mineral.MECHANISM, degeneration.MECHANISM,
)  # fmt: skip
NEEDED = ("remodelling", "osteoblasts", "osteoclasts")
SITES = {
    "lumbar_spine_bmd": "spine", "total_hip_bmd": "hip", "femoral_neck_bmd": "neck",
    "distal_third_radius_bmd": "third_radius", "ultradistal_radius_bmd": "ultradistal_radius",
}  # fmt: skip


class Osteon:
    """osteon's own model. `without` names mechanisms to leave out; `values` stand in place of the records' by id (as
    of another fit); a person's own features go before them. Values must lie in the bounds of their records, or among
    the shipped draws where these reach further; a fit on its way may go beyond (`bounded` False)."""

    name = "osteon"
    citations: tuple[str, ...] = ()
    composed = True
    """Of many parts, so that the reference integrator had better take its traced form."""
    year_days = YEAR_DAYS
    species: tuple[str, ...] = ("human",)
    age_range = (20.0, 100.0)
    uses = frozenset({"age", "sex", "years_since_menopause", "t_score", "weight_kg"})
    endpoints: Mapping[str, str] = {
        **dict.fromkeys(SITES, "g/cm2"), "p1np": "1", "ctx": "1", "bsap": "1", "trabecular_bone_volume": "1",
        "cortical_bone_volume": "1", "formation": "1", "resorption": "1",
    }  # fmt: skip

    def __init__(
        self, without: Collection[str] = (), values: Mapping[str, float] | None = None, *, bounded: bool = True
    ) -> None:
        names = [m.name for m in ALL]
        for name in without:
            if name not in names:
                raise InputError(
                    f"there is no mechanism {name!r}{nearest(name, names)}; there are {', '.join(names)}"
                )
            if name in NEEDED:
                raise InputError(f"{name} cannot be left out: nothing would be left of bone")
        self.without = tuple(sorted(set(without)))
        self.values = {ident: float(value) for ident, value in (values or {}).items()}
        for ident, value in self.values.items():
            low, high = _limits(ident)
            if not isfinite(value):
                raise InputError(f"the value of {ident} must be a finite number, not {value}")
            if bounded and not low <= value <= high:
                unit = parameters.load(self.name)[ident].units
                raise InputError(
                    f"the value of {ident} must lie from {low:g} to {high:g}{'' if unit == '1' else ' ' + unit}, "
                    f"not {value:g}; `osteon params show {ident}` tells more"
                )
        self._left_out = [m for m in ALL if m.name in self.without]
        self._mechanisms = [m for m in ALL if m.name not in self.without]
        self._initial: dict[str, Any] = {}
        for mechanism in self._mechanisms:
            self._initial |= dict(mechanism.states)
        self.states: tuple[str, ...] = tuple(self._initial)
        self.channels: tuple[str, ...] = tuple(c for m in self._mechanisms for c in m.channels)

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
        if person.sex == "female" and person.years_since_menopause is not None:
            changes["menopause_age"] = person.age - person.years_since_menopause
        if person.weight_kg is not None:
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
        """Youth, at 20: every cell state 1, nothing in the bone, and a surplus of cortical bone left by growth."""
        values = dict(self._initial)
        values["volume_cortical"] = 1.0 + p.growth_surplus
        for k in COMPARTMENTS:
            if f"mineral_{k}" in values:
                values[f"mineral_{k}"] = mineral.steady(p, k)
        return BIRTH_OF_LIFE * YEAR_DAYS, list(values.values())

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
        young["cortical"] = young["cortical"] * (1.0 + remodelling.surplus_left(p, PEAK_AGE - BIRTH_OF_LIFE))
        found: dict[str, Any] = {}
        for endpoint, site in SITES.items():
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
        return found | {
            "formation": turnover["skeletal_formation"], "resorption": turnover["skeletal_resorption"],
        }  # fmt: skip

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


def _limits(ident: str) -> tuple[float, float]:
    """What a parameter may be: the bounds of its record, and what is in the shipped draws."""
    bounds = parameters.load(Osteon.name)[ident].bounds or (-inf, inf)
    drawn = parameters.draws(Osteon.name).get(ident, bounds)
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
