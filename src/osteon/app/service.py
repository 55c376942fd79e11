"""What page and API both ask for: one function for each question, numbers in plain dicts."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from osteon import parameters, tscores, uncertainty
from osteon.app import chances, quick, words
from osteon.app.plan import Plan, parsed
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError
from osteon.person import Person
from osteon.therapies import catalogue
from osteon.units import MONTH_DAYS

NOTICE = "osteon is a research tool, not medical advice."
DRAWS = 63  # a round number of the kernel's lanes with the most probable parameters before them
FINE_YEARS = 4.0  # up to which curves have a point every half month
BMD = ("lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd")
MARKERS = ("p1np", "ctx")
SHOWN = (*BMD, "p1np", "ctx", "senescent_burden", "inflammation", "progenitors", "trabecular_bone_volume",
         "cortical_bone_volume", *quick.BALANCE)  # fmt: skip
DRAWN_UNTREATED = (*BMD, *MARKERS, *(name for name in quick.BALANCE if not name.startswith("gain")))
"""What the page draws while a slider moves; of markers their change alone."""


def months_of(years: float) -> np.ndarray:
    """Months at which curves have points: 0 to the end, at most 241 of them."""
    step = 0.5 if years <= FINE_YEARS else 1.0
    end = years * 12
    found = np.arange(math.floor(end / step + 1e-9) + 1) * step
    return found if end - found[-1] < 1e-9 else np.append(found, end)


def courses(plan: Plan, *, draws: int = 0, lean: bool = False) -> dict[str, Any]:
    """What a plan does: curves of its person with and without the treatments.

    With `draws`, every curve has the 5 and 95 % of so many draws of the parameters. Keys: `months`; `plan` and
    `untreated`, each with `series` and `t_score` (by name `value` and, with draws, `lower` and `upper`; BMD in g/cm2,
    the rest relative to youth or the usual) and `pct`, the change from month 0 in %; `summary` at the last month,
    `words`, `evidence` and, with draws, `fractures`: chances in % of `plan` and `untreated` (None: nothing can be
    said). `lean` leaves out what the page does not draw. Raises InputError.
    """
    months = months_of(plan.years)
    treated, untreated = _both(_key(plan), plan.regimen, plan.years, draws, lean)
    grades = {t.therapy: catalogue.get(t.therapy) for t in plan.treatments}
    summary = {name: _last(treated, untreated, name) for name in (*BMD, "p1np", "ctx")}
    return {
        "months": months.tolist(),
        "regimen": plan.regimen,
        "plan": treated,
        "untreated": untreated,
        "summary": summary,
        "words": words.of_plan(plan, treated, untreated),
        "evidence": {name: {"grade": t.evidence, "why": t.evidence_why} for name, t in grades.items()},
        "draws": draws,
        "fractures": {"plan": treated["chances"], "untreated": untreated["chances"]} if treated["chances"] else None,
        "model": _title(),
        "notice": NOTICE,
    }


def person(plan: Plan, *, draws: int = 0) -> dict[str, Any]:
    """What is usual for the person at month 0: T-scores, age at menopause, weight (kg). With the `draws` of what
    is asked for as well, nothing is run twice."""
    values, _ = _values(_key(plan.model_copy(update={"t_score": {}})), plan.regimen, plan.years, draws)
    known = tscores.references()
    usual = {
        site: (values[f"{site}_bmd"][0, 0] - mean) / sd for site, (mean, sd) in known.items() if f"{site}_bmd" in BMD
    }
    best = quick.model().parameters()
    return {
        "t_score": {site: round(float(value), 4) for site, value in usual.items()},
        "menopause_age": best.menopause_age,
        "weight_kg": parameters.load("osteon")["reference_weight"].value,
    }


@functools.cache
def _title() -> str:
    return quick.model().title


def _key(plan: Plan) -> str:
    return plan.person.model_dump_json()


@functools.lru_cache(128)
def _both(person: str, regimen: str, years: float, draws: int, lean: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Curves of a person (as JSON) under a regimen and without; kept, since of two plans one mostly stays."""
    one = Person.model_validate_json(person)
    plain = one.model_copy(update={"t_score": None}).model_dump_json()  # T-scores only set the scale
    treated, untreated = _values(plain, regimen, years, draws)
    found = _course(one, regimen, years, treated, draws, SHOWN, lean)
    if untreated is treated:
        return found, found
    return found, _course(one, "none", years, untreated, draws, DRAWN_UNTREATED if lean else SHOWN, lean)


