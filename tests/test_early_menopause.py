"""The worked example examples/early_menopause.py: it runs, its page keeps up, and its claims hold in direction."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import osteon

ROOT = Path(__file__).parents[1]
SPINE, HIP = "lumbar_spine_bmd", "total_hip_bmd"
BUILD_FIRST = ("teriparatide, denosumab, zoledronate", "romosozumab, then alendronate")
NO_EXIT, EXIT = "denosumab, no exit", "teriparatide, denosumab, zoledronate"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("early_menopause", ROOT / "examples" / "early_menopause.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ran(example):
    study, result = example.simulate(draws=8)
    return study, result, example.Numbers(study, result)


@pytest.fixture(scope="module")
def numbers(ran):
    return ran[2]


def test_she_starts_where_her_t_scores_say(numbers):
    for arm in numbers.arms:
        assert numbers.t(arm, SPINE, 0) == pytest.approx(-3.6)
        assert numbers.t(arm, HIP, 0) == pytest.approx(-2.4)


@pytest.mark.parametrize("site", [SPINE, HIP])
def test_without_treatment_she_loses_slowly(numbers, site):
    course = [numbers.change("no treatment", site, 12 * year) for year in range(11)]
    steps = np.diff(course)
    assert (steps < 0).all()
    assert (steps > -2).all()


@pytest.mark.parametrize("site", [SPINE, HIP])
def test_every_plan_gains_and_none_without_bound(numbers, site):
    for arm in numbers.arms[1:]:
        assert 0 < numbers.best(arm, site)[1] < 30
    for arm, end in (("alendronate, pause", 60), (NO_EXIT, 60)):
        first, last = (
            numbers.change(arm, site, 12),
            numbers.change(arm, site, end) - numbers.change(arm, site, end - 12),
        )
        assert last < first / 2


def test_plans_that_build_first_reach_the_most_at_the_spine(numbers):
    best = {arm: numbers.best(arm, SPINE)[1] for arm in numbers.arms[1:]}
    assert set(sorted(best, key=best.get)[-2:]) == set(BUILD_FIRST)


@pytest.mark.parametrize("site", [SPINE, HIP])
def test_alendronate_wears_off_slowly(numbers, site):
    end, later = (numbers.change("alendronate, pause", site, month) for month in (60, 84))
    assert end / 2 < later < end


@pytest.mark.parametrize("site", [SPINE, HIP])
def test_denosumab_without_an_exit(numbers, site):
    """Most of the gain goes within two years, CTX overshoots and settles, and no loss goes on without end."""
    end, later = (numbers.change(NO_EXIT, site, month) for month in (60, 84))
    assert later < end / 2
    assert numbers.change(NO_EXIT, "ctx", 66) > 20
    assert abs(numbers.change(NO_EXIT, "ctx", 120) - numbers.change("no treatment", "ctx", 120)) < 15
    lost = {arm: numbers.change(arm, site, 120) - numbers.change(arm, site, 96) for arm in (NO_EXIT, "no treatment")}
    assert lost[NO_EXIT] == pytest.approx(lost["no treatment"], abs=1)


@pytest.mark.parametrize("site", [SPINE, HIP])
def test_zoledronate_slows_the_loss_after_denosumab(numbers, site):
    lost = {
        arm: numbers.change(arm, site, end + 12) - numbers.change(arm, site, end)
        for arm, end in ((EXIT, 84), (NO_EXIT, 60))
    }
    assert lost[NO_EXIT] < lost[EXIT]


def test_her_range_holds_the_mean(numbers):
    for arm in numbers.arms:
        low, high = numbers.interval(arm, SPINE, 60)
        assert low < numbers.change(arm, SPINE, 60) < high


def test_tables_and_picture(example, ran, tmp_path):
    study, result, numbers = ran
    text = example.markdown(study, numbers, result)
    assert "nan" not in text
    assert "–" not in text  # the dash of a missing number
    assert example.figures.save(example.picture(study, result), tmp_path / "picture.png").stat().st_size > 10_000


def test_the_page_keeps_up(example, ran):
    """It names every plan, by hand and in the tables, and writing into it again changes nothing else."""
    page = example.PAGE.read_text("utf-8")
    before, rest = page.split(example.BEGIN)
    written, after = rest.split(example.END)
    for arm in osteon.load_study(example.STUDY).arms:
        assert f"**{arm.name}**" in before
        assert f"| {arm.name} |" in written
    again = example.updated(page, "new")
    assert again.startswith(before)
    assert again.endswith(after)
    assert example.updated(again, "new") == again
    assert [line.split("|")[1] for line in written.splitlines() if line.startswith("|")] == [
        line.split("|")[1] for line in example.markdown(*ran[::2], ran[1]).splitlines() if line.startswith("|")
    ]
