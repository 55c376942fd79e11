"""The United States at 50 and older: prevalence as the survey found it, ages as the census, the same for one seed."""

import json

import numpy as np
import pytest

from osteon import models, parameters
from osteon.cli.main import run
from osteon.errors import InputError
from osteon.population import survey
from osteon.population.usual import usual_lives


@pytest.fixture(scope="module")
def america():
    return survey.sample(n=60_000, seed=3)


def test_prevalence_is_that_of_the_survey(america):
    """Overall within 1 and 3 points; sexes and decades within the survey's standard error and 3 points."""
    rows = {(r["sex"], r["age"]): r for r in survey.shares(america)}
    whole = rows["both", "50+"]
    assert whole["osteoporosis_pct"] == pytest.approx(10.3, abs=1.0)
    assert whole["low_bone_mass_pct"] == pytest.approx(43.9, abs=3.0)
    for (sex, age), row in rows.items():
        decade = None if age == "50+" else int(age[:2])
        errors = survey.published(sex, decade, "unc_low")
        for what, seen in survey.published(sex, decade).items():
            assert row[f"{what}_pct"] == pytest.approx(seen, abs=3.0 + errors[what]), (sex, age, what)
    assert whole["millions"] == pytest.approx(99.05, abs=0.01)


def test_people_are_as_old_as_the_census_has_them(america):
    age, women = america.table["age"].to_numpy(), (america.table["sex"] == "female").to_numpy()
    for sex, who in (("female", women), ("male", ~women)):
        for decade, count in survey.census(sex).items():
            here = who & (age >= decade) & (age < (decade + 10 if decade < 80 else 101))
            assert here.sum() * america.each == pytest.approx(count, rel=1e-3)
    assert age.min() >= 50
    assert 85 < age[age >= 80].mean() < 88


def test_the_same_seed_gives_the_same_people(america):
    again, other = survey.sample(n=60_000, seed=3), survey.sample(n=60_000, seed=4)
    assert again.table.equals(america.table)
    assert not other.table["femoral_neck_bmd"].equals(america.table["femoral_neck_bmd"])


def test_courses_between_whole_years_and_menopauses():
    courses = usual_lives(models.get())
    age = np.array([50.0, 60.5, 100.0, 60.5])
    menopause, male = np.array([38.0, 50.5, 64.0, 50.5]), np.array([False, False, False, True])
    found = courses.bmd("total_hip", male, age, menopause)
    table = courses.value["total_hip_bmd"]  # menopause from 36, the last row men; age from 25
    assert found[0] == table[2, 25]
    assert found[1] == pytest.approx(table[14:16, 35:37].mean())
    assert found[2] == table[28, 75]
    assert found[3] == pytest.approx(table[-1, 35:37].mean())


def test_a_sample_has_the_expected_shares(america):
    model = models.get()
    p = parameters.load("us_50plus")
    got = {(r["sex"], r["age"]): r for r in survey.shares(america)}
    for sex in survey.SEXES:
        values = {name: p[f"{name}_{sex}"].value for name in survey.FITTED}
        expected = survey.expected(model, usual_lives(model), p, sex, values)
        for what in ("osteoporosis", "low_bone_mass"):
            assert got[sex, "50+"][f"{what}_pct"] == pytest.approx(expected[None][what], abs=0.8)


def test_what_is_not_there():
    with pytest.raises(InputError, match="us-50plus"):
        survey.sample("us-50")
    for n in (10, 10**9):
        with pytest.raises(InputError, match="holds 100 to"):
            survey.sample(n=n)


def test_command(capsys, tmp_path):
    path = tmp_path / "people.parquet"
    assert run(["population", "us-50plus", "--years", "0", "--json", "--people", "5000", "-o", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["osteoporosis_pct"] == pytest.approx(10.3, abs=2)
    assert found["low_bone_mass_pct"] == pytest.approx(43.9, abs=4)
    assert path.is_file()
    assert run(["population", "--people", "5000"]) == 0
    shown = capsys.readouterr()
    assert "female  50-59" in shown.out
    assert "not medical advice" in shown.err
    assert run(["population", "--model", "jorg2022"]) == 2
