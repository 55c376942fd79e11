"""Fractures on the command line."""

import json

from osteon.cli.main import run


def told(capsys, *arguments):
    """Exit status, and what was printed."""
    status = run(list(arguments))
    return status, capsys.readouterr()


BASE = ("simulate", "--age", "74", "--regimen", "none", "--until", "10 years", "--every", "5 years", "--fractures")


def test_simulate_tells_chances(capsys):
    status, said = told(capsys, *BASE, "--t-score", "femoral_neck=-2.5", "--t-score", "total_hip=-2.5", "--json")
    assert status == 0
    risk = json.loads(said.out)["fracture_risk"]
    assert set(risk) == {"vertebral_fracture_pct", "hip_fracture_pct", "nonvertebral_fracture_pct", "death_pct"}
    assert all(row[0] == 0 < row[1] < row[-1] < 100 for row in risk.values())
    status, said = told(capsys, *BASE, "--t-score", "femoral_neck=-2.5", "--t-score", "total_hip=-2.5", "--json",
                        "--earlier-fracture")  # fmt: skip
    assert status == 0
    more = json.loads(said.out)["fracture_risk"]
    assert more["vertebral_fracture_pct"][-1] > risk["vertebral_fracture_pct"][-1]


def test_simulate_says_them_in_words(capsys):
    status, said = told(capsys, *BASE)
    assert status == 0
    assert "hip fracture" in said.out + said.err
    assert "not medical advice" in said.out + said.err


def test_a_model_without_absolute_bone_has_no_fractures(capsys):
    status, said = told(capsys, *BASE, "--model", "jorg2022")
    assert status == 2
    assert "g/cm2" in said.err


def test_people_and_fractures_do_not_mix(capsys):
    status, said = told(capsys, *BASE, "--people", "20")
    assert status == 2
    assert "--fractures" in said.err


def test_validate_scores_fractures(capsys):
    status, said = told(capsys, "validate", "--model", "osteon", "--trial", "NEER2001", "--json")
    assert status == 0
    answer = json.loads(said.out)
    rows = [r for r in answer["rows"] if r["endpoint"] == "vertebral_fracture"]
    assert [(r["trial"], r["use"], r["n"]) for r in rows] == [("NEER2001", "fit", 2)]
    assert set(rows[0]) == {"trial", "use", "endpoint", "n", "rmse", "bias", "slope", "coverage90"}
    assert {r["interval"] for r in answer["fractures"]["ratios"]} == {"published"}
    assert answer["fractures"]["incidences"]
