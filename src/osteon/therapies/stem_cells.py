"""Stem cells: mesenchymal stromal cells (msc), the same made to home to bone, skeletal stem cells.

b, c, l: cells that stay in blood and lung, that home, that are at the site, in units of the reference dose per day;
they are gone within a day or two. What they do then: mechanisms/graft.

Cells are as good as their donor: a dose counts as a share of young cells and the rest as old ones, which do
`graft_aged` of what young cells do; the share falls in a straight line with the donor's age. Without a donor's age,
allogeneic cells are young, cells from umbilical cord, placenta or fetus come from a donor of age 0, and autologous
cells are as old as the person. Autologous marrow cells of someone with bone loss count as old (CEL-A07); those from
fat keep what they can. That an immune system may reject foreign cells is not modelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States
from osteon.regimen import Course

BLOOD, HOMING, SITE = "cells in blood", "cells that home", "cells at the site"
OLD = "aged"
KINDS = ("msc", "homing msc", "skeletal stem cells")


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    return {"cells_blood": u[BLOOD], "cells_homing": u[HOMING], "cells_site": u[SITE]}


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy; "aged": of old donors."""
    lung, site = p.graft_lung_stay, p.graft_site_stay
    gain, local = log(2) / lung / p.graft_dose, log(2) / site / p.graft_dose
    skeletal = p.skeletal_stem_cells_engrafted
    young = {
        "msc": (BLOOD, gain, lung),
        "msc local": (SITE, local, site),
        "homing msc": (HOMING, gain, lung),
        "skeletal stem cells": (SITE, local * skeletal, site),
        "skeletal stem cells IV": (BLOOD, gain * skeletal, lung),
    }
    found: dict[str, tuple[Any, ...]] = dict(young)
    for name, (channel, amount, stay) in young.items():
        kind, sign, route = name.partition(" local")
        if name.endswith(" IV"):
            kind, sign, route = name.removesuffix(" IV"), " IV", ""
        found[f"{kind} {OLD}{sign}{route}"] = (channel, amount * p.graft_aged, stay)
    return found


def given(courses: Iterable[Course], p: Any, age_days: float) -> tuple[Course, ...]:
    """The courses with each one of stem cells as a part from young and a part from old donors; `age_days` is the age
    of the person at month 0."""
    found: list[Course] = []
    for course in courses:
        if course.therapy not in KINDS:
            found.append(course)
            continue
        share = young_share(course, p, age_days)
        for name, part in ((course.therapy, share), (f"{course.therapy} {OLD}", 1.0 - share)):
            if part > 0:
                found.append(replace(course, therapy=name, dose=course.dose * part))
    return tuple(found)


def young_share(course: Course, p: Any, age_days: float) -> float:
    """What share of a dose counts as young cells."""
    if course.donor_days is not None:
        donor = course.donor_days
    elif course.autologous:
        donor = p.old_age * 365.25 if course.source in (None, "marrow") else age_days + course.start
    elif course.source in ("umbilical cord", "placenta", "fetal"):
        donor = 0.0
    else:
        donor = p.adult_age * 365.25
    young, old = p.adult_age * 365.25, p.old_age * 365.25
    return float(min(1.0, max(0.0, (old - donor) / (old - young))))


MECHANISM = Mechanism(
    "stem cells", neutral={"cells_blood": 0.0, "cells_homing": 0.0, "cells_site": 0.0},
    channels=(BLOOD, HOMING, SITE), signals=signals, kinetics=kinetics,
)  # fmt: skip
