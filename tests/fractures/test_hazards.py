"""Hazards: rates of the population, the gradient of risk, the factor of an earlier fracture, and death."""

import numpy as np
import pytest

from osteon import parameters
from osteon.errors import InputError
from osteon.evidence.loader import table_rows
from osteon.fractures import KINDS, SITES, death_rate, hazard
from osteon.fractures.hazards import gradient, numbers, prior_share, usual_t
from osteon.parameters.references import cite

ROWS = {row["row_id"]: row for row in table_rows("population")}


def population(kind, age, male, n=400_000, prior=True):
    """Hazards of people drawn as the population of an age and sex is."""
    rng = np.random.default_rng(0)
    mean, sd = usual_t(SITES[kind], age, male)
    had = rng.random(n) < prior_share(age) if prior else None
    return hazard(kind, age, male, mean + sd * rng.standard_normal(n), had)


@pytest.mark.parametrize(("male", "row"), [(False, "126"), (True, "134")])
def test_hip_fractures_at_85_are_those_of_the_united_states(male, row):
    assert population("hip_fracture", 85.0, male).mean() == pytest.approx(float(ROWS[row]["value"]) / 1e5, rel=0.15)


@pytest.mark.parametrize("male", [False, True])
def test_hip_fractures_double_every_5_to_6_years(male):
    rates = [population("hip_fracture", age, male).mean() for age in (60.0, 85.0)]
    assert 5.0 <= 25.0 / np.log2(rates[1] / rates[0]) <= 6.0


@pytest.mark.parametrize(
    ("kind", "row", "sd"),
    [("hip_fracture", "147", None), ("vertebral_fracture", "159", 0.9), ("nonvertebral_fracture", "161", 0.9)],
)
def test_gradient_of_risk_is_the_published_one(kind, row, sd):
    """By a regression on people, as the sources found it."""
    mean, usual = usual_t(SITES[kind], 65.0, False)
    t = mean + (sd or usual) * np.random.default_rng(0).standard_normal(10_000)
    slope = -np.polyfit((t - t.mean()) / t.std(), np.log(hazard(kind, 65.0, False, t)), 1)[0]
    assert np.exp(slope) == pytest.approx(float(ROWS[row]["value"]), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_risk_rises_with_age_low_bone_and_earlier_fracture(kind):
    assert hazard(kind, 80.0, False) > hazard(kind, 70.0, False) > hazard(kind, 70.0, True)
    assert hazard(kind, 70.0, False, -3.0) > hazard(kind, 70.0, False, -1.0)
    has, has_not = hazard(kind, 70.0, False, prior_vertebral=True), hazard(kind, 70.0, False, prior_vertebral=False)
    assert has / has_not == pytest.approx(numbers()[f"prior_{kind}"])
    assert has > hazard(kind, 70.0, False) > has_not
    assert hazard(kind, 30.0, False) == hazard(kind, 50.0, False)
    assert hazard(kind, 70.0, False, relative=np.log(0.5)) == pytest.approx(hazard(kind, 70.0, False) / 2)
    assert gradient(kind) > 0


def test_arrays_broadcast():
    assert hazard("hip_fracture", np.array([70.0, 80.0])[:, None], np.array([False, True]), -2.0).shape == (2, 2)


def test_unknown_kind_names_the_nearest():
    with pytest.raises(InputError, match="hip_fracture"):
        hazard("hip", 70.0, False)


def test_deaths_are_those_of_the_life_table():
    ages = np.arange(50, 100)
    for male, left in ((False, 33.2), (True, 29.6)):  # years of life left at 50 in the table
        rates = death_rate(np.arange(50, 120) + 0.5, male)
        assert np.all(np.diff(rates) > 0)
        assert np.exp(-np.cumsum(rates)).sum() + 0.5 == pytest.approx(left, abs=0.2)
    assert np.all(death_rate(ages, True) > death_rate(ages, False))
    assert 1 - np.exp(-death_rate(85.5, False)) == pytest.approx(0.075391)
    assert death_rate(110.0, False) > death_rate(100.0, False)


def test_every_number_has_a_source_that_can_be_cited():
    for record in parameters.load("fracture").values():
        assert cite(record.source), record.id
        assert record.bounds is None or record.bounds[0] <= record.value <= record.bounds[1], record.id
        assert (record.source == "assumed") <= (record.evidence == "D"), record.id
