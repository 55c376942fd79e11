"""Curves in milliseconds: as right as they say, and the same as those of the reference."""

import numpy as np
import pytest

import osteon
from osteon import models, parse_regimen
from osteon.app import quick, service
from osteon.app.plan import Plan, Treatment
from osteon.engine import cohort as cohorts
from osteon.engine import grid as grids
from osteon.person import Person
from osteon.units import MONTH_DAYS

DAYS = np.arange(0, 121, 1) * MONTH_DAYS
REGIMENS = [
    "none",
    "denosumab 60 mg SC every 6 months for 24 months",
    "teriparatide 20 ug SC daily for 24 months + alendronate 70 mg PO weekly for 60 months starting at month 24",
    "dasatinib+quercetin every 28 days for 20 months + msc 1e8 cells IV once starting at week 8",
]
WOMAN = Person(age=66, years_since_menopause=16, weight_kg=65)
OLD = Person(age=85, years_since_menopause=30, senescent_burden=0.3)
YOUNG, MAN = Person(age=52, years_since_menopause=1), Person(sex="male", age=78, senescent_burden=2)
DMAB = Treatment(therapy="denosumab", dose=60, unit="mg", route="SC", interval="every 6 months", months=24)


@pytest.mark.parametrize("text", REGIMENS)
@pytest.mark.parametrize("person", [WOMAN, YOUNG, MAN, OLD], ids=["woman", "young", "man", "old"])
def test_steps_are_short_enough(person, text):
    regimen = parse_regimen(text)
    found, truth = quick.run(person, regimen, DAYS), quick.run(person, regimen, DAYS, cut=4)
    for name, limit in [*((n, 5e-4) for n in service.BMD), ("p1np", 0.01), ("ctx", 0.01), ("senescent_burden", 1e-3)]:
        assert np.max(np.abs(found[name] / truth[name] - 1)) < limit, name


@pytest.mark.parametrize("text", REGIMENS)
def test_the_grid_is_what_from_steps_makes_of_its_edges(text):
    courses = tuple(quick._courses(WOMAN, parse_regimen(text), DAYS[-1]))
    plan = quick._plan(quick.cohort(WOMAN), courses, DAYS)
    own = quick._grid(plan, courses)
    usual = grids.from_steps(plan, np.append(own.t, plan.end))
    np.testing.assert_array_equal(own.kind, np.where(usual.kind > 0, 2, 0))  # the kernel is a short one
    for name in ("fresh", "events_from", "event_kind", "event_value", "active_from", "active", "out_at"):
        np.testing.assert_array_equal(getattr(own, name), getattr(usual, name), err_msg=name)
    np.testing.assert_allclose(own.h, usual.h, rtol=1e-9)


@pytest.mark.parametrize("person", [WOMAN, YOUNG, MAN], ids=["woman", "young", "man"])
def test_one_person_in_every_lane_is_what_a_cohort_of_one_makes(person):
    people, layout = quick._alone(person, 2), quick.kernel().source.layout
    courses = quick._courses(person, parse_regimen(REGIMENS[1]), DAYS[-1])
    plan = quick._plan(people, courses, DAYS)
    assert plan.kinks == cohorts.kink_spans(people, plan)
    own, usual = (make(people, plan, layout, np.float64) for make in (quick._arrays, cohorts.arrays))
    for name in ("x0", "par", "clock", "gain", "decay", "dose_factor", "kink", "order"):
        np.testing.assert_allclose(getattr(own, name), getattr(usual, name), rtol=1e-12, err_msg=name)


def test_the_untreated_beside_a_plan_are_those_alone():
    treated, untreated = quick.both(WOMAN, parse_regimen(REGIMENS[1]), DAYS)
    alone, same = quick.both(WOMAN, parse_regimen("none"), DAYS)
    assert same is alone
    for name in service.BMD:
        np.testing.assert_allclose(untreated[name], alone[name], rtol=1e-4)
        assert treated[name][0, 24] > 1.02 * untreated[name][0, 24]


def test_kinetics_rest_on_no_trait_but_body_size():
    p = quick.model().parameters()
    other = p._replace(male=1.0, menopause_age=42.0, senescent_burden=2.0)
    assert models.get("osteon").kinetics(other) == quick.model().kinetics(p)
    assert quick.model().kinetics(p._replace(body_size=1.4)) != quick.model().kinetics(p)


def test_numbers_are_those_of_osteon_simulate():
    plan = Plan(years_since_menopause=16, t_score={"lumbar_spine": -2.5}, treatments=[DMAB], years=4)
    page = service.courses(plan)
    usual = osteon.simulate(plan.regimen, person=plan.person, until=48 * MONTH_DAYS, every=MONTH_DAYS / 2)
    for name in service.BMD:
        reference = usual[name].to_numpy().ravel()
        np.testing.assert_allclose(page["plan"]["series"][name]["value"], reference, rtol=5e-4)
    change = 100 * (
        usual["lumbar_spine_bmd"].to_numpy().ravel()[-1] / usual["lumbar_spine_bmd"].to_numpy().ravel()[0] - 1
    )
    assert page["summary"]["lumbar_spine_bmd"]["value"] == pytest.approx(change, abs=0.05)


def test_bands_hold_the_curve_and_change_nothing_of_it():
    plan = Plan(treatments=[DMAB], years=4)
    plain, bands = service.courses(plan), service.courses(plan, draws=service.DRAWS)
    for name in ("lumbar_spine_bmd", "ctx", "progenitors"):
        x = bands["plan"]["series"][name]
        np.testing.assert_allclose(x["value"], plain["plan"]["series"][name]["value"], rtol=1e-3)
        assert np.all(np.array(x["lower"]) <= x["value"])
        assert np.all(np.array(x["value"]) <= x["upper"])


@pytest.mark.parametrize("years", [1, 2.5, 8, 10, 20])
def test_points_of_a_curve(years):
    months = service.months_of(years)
    assert months[0] == 0
    assert months[-1] == pytest.approx(years * 12)
    assert np.all(np.diff(months) > 0)
    assert len(months) <= 300


def test_words_say_what_changed_how_sure_and_what_it_rests_on():
    cells = Treatment(therapy="msc", dose=1e8, unit="cells", route="IV", interval="once")
    found = service.courses(Plan(treatments=[DMAB, cells], years=4), draws=service.DRAWS)["words"]
    assert "%" in found["changed"]
    assert "90 of 100" in found["sure"]
    assert "grade A" in found["rests_on"]
    assert "grade D" in found["rests_on"]
    assert "not as a forecast" in found["rests_on"]
    assert "untreated" in service.courses(Plan())["words"]["changed"]
