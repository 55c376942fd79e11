"""Every parameter acts in the direction that its record claims: a little more of it, and what becomes of an end point."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine.exposure import agent
from osteon.parameters.priors import is_fitted
from osteon.regimen import parse_regimen
from osteon.skeleton import YEAR_DAYS, Osteon
from osteon.units import MONTH_DAYS

MODEL = Osteon()
RECORDS = parameters.load("osteon")
CLAIMS = {ident: r.direction for ident, r in RECORDS.items() if r.direction}
STEP = 0.03  # of the value
# Regimen, month at which the end point is read, age in years; women unless the name says otherwise.
SCENARIOS = {
    "untreated": ("none", 24, 66), "untreated man": ("none", 24, 66), "just after menopause": ("none", 24, 52),
    "young woman": ("none", 120, 26), "young man": ("none", 120, 26),
    "alendronate": ("alendronate 70 mg PO weekly", 24, 66), "zoledronate": ("zoledronate 5 mg IV once", 24, 66),
    "risedronate": ("risedronate 35 mg PO weekly", 24, 66), "ibandronate": ("ibandronate 150 mg PO monthly", 24, 66),
    "alendronate into a vein": ("alendronate 1 mg IV monthly", 24, 66),
    "ibandronate into a vein": ("ibandronate 3 mg IV every 3 months", 24, 66),
    "after alendronate": ("alendronate 70 mg PO weekly for 60 months; then none for 36 months", 96, 66),
    "denosumab": ("denosumab 60 mg SC every 6 months", 24, 66),
    "long denosumab": ("denosumab 60 mg SC every 6 months", 96, 66),
    "after denosumab": ("denosumab 60 mg SC every 6 months for 60 months; then none for 12 months", 69, 66),
    "romosozumab": ("romosozumab 210 mg SC monthly", 12, 66), "blosozumab": ("blosozumab 180 mg SC monthly", 12, 66),
    "romosozumab after alendronate": (
        "alendronate 70 mg PO weekly for 24 months; then romosozumab 210 mg SC monthly for 12 months", 36, 66),
    "start of romosozumab": ("romosozumab 210 mg SC monthly", 0.5, 66),
    "after romosozumab": ("romosozumab 210 mg SC monthly x12; then none for 12 months", 15, 66),
    "teriparatide": ("teriparatide 20 ug SC daily", 18, 66),
    "start of teriparatide": ("teriparatide 20 ug SC daily", 4, 66),
    "teriparatide doubled": ("teriparatide 40 ug SC daily", 18, 66),
    "abaloparatide": ("abaloparatide 80 ug SC daily", 18, 66), "PTH(1-84)": ("PTH(1-84) 100 ug SC daily", 18, 66),
    "estrogen": ("conjugated estrogens 0.625 mg PO daily", 24, 58),
    "estrogen and progestin": (
        "conjugated estrogens 0.625 mg PO daily + medroxyprogesterone 2.5 mg PO daily", 24, 58),
    "estradiol patch": ("estradiol 0.05 mg TD daily", 24, 58), "raloxifene": ("raloxifene 60 mg PO daily", 24, 66),
    "calcium and vitamin D": ("calcium 1200 mg PO daily + vitamin D 800 IU PO daily", 24, 66),
    "exercise": ("exercise every 3.5 days", 8, 66),
    # Ageing: doses as in trials or the records
    "decades untreated": ("none", 240, 50),
    "senolytic": ("dasatinib+quercetin every 28 days", 5, 71),
    "start of a senolytic": ("dasatinib+quercetin once", 0.5, 71),
    "dasatinib alone": ("dasatinib 100 mg PO once", 0.2, 71), "quercetin alone": ("quercetin 1000 mg PO once", 0.2, 71),
    "fisetin": ("fisetin 1400 mg PO daily", 2, 71), "navitoclax": ("navitoclax 150 mg PO daily", 1, 71),
    "JAK inhibitor": ("ruxolitinib 20 mg PO daily", 12, 66),
    "JAK inhibitor in old age": ("ruxolitinib 20 mg PO daily", 6, 80),
    "start of a JAK inhibitor": ("ruxolitinib 20 mg PO daily", 1, 71),
    "rapamycin": ("rapamycin 5 mg PO weekly", 6, 71), "anti-TNF": ("etanercept 25 mg SC every 3.5 days", 6, 71),
    "anti-IL-1": ("anakinra 100 mg SC daily", 6, 71),
    "estrogen stopped under etanercept": (
        "estradiol 0.05 mg TD daily for 3 months; then etanercept 25 mg SC every 3.5 days", 5, 58),
    "estrogen stopped under anakinra": (
        "estradiol 0.05 mg TD daily for 3 months; then anakinra 100 mg SC daily", 5, 58),
    "stem cells": ("msc 1.2e8 cells IV once", 4, 71), "old stem cells": ("msc 1.2e8 cells IV once donor 70 years", 4, 71),
    "stem cells at the site": ("msc 4e7 cells local once", 2, 71), "homing cells": ("homing msc 1.2e8 cells IV once", 2, 71),
    "skeletal stem cells": ("skeletal stem cells 1e7 cells local once", 2, 71),
    "growth hormone": ("growth hormone 1 IU SC daily", 12, 66),
    "DHEA": ("DHEA 50 mg PO daily", 12, 66),
}  # fmt: skip


@functools.cache
def _change(scenario: str) -> dict[str, dict[str, tuple[float, float]]]:
    """By parameter and end point: % change with a little less and a little more of it; all sets in one run."""
    regimen, month, age = SCENARIOS[scenario]
    idents = list(CLAIMS)
    n = 2 * len(idents)
    changes = {ident: np.full(n, RECORDS[ident].value) for ident in idents}
    for i, ident in enumerate(idents):
        for at, sign in ((2 * i, -1), (2 * i + 1, 1)):
            value = RECORDS[ident].value
            limit = 1.0 if RECORDS[ident].prior and RECORDS[ident].prior["scale"] == "logit" else np.inf
            changes[ident][at] = min(value * (1 + sign * STEP), value + (limit - value) * 0.5)
    if scenario.endswith(" man"):
        changes["male"] = np.ones(n)
    people = cohorts.make(MODEL, n, changes=changes, age=float(age))
    days = [0.0, month * MONTH_DAYS]
    courses = list(parse_regimen(regimen).courses(days[-1], year_days=YEAR_DAYS))
    courses = list(MODEL.given(courses, MODEL.parameters(), age))
    kinetics = MODEL.kinetics(MODEL.parameters())
    usual = {kinetics[agent(c, kinetics)].channel for c in courses} <= set(MODEL.usual_channels)
    setup = batch.prepare(MODEL, lambda a, b: people.take(slice(a, b)), n, courses, days,
                          channels=MODEL.usual_channels if usual else range(len(MODEL.channels)))  # fmt: skip
    found = setup.endpoints(people, setup.run(people, setup.grid)[0])
    change = {name: 100 * (x[-1] / x[0] - 1) for name, x in found.items()}
    return {
        ident: {name: (float(x[2 * i]), float(x[2 * i + 1])) for name, x in change.items()}
        for i, ident in enumerate(idents)
    }


@pytest.mark.parametrize("ident", CLAIMS)
def test_direction(ident: str) -> None:
    """As the record says: + or -, end point, scenario."""
    claim = CLAIMS[ident]
    assert claim is not None
    sign, _, rest = claim.partition(" ")
    endpoint, _, scenario = rest.partition(", ")
    assert endpoint in ENDPOINTS
    less, more = _change(scenario)[ident][endpoint]
    assert (more - less) * (1 if sign == "+" else -1) > 0, f"{claim}: {less:.4f} to {more:.4f}"


def test_every_fitted_parameter_claims_a_direction() -> None:
    missing = [ident for ident, r in RECORDS.items() if is_fitted(r) and not r.direction]
    assert not missing