def _course(
    one: Person,
    regimen: str,
    years: float,
    values: dict[str, np.ndarray],
    draws: int,
    wanted: Sequence[str],
    lean: bool,
) -> dict[str, Any]:
    scaled = tscores.scale({name: x[:, None, None, :] for name, x in values.items()}, one.t_score)
    values = {name: x[:, 0, 0, :] for name, x in scaled.items()}
    told = {("series", name): values[name] for name in wanted if not (lean and name in MARKERS)}
    changed = [name for name in wanted if name in ((*BMD, *MARKERS) if lean else ENDPOINTS)]
    told |= {("pct", name): 100 * (values[name] / values[name][:, :1] - 1) for name in changed}
    for site, (mean, sd) in tscores.references().items():
        if f"{site}_bmd" in values:
            told["t_score", site] = (values[f"{site}_bmd"] - mean) / sd
    chance = chances.of_course(one, months_of(years), values) if draws else None
    told |= {("chances", name): x for name, x in (chance or {}).items()}
    found: dict[str, Any] = {"regimen": regimen, "series": {}, "pct": {}, "t_score": {}, "chances": {}}
    for (kind, name), band in zip(told, _bands(np.array(list(told.values()))), strict=True):
        found[kind][name] = band
    return found | {"chances": found["chances"] or None}


@functools.lru_cache(128)
def _values(person: str, regimen: str, years: float, draws: int) -> tuple[dict[str, np.ndarray], ...]:
    """What is shown [draw, month] of a person without T-scores, under the regimen and without (the very same where
    that is the same); draws that failed are left out."""
    one = Person.model_validate_json(person)
    treated, untreated = quick.both(one, parsed(regimen), months_of(years) * MONTH_DAYS, draws)
    found = _whole(treated)
    return found, found if untreated is treated else _whole(untreated)


def _whole(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values = {name: values[name] for name in SHOWN}
    fine = np.isfinite(np.array(list(values.values()))).all(axis=(0, 2))
    if not fine[0]:
        raise InputError("this plan cannot be computed; a smaller dose or fewer treatments at a time may help")
    return values if fine.all() else {name: x[fine] for name, x in values.items()}


def _bands(x: np.ndarray) -> list[dict[str, list[float]]]:
    """The curves of the most probable parameters (`value`), and 5 and 95 % of the others (`lower`, `upper`), of
    values [what, draw, month]."""
    curves = {"value": x[:, 0]}
    if x.shape[1] > 2:
        low, high = np.quantile(x[:, 1:], (uncertainty.LOWER, uncertainty.UPPER), axis=1)
        curves |= {"lower": np.minimum(low, x[:, 0]), "upper": np.maximum(high, x[:, 0])}
    names, plain = list(curves), _plain(np.stack(list(curves.values()), axis=1))
    return [dict(zip(names, rows, strict=True)) for rows in plain]


def _plain(x: np.ndarray) -> list[Any]:
    """Five digits: what a curve needs, and no more on its way to the page."""
    with np.errstate(divide="ignore"):
        scale = 10.0 ** (4.0 - np.clip(np.floor(np.log10(np.abs(x))), -12, 12))
    found: list[Any] = (np.round(x * scale) / scale + 0.0).tolist()
    return found


def _last(treated: dict[str, Any], untreated: dict[str, Any], name: str) -> dict[str, Any]:
    """The change in % at the last month, with the plan and without."""
    own, usual = treated["pct"][name], untreated["pct"][name]
    found = {"label": ENDPOINTS[name].label, "value": own["value"][-1], "untreated": usual["value"][-1]}
    if "lower" in own:
        found |= {"lower": own["lower"][-1], "upper": own["upper"][-1]}
    return found
