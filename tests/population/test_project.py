"""Populations over the years: who is counted, what policies change and what they cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest

from osteon import models
from osteon.cli.main import run
from osteon.errors import InputError
from osteon.population import policies, project

YEARS = 11


@pytest.fixture(scope="module")
def found() -> project.Projection:
    chosen = [policies.get("none"), policies.get("threshold"),
              policies.get("threshold").model_copy(update={"name": "refused", "uptake": 0.0})]  # fmt: skip
    return project.project("us-50plus", chosen, YEARS, n=4000, seed=3, model=models.get(), draws=2)


def test_the_start_is_the_census(found: project.Projection) -> None:
    people = found.counts["none"]["people"]
    assert people[0, 0] == pytest.approx(99_048_838, rel=1e-6)
    assert np.all(people[1:] == people[:1]), "draws of bone do not change who is alive"


def test_ten_years_on_as_many_live_as_were_counted(found: project.Projection) -> None:
    """The census of 2020 counted 119.9 million people of 50 and older; migration is not in the projection."""
    assert found.counts["none"]["people"][0, 10] == pytest.approx(119.9e6, rel=0.04)


def test_whom_nobody_treats_is_as_if_there_were_no_policy(found: project.Projection) -> None:
    for measure, counts in found.counts["none"].items():
        assert np.array_equal(counts, found.counts["refused"][measure]), measure


def test_treatment_averts_fractures_and_changes_no_deaths(found: project.Projection) -> None:
    none, treated = found.counts["none"], found.counts["threshold"]
    assert np.array_equal(none["people"], treated["people"])
    assert treated["on_treatment"][0, 0] > 5e6
    for kind in project.KINDS:
        assert (treated[kind] <= 1.001 * none[kind]).all(), kind  # at first it does next to nothing
        assert (treated[kind][:, 1:] < 0.9 * none[kind][:, 1:]).all(), kind
    value, lower, upper = found.averted("threshold")
    assert 0 < lower <= upper
    assert lower * 0.9 < value < upper * 1.1


def test_the_table_has_every_year_and_nothing_missing(found: project.Projection) -> None:
    table = found.table()
    assert set(table["year"]) == set(range(2010, 2010 + YEARS))
    assert np.isfinite(table[["value", "lower", "upper"]].to_numpy()).all()
    averted = table[(table["policy"] == "refused") & table["measure"].str.startswith("averted")]
    assert (averted["value"] == 0).all()


def test_same_seed_same_numbers() -> None:
    def once(policy: str) -> np.ndarray:
        chosen = [policies.get("none")] if policy == "none" else [policies.get(policy), policies.get("none")]
        made = project.project("us-50plus", chosen, 2, n=500, seed=5, model=models.get(), draws=0)
        return made.counts["none"]["fractures"]

    assert np.array_equal(once("none"), once("none"))
    assert np.array_equal(once("none"), once("threshold")), "another policy does not change this one"


def test_bad_input_is_told() -> None:
    model, none = models.get(), policies.get("none")
    for years in (0, 31):
        with pytest.raises(InputError, match="1 to 30 years"):
            project.project("us-50plus", [none], years, n=500, model=model)
    with pytest.raises(InputError, match="each once"):
        project.project("us-50plus", [none, none], 2, n=500, model=model)
    with pytest.raises(InputError, match="did you mean 'threshold'"):
        policies.get("treshold")


def test_own_policy_from_a_file(tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\nregimen: zoledronate 5 mg IV every 12 months x3\nwho: [{age_min: 75, sex: female}]\n"
    )
    mine = policies.get(str(file))
    age, male = np.array([80.0, 80.0, 60.0]), np.array([False, True, False])
    assert mine.meant(age, male, np.full(3, -1.0), np.zeros(3, bool)).tolist() == [True, False, False]
    file.write_text("name: mine\nregimen: zoledronate 5 mg IV once\nwho: [{age_mn: 75}]\n")
    with pytest.raises(InputError, match="age_min"):
        policies.get(str(file))


def test_the_command(tmp_path, capsys) -> None:
    out, plot = tmp_path / "years.csv", tmp_path / "years.png"
    assert run(["population", "us-50plus", "--years", "2", "--people", "500", "--draws", "2", "--policy", "none", "--json",
          "--out", str(out), "--plot", str(plot)]) == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told["osteoporosis_pct"] == pytest.approx(10.3, abs=2.5)
    assert [p["name"] for p in told["policies"]] == ["none"]
    assert out.read_text().startswith("policy,year,measure,value,lower,upper\n")
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert run(["population", "--policy", "none"]) == 2
    assert "add --years" in capsys.readouterr().err
    assert run(["population", "--years", "99"]) == 2
    assert "1 to 30 years" in capsys.readouterr().err
    assert run(["population", "--years", "2", "--policy", "everyone"]) == 2
