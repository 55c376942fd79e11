"""The analysis that a study file asks for."""

import numpy as np
import pandas as pd
import pytest

from osteon.trial import measure
from osteon.trial.analyse.ancova import ancova_many
from osteon.trial.analyse.plan import COLUMNS, analyse, plan_of
from osteon.trial.settings import EXACT
from trial_made_up import study, true_values


def findings(effect=3.0, n=300, events=None, **more):
    of = study(n=n, **more)
    seen = measure.observe(true_values(of, effect=effect, twins=False), of, 1)
    return of, seen, analyse(seen, of, 1, events)


def row(found, arm, endpoint, month, statistic):
    t = found.table
    (one,) = t[
        (t["arm"] == arm) & (t["endpoint"] == endpoint) & (t["month"] == month) & (t["statistic"] == statistic)
    ].to_dict("records")
    return one


@pytest.mark.parametrize(
    "plan",
    [{}, {"robust": True}, {"method": "mmrm"}, {"missing": "locf"}, {"missing": "multiple", "imputations": 3}],
    ids=str,
)
def test_finds_the_effect(plan):
    of, _, found = findings(analysis=plan)
    assert tuple(found.table.columns) == COLUMNS
    one = row(found, "drug", "total_hip_bmd", 24, "difference_vs_placebo")
    assert one["lower"] < 3.0 < one["upper"] or plan.get("missing") == "locf"
    assert one["p"] < 1e-6
    marker = row(found, "drug", "ctx", 24, "difference_vs_placebo")
    assert marker["lower"] < 100 * np.expm1(-0.3) < marker["upper"]
    assert len(found.table) == 2 * 3 * (2 + 1)  # end points, visits, means and the difference
    assert not found.table.drop(columns="p").isna().any().any()
    assert found.table["p"].isna().sum() == 2 * 3 * 2  # a mean alone has none
    assert plan_of(of)[2] == ("total_hip_bmd", 24)


def test_bmd_is_the_fast_ancova():
    _, seen, found = findings()
    x = np.concatenate([seen["total_hip_bmd"].isel(draw=0, arm=i).to_numpy() for i in range(2)])
    many = ancova_many(100 * (x[:, 2] / x[:, 0] - 1), x[:, 0], np.repeat([0, 1], 300))
    one = row(found, "drug", "total_hip_bmd", 12, "difference_vs_placebo")
    assert one["value"] == pytest.approx(many.estimate[0])
    assert one["p"] == pytest.approx(many.p[0], rel=1e-6)


def test_another_reference_turns_the_sign():
    _, _, one = findings()
    _, _, other = findings(analysis={"reference": "drug"})
    a = row(one, "drug", "total_hip_bmd", 24, "difference_vs_placebo")
    b = row(other, "placebo", "total_hip_bmd", 24, "difference_vs_drug")
    assert a["value"] == pytest.approx(-b["value"])
    assert list(dict.fromkeys(other.table["arm"])) == ["placebo", "drug"]


def test_fractures():
    rng, n = np.random.default_rng(0), 2000
    rows = []
    for arm, rate in (("placebo", 0.05), ("drug", 0.02)):
        time = rng.exponential(365.25 / rate, n)
        rows += [(i, arm, "hip_fracture", t) for i, t in enumerate(time) if t < 730]
    events = pd.DataFrame(rows, columns=["person", "arm", "kind", "time_days"])
    of = study(n=n, endpoints=("total_hip_bmd", "hip_fracture"), measurement=EXACT)
    found = analyse(measure.observe(true_values(of), of), of, 0, events)
    risk = row(found, "placebo", "hip_fracture", 24, "risk_pct")
    assert risk["lower"] < 100 * (1 - np.exp(-0.1)) < risk["upper"]
    hazard = row(found, "drug", "hip_fracture", 24, "hazard_ratio_vs_placebo")
    ratio = row(found, "drug", "hip_fracture", 24, "risk_ratio_vs_placebo")
    assert hazard["lower"] < 0.4 < hazard["upper"]
    assert ratio["value"] == pytest.approx(hazard["value"], rel=0.1)
    assert set(found.curves) == {"hip_fracture"}


def test_no_events_at_all():
    of = study(n=20, endpoints=("hip_fracture",), measurement=EXACT)
    none = pd.DataFrame({"person": [], "arm": [], "kind": [], "time_days": []})
    found = analyse(measure.observe(true_values(of), of), of, 0, none)
    assert row(found, "drug", "hip_fracture", 24, "risk_pct")["value"] == 0
    assert not found.table.drop(columns="p").isna().any().any()
