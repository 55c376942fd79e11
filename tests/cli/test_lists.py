import json

import pytest


def test_therapies(osteon):
    told = json.loads(osteon("therapies", "list", "--json").out)
    assert {"denosumab", "msc", "dasatinib+quercetin"} <= {t["id"] for t in told["therapies"]}
    assert "denosumab" in osteon("therapies", "list").out


def test_what_therapies_act_on_and_known_harms(osteon):
    told = {t["id"]: t for t in json.loads(osteon("therapies", "list", "--json").out)["therapies"]}
    assert all(t["targets"] and t["evidence"] in ("A", "B", "C", "D") and t["evidence_why"] for t in told.values())
    assert told["dasatinib+quercetin"]["hallmarks"] == ["cellular senescence"]
    assert told["msc"]["sens"] == ["cell loss, cell atrophy"]
    (harm,) = told["navitoclax"]["harms"]
    assert harm["modelled"]
    assert "SEN-A11" in harm["source"]
    assert all(f["source"] for t in told.values() for f in (*t["harms"], *t["contraindications"]))
    assert "not modelled" in osteon("therapies", "list").out


def test_params_of_the_default_model(osteon):
    ids = {r["id"] for r in json.loads(osteon("params", "list", "--json").out)["parameters"]}
    assert {"denosumab_half_value", "reference_total_hip", "between_ctx"} <= ids
    assert "Miyauchi" in osteon("params", "show", "between_total_hip_bmd").out
    assert "57 studies" in osteon("params", "show", "precision_lumbar_spine_bmd").out


def test_params(osteon):
    told = json.loads(osteon("params", "list", "--model", "jorg2022", "--json").out)
    assert len(told["parameters"]) == 42
    shown = osteon("params", "show", "lambda_B", "--model", "jorg2022")
    assert "1.29e-6" in shown.out
    assert "eLife" in shown.out
    got = osteon("params", "show", "lambda_b", "--model", "jorg2022")
    assert got.status == 2
    assert "'lambda_B'" in got.problem


@pytest.mark.parametrize(
    ("what", "text"),
    [([], "eLife"), ([], "osteon"), (["jorg2022"], "10.7554/eLife.76228"), (["joerg2022"], "Jörg"), (["FRAME"], "NEJMoa1607948"),
     (["osteon", "--bibtex"], "@software{osteon,")],
)  # fmt: skip
def test_cite(osteon, what, text):
    got = osteon("cite", *what)
    assert got.status == 0
    assert text in got.out


def test_cite_json_and_unknown(osteon):
    assert json.loads(osteon("cite", "--json").out)["references"][0]["key"] == "osteon"
    got = osteon("cite", "FRAMM")
    assert got.status == 2
    assert "FRAME" in got.problem
