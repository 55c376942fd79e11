"""The API gives the numbers of the Python interface and of the command line."""

import json
import math

import pytest

import osteon
from app_client import wait
from osteon.units import MONTH_DAYS

PLAN = {
    "age": 68,
    "years_since_menopause": 18,
    "t_score": {"lumbar_spine": -2.6, "total_hip": -2.0},
    "years": 3,
    "treatments": [
        {"therapy": "denosumab", "dose": 60, "unit": "mg", "route": "SC", "interval": "every 6 months", "months": 24}
    ],
}


def test_simulate_is_osteon_simulate(client):
    told = client.post("/api/simulate", json=PLAN).json()
    person = osteon.Person(age=68.0, years_since_menopause=18.0, t_score={"lumbar_spine": -2.6, "total_hip": -2.0})
    own = osteon.simulate("denosumab 60 mg SC every 6 months for 24 months", person=person, until=36 * MONTH_DAYS)
    change = osteon.percent_change(own)
    assert told["time_days"] == own["time"].to_numpy().tolist()
    for name in change.data_vars:
        here = [math.nan if v is None else v for v in told["series"][f"{name}_pct"]]
        assert here == pytest.approx(change[name].to_numpy().ravel().tolist(), rel=0, abs=0, nan_ok=True), name
    assert told["values"]["total_hip_bmd"] == own["total_hip_bmd"].to_numpy().ravel().tolist()
    assert told["t_score"]["total_hip"][0] == pytest.approx(-2.0)
    assert told["regimen"] == "denosumab 60 mg SC every 6 months for 24 months"
    assert "not medical advice" in told["notice"]
    assert told["provenance"]["parameters_hash"]
    assert client.post("/api/simulate", json={"plan": PLAN}).json()["series"] == told["series"]


def test_simulate_is_the_command_line(client, capsys):
    from osteon.cli.main import run

    plan = {"age": 60, "sex": "male", "years": 1, "treatments": []}
    told = client.post("/api/simulate?model=osteon", json=plan).json()
    assert (
        run(["simulate", "--age", "60", "--sex", "male", "--regimen", "none", "--until", "12 months", "--json"]) == 0
    )
    own = json.loads(capsys.readouterr().out)
    assert told["series"] == own["series"]


def test_compare(client):
    other = {**PLAN, "treatments": []}
    told = client.post("/api/compare", json={"a": other, "b": PLAN}).json()
    last = told["difference"]["total_hip_bmd_pct"][24]
    assert last == told["b"]["series"]["total_hip_bmd_pct"][24] - told["a"]["series"]["total_hip_bmd_pct"][24]
    assert last > 2
    assert client.post("/api/compare", json={"a": other, "b": {**PLAN, "years": 5}}).status_code == 400


def test_catalogue(client):
    from osteon.therapies.catalogue import catalogue

    found = client.get("/api/therapies").json()["therapies"]
    assert {one["id"] for one in found} == set(catalogue())
    one = (
        client.get("/api/therapies/Prolia").json()
        if "prolia" in catalogue()["denosumab"].synonyms
        else client.get("/api/therapies/denosumab").json()
    )
    assert one["id"] == "denosumab"
    assert one["harms"][0]["source"]
    listed = client.get("/api/params").json()["parameters"]
    record = client.get(f"/api/params/{listed[0]['id']}").json()
    assert record["value"] == listed[0]["value"]
    assert record["reference"]


def test_studies_as_text_and_json(client, study):
    as_text = client.post("/api/studies", content=study, headers={"content-type": "application/yaml"}).json()
    assert as_text["id"] == "small"
    assert [arm["name"] for arm in as_text["arms"]] == ["none", "drug"]
    assert as_text["therapies"] == {"alendronate": "A"}
    for body in ({"yaml": study}, {"study": as_text["study"]}, as_text["study"]):
        assert client.post("/api/studies", json=body).json() == as_text
    again = client.post("/api/studies", content=as_text["yaml"], headers={"content-type": "text/yaml"}).json()
    assert again["study"] == as_text["study"]


@pytest.mark.parametrize(
    "name", ["combinations", "stem_cells_alone", "switch", "early_menopause", "stem_cells_alone_mouse"]
)
def test_examples_survive_the_way_to_yaml_and_back(name):
    from pathlib import Path

    from osteon.app import studies
    from osteon.study import load_study

    one = load_study(Path(__file__).parents[2] / "examples" / f"{name}.yaml")
    assert studies.read(studies.yaml_of(one)) == one
    assert studies.read(studies.as_dict(one)) == one


def test_evidence(client):
    board = client.get("/api/evidence").json()
    assert {one["id"] for one in board["trials"]} == set(osteon.load_trials())
    told = client.get("/api/evidence/FREEDOM").json()
    trial = osteon.load_trial("FREEDOM")
    points = [p for arm in told["arms"] for curve in arm["curves"] for p in curve["points"]]
    assert len(points) == sum(len(c.scored_points()) for c in trial.curves)
    for arm in told["arms"]:
        for curve in arm["curves"]:
            assert curve["source"] in told["sources"]


def test_population(client):
    from osteon.population import survey

    told = client.get("/api/population", params={"people": 2000}).json()
    own = survey.shares(survey.sample("us-50plus", 2000, 0))
    assert told["groups"][0]["osteoporosis_pct"] == pytest.approx(own[0]["osteoporosis_pct"])


def test_a_design_with_its_contrasts(client):
    text = """\
id: two-by-two
people: {species: human, sex: female, age: 68, n_per_arm: 1}
factors:
  drug: zoledronate 5 mg IV once
  moving: exercise every 3.5 days
visits: [0, 12]
endpoints: [total_hip_bmd]
"""
    job = client.post("/api/factorial", json={"yaml": text, "draws": 0}).json()
    assert job["kind"] == "factorial"
    found = wait(client, job["id"])
    assert found["state"] == "done", found
    told = client.get(f"/api/jobs/{job['id']}/files/contrasts.json").json()
    assert {row["name"].split(":")[0] for row in told["contrasts"]} >= {"main", "effect", "interaction"}
    assert told["words"]
    assert (
        client.post(
            "/api/factorial",
            json={"yaml": text.replace("  moving: exercise every 3.5 days\n", "").replace("factors", "arms")},
        ).status_code
        == 400
    )


def test_no_records_yet(monkeypatch, tmp_path):
    from osteon.app import records
    from osteon.errors import InputError

    assert records.state(tmp_path)["there"] is False
    assert "osteon registry refresh" in records.state(tmp_path)["warning"]
    with pytest.raises(InputError, match="registry import"):
        records.hosts(folder=tmp_path)


def test_records_of_the_tests(tmp_path):
    """Trials to join and hosts are those of the command line."""
    pytest.importorskip("duckdb")
    from osteon.app import records
    from osteon.registry.files import Item
    from osteon.registry.store import Store
    from trial_records import osteoporosis, study

    Store(tmp_path).add([Item("here", study()), Item("here", osteoporosis())], "test", "2024-01-01")
    told = records.find_trials("osteoporosis", 70, "female", every=True, folder=tmp_path)
    assert told["trials"]
    assert "only the site can say" in told["warnings"][-2]
    ranked = records.hosts(draws=0, folder=tmp_path)
    assert len(ranked["hosts"]) + len(ranked["excluded"]) >= 1
    assert ranked["assumed"]
    assert records.state(tmp_path)["snapshot"] == "2024-01-01"
