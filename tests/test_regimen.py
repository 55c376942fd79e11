"""The typed schedule: what is given on which day."""

import math

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.regimen import parse_regimen, prior_courses
from osteon.units import MONTH_DAYS


def courses(text, until=3000.0, **options):
    return parse_regimen(text).courses(until, **options)


def test_doses_fall_before_the_end():
    (c,) = courses("denosumab 60 mg SC every 6 months for 24 months")
    assert c.times.tolist() == [0, 6 * MONTH_DAYS, 12 * MONTH_DAYS, 18 * MONTH_DAYS]
    assert c.stop == 24 * MONTH_DAYS


@pytest.mark.parametrize("months", [3, 6, 7, 12, 18, 24, 36, 120])
@pytest.mark.parametrize("every", ["0.1 months", "1 month", "30.4375 days", "3 months"])
def test_count_is_not_spoilt_by_rounding(months, every):
    (c,) = courses(f"denosumab 60 mg SC every {every} for {months} months", until=1e5)
    step = {"0.1 months": 0.1, "1 month": 1.0, "30.4375 days": 1.0, "3 months": 3.0}[every]
    assert c.count == math.ceil(months / step - 1e-6)


def test_blocks_follow_each_other():
    a, b = courses("romosozumab 210 mg SC monthly x12; then alendronate 70 mg PO weekly for 24 months")
    assert (a.count, a.stop) == (12, 365.25)
    assert (b.start, b.stop, b.count) == (365.25, 36 * MONTH_DAYS, 105)


def test_gap_and_longest_component():
    text = "zoledronate 5 mg IV once + teriparatide 20 ug SC daily for 12 months; then none for 6 months; then zoledronate 5 mg IV once"
    first, daily, second = courses(text)
    assert (first.count, first.start) == (1, 0)
    assert daily.stop == 365.25
    assert second.start == pytest.approx(18 * MONTH_DAYS)


def test_start_counts_from_its_block():
    _, late = courses(
        "none for 2 months; then zoledronate 5 mg IV once + denosumab 60 mg SC every 180 days x3 starting at day 10"
    )
    assert late.times.tolist() == [2 * MONTH_DAYS + 10, 2 * MONTH_DAYS + 190, 2 * MONTH_DAYS + 370]


def test_open_component_ends_with_block_or_study():
    closed, _, _ = courses(
        "teriparatide 20 ug SC daily + denosumab 60 mg SC every 6 months x4; then zoledronate 5 mg IV once"
    )
    assert closed.stop == pytest.approx(24 * MONTH_DAYS)
    (to_the_end,) = courses("teriparatide 20 ug SC daily", until=100.0)
    assert (to_the_end.stop, to_the_end.count) == (100.0, 100)


def test_year_is_the_models():
    (c,) = courses("denosumab 60 mg SC every 1 year x2", year_days=365.0)
    assert c.times.tolist() == [0, 365]


def test_dose_in_the_therapys_unit():
    assert courses("alendronate 70000 ug PO weekly x2")[0].dose == pytest.approx(70)
    assert courses("msc 2e6 cells/kg IV once", weight_kg=60.0)[0].dose == 1.2e8
    assert courses("dasatinib+quercetin every 28 days x5")[0].dose == 100
    with pytest.raises(InputError, match="weight"):
        courses("msc 2e6 cells/kg IV once")


def test_what_begins_after_the_end_is_left_out():
    assert courses("none for 12 months; then denosumab 60 mg SC once", until=100.0) == ()


def test_prior_ends_at_month_0():
    (c,) = prior_courses(parse_regimen("alendronate 70 mg PO weekly for 54 months"))
    assert c.start == -54 * MONTH_DAYS
    assert c.stop == pytest.approx(0)
    a, b = prior_courses(
        parse_regimen("zoledronate 5 mg IV once; then none for 12 months; then denosumab 60 mg SC every 6 months x2")
    )
    assert a.start == pytest.approx(-24 * MONTH_DAYS)
    np.testing.assert_allclose(b.times, [-12 * MONTH_DAYS, -6 * MONTH_DAYS])
    (last,) = prior_courses(parse_regimen("denosumab 60 mg SC once"))
    assert last.start == 0  # given at month 0, not lost
    closed, open_ = prior_courses(
        parse_regimen("denosumab 60 mg SC every 6 months for 24 months + alendronate 70 mg PO weekly")
    )
    assert (closed.start, open_.start, open_.stop) == (-24 * MONTH_DAYS, -24 * MONTH_DAYS, 0)
    with pytest.raises(InputError, match="no end"):
        prior_courses(parse_regimen("alendronate 70 mg PO weekly"))


def test_doses_after_the_end_are_not_laid_out():
    (c,) = courses("denosumab 60 mg SC every 6 months x999999", until=400.0)
    assert c.count == 3


def test_overlap_is_judged_in_the_shortest_year():
    parse_regimen("denosumab 60 mg SC yearly x2 + denosumab 60 mg SC once starting at day 730")
