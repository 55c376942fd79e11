"""Experiments in mice that the model must give the direction of, by the id of their row in the table of ageing biology.

Each over draws: of the human fit where a record is shared, of priors elsewhere. A direction holds when nine of ten draws
have it. The priors were committed before these tests were first run; what was changed after is told in
docs/models/ageing.md. SEN-A01 is no test any more: the draws were conditioned on it (osteon.fit.mouse), and its claims
say that they were. Run as a program, this file prints the shares.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from osteon import draws
from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.mechanisms import COMPARTMENTS, remodelling
from osteon.regimen import parse_regimen
from osteon.skeleton import OsteonMouse
from osteon.units import MONTH_DAYS

N = 60
SHARE = 0.9
LITTLE = 1 / 3  # of the effect beside which another one is about nothing
SEEN = [f"{cells}_{k}" for cells in ("osteoclasts", "osteoblasts") for k in COMPARTMENTS]
MODEL = OsteonMouse()
P = MODEL.parameters()
DRAWS = [
    dict(zip(picked, row, strict=True))
    for picked in [draws.pick(MODEL, N)]
    for row in zip(*picked.values(), strict=True)
]


def change(age, months, *regimens, **values):
    """% change by end point [draw] under each regimen from `age` (months) on."""
    return _change(age, months, regimens, tuple(sorted(values.items())))


@functools.cache
def _change(age, months, regimens, values):
    found = []
    for text in regimens:
        courses = MODEL.given(parse_regimen(text).courses(months * MONTH_DAYS, weight_kg=0.03), P, age)
        rows = [_one(age, months, courses, {**draw, **dict(values)}) for draw in DRAWS]
        found.append({name: np.array([row[name] for row in rows]) for name in rows[0]})
    return found


def _one(age, months, courses, draw):
    p, now = MODEL.parameters(**draw), age * MONTH_DAYS
    own = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in courses]
    exposure = Exposure(own, MODEL.kinetics(p), len(MODEL.channels))
    x = exact.solve(MODEL, p, exposure, [now, now + months * MONTH_DAYS], rtol=1e-6, atol=1e-8).T
    states = dict(zip(MODEL.states, x, strict=True))
    seen = {name: states[name] for name in SEEN} | MODEL.observe(x, p)
    seen |= {f"formation_{k}": remodelling.formation(states, p, k) for k in COMPARTMENTS}
    return {name: 100 * (v[1] / v[0] - 1) for name, v in seen.items()}


def share(truths):
    return float(np.mean(truths))


CLEARED = "clearance {} every 14 days x8"


def aged():
    """From 20 to 24 months: untreated, and with senescent cells cleared everywhere, in osteocytes, elsewhere."""
    return change(20, 4, "none", *(CLEARED.format(w) for w in ("systemic", "osteocyte", "osteocyte-sparing")))


def drugged():
    return change(20, 4, "none", "dasatinib 5 mg/kg + quercetin 50 mg/kg PO every month x4")


def effect(arms, endpoint, arm=1):
    return arms[arm][endpoint] - arms[0][endpoint]


def rescue():
    """What clearing saves of what ovariectomy takes at 4 months, within 2 months."""
    sham, lost, cleared = change(
        4, 2, "none", "ovariectomy once", "ovariectomy once + clearance systemic every 14 days x4"
    )
    e = "trabecular_bone_volume"
    return (cleared[e] - lost[e]) / (sham[e] - lost[e])


def thymus():
    """What a thymectomy saves of it, within a month at 3 months."""
    sham, lost, saved = change(3, 1, "none", "ovariectomy once", "ovariectomy once + thymectomy once")
    e = "trabecular_bone_volume"
    return (saved[e] - lost[e]) / (sham[e] - lost[e])


def rankl():
    """From 8 to 24 months, with and without RANKL of osteocytes."""
    return change(8, 16, "none")[0], change(8, 16, "none", osteocyte_rankl=0.0)[0]


def toxic():
    return change(24, 0.5, "none", "navitoclax 50 mg/kg PO daily for 14 days")


def grafted():
    """A mouse that lacks progenitors by a gene: one dose of cells, six months."""
    return change(4, 6, "none", "msc 1e6 cells IV once donor 2 months", progenitor_host=0.3)


def kept_cortical():
    usual, without = rankl()
    return without["cortical_bone_volume"] > usual["cortical_bone_volume"]


def kept_cortical_rather():
    """Of what is lost otherwise, more is kept of cortical bone."""
    usual, without = rankl()
    left = {e: without[e] / usual[e] for e in ("cortical_bone_volume", "trabecular_bone_volume")}
    return left["cortical_bone_volume"] < left["trabecular_bone_volume"]


def lost_trabecular():
    usual, without = rankl()
    e = "trabecular_bone_volume"
    return (without[e] < 0) & (without[e] < 0.5 * usual[e])


def about_nothing(arm, endpoint):
    arms = aged()
    return np.abs(effect(arms, endpoint, arm)) < LITTLE * np.abs(effect(arms, endpoint, 1))


CLAIMS = {
    "SEN-A01 fewer osteoclasts": lambda: effect(aged(), "osteoclasts_trabecular") < 0,
    "SEN-A01 more trabecular bone": lambda: effect(aged(), "trabecular_bone_volume") > 0,
    "SEN-A01 trabecular formation kept": lambda: np.abs(effect(aged(), "formation_trabecular")) < 10,
    "SEN-A01 rather than endocortical": lambda: (
        np.abs(effect(aged(), "formation_trabecular")) < np.abs(effect(aged(), "formation_cortical"))
    ),
    "SEN-A01 endocortical formation up": lambda: effect(aged(), "formation_cortical") > 0,
    "SEN-A02 fewer osteoclasts": lambda: effect(drugged(), "osteoclasts_trabecular") < 0,
    "SEN-A02 osteoblasts kept": lambda: np.abs(effect(drugged(), "osteoblasts_trabecular")) < 10,
    "SEN-A02 more trabecular bone": lambda: effect(drugged(), "trabecular_bone_volume") > 0,
    "SEN-A02 more cortical bone": lambda: effect(drugged(), "cortical_bone_volume") > 0,
    "SEN-A03 more bone at the spine": lambda: effect(aged(), "trabecular_bone_volume", 2) > 0,
    "SEN-A03 formation up": lambda: effect(aged(), "formation_trabecular", 2) > 0,
    "SEN-A03 osteoclasts kept": lambda: about_nothing(2, "osteoclasts_trabecular"),
    "SEN-A03 osteoclasts within 10 %": lambda: np.abs(effect(aged(), "osteoclasts_trabecular", 2)) < 10,
    "SEN-A07 no rescue": lambda: np.abs(rescue()) < 0.2,
    "SEN-A09 trabecular bone as untreated": lambda: about_nothing(3, "trabecular_bone_volume"),
    "SEN-A09 cortical bone as untreated": lambda: about_nothing(3, "cortical_bone_volume"),
    "SEN-A10 cortical bone kept": kept_cortical,
    "SEN-A10 rather than trabecular": kept_cortical_rather,
    "SEN-A10 trabecular bone lost": lost_trabecular,
    "SEN-A11 navitoclax loses bone": lambda: effect(toxic(), "trabecular_bone_volume") < 0,
    "THY-A03 thymectomy lessens the loss": lambda: thymus() > 0,
    "CEL-A01 one graft gives trabecular bone": lambda: effect(grafted(), "trabecular_bone_volume") > 0,
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_direction(claim: str) -> None:
    """The share of draws that have it."""
    found = share(CLAIMS[claim]())
    assert found >= SHARE, f"{claim}: {found:.2f} of draws"


if __name__ == "__main__":
    for name, of in CLAIMS.items():
        print(f"{share(of()):.2f}  {name}", flush=True)
