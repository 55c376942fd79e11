import copy

import pytest
import yaml

from osteon.errors import InputError, StudyError
from osteon.simulation import person_of
from osteon.study import load_study, study_from

GOOD = """\
id: switch-example
title: Teriparatide then denosumab
people: {species: human, sex: female, age: {mean: 66, sd: 8, min: 50, max: 85}, years_since_menopause: 16, t_score: {lumbar_spine: -2.5, total_hip: -1.9}, n_per_arm: 50}
prior: "alendronate 70 mg PO weekly for 36 months"
arms:
  - {name: placebo, regimen: none}
  - {name: off, regimen: "teriparatide 20 ug SC daily for 24 months; then denosumab 60 mg SC every 6 months for 24 months"}
visits: [0, 0.25, 6, 12, 24, 36, 48]
endpoints: [lumbar_spine_bmd, total_hip_bmd, femoral_neck_bmd, p1np, ctx]
"""


@pytest.fixture
def good():
    return yaml.safe_load(GOOD.replace("name: off", "name: 'off'"))


def write(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_example_of_the_design(tmp_path):
    study = load_study(write(tmp_path, GOOD))
    assert study.arms[1].name == "off"
    assert study.visits == [0, 0.25, 6, 12, 24, 36, 48]
    assert study.people.age.mean == 66
    assert study.people.mean_person().t_score == {"lumbar_spine": -2.5, "total_hip": -1.9}
    assert study_from(study.model_dump(exclude_none=True)) == study


BAD = [
    ("id: switch-example", "id: switch example", "letters, digits"),
    ("people: {species: human", "peple: {species: human", "unknown key 'peple'; did you mean 'people'?"),
    ("visits:", "visit:", "line 8: visit: unknown key 'visit'; did you mean 'visits'?"),
    ("age: {mean", "agee: {mean", "unknown key 'agee'; did you mean 'age'?"),
    ("n_per_arm: 50", "n_per_arms: 50", "unknown key 'n_per_arms'; did you mean 'n_per_arm'?"),
    ("n_per_arm: 50", "n_per_arm: " + "9" * 30, "n_per_arm"),
    ("mean: 66, sd: 8", "mean: " + "9" * 400 + ", sd: 8", "age"),
    ("id: switch-example", "? [a, b]\n: 1\nid: x", "not valid YAML"),
    ("id: switch-example", "id: !!bool maybe", "not valid YAML"),
    ("title: Teriparatide then denosumab", "title: &t Teri\nprior: *t", "not valid YAML"),
    ("name: placebo", 'name: "a\\0b"', "control character"),
    ("name: placebo", 'name: "a\\rb"', "control character"),
    ("years_since_menopause: 16", "years_since_menopause: 60", "20 or later"),
    ("years_since_menopause: 16", "prior_vertebral_fracture: 5", "share from 0 to 1"),
    ("n_per_arm: 50", "n_per_arm: 0", "greater than or equal to 1"),
    ("n_per_arm: 50", "n_per_arm: many", "many"),
    ("sex: female", "sex: femal", "female"),
    ("mean: 66, sd: 8", "mean: 66, sdd: 8", "sd"),
    ("mean: 66, sd: 8", "mean: 66, sd: -8", "sd"),
    ("mean: 66, sd: 8, min: 50", "mean: 66, sd: 8, min: 70", "min"),
    ("age: {mean: 66, sd: 8, min: 50, max: 85}", "age: old", "age"),
    ("age: {mean: 66, sd: 8, min: 50, max: 85}", "age: .nan", "finite"),
    ("lumbar_spine: -2.5, total_hip", "lumbar_spin: -2.5, total_hip", "lumbar_spine"),
    (
        "  - {name: placebo, regimen: none}",
        "  - {name: placebo, regimn: none}",
        "unknown key 'regimn'; did you mean 'regimen'?",
    ),
    ("  - {name: placebo, regimen: none}", "  - {name: 'off', regimen: none}", "twice"),
    ("20 ug SC daily", "20 ugg SC daily", "column 17"),
    ("20 ug SC daily", "-20 ug SC daily", "above 0"),
    ("for 36 months", "", "no end"),
    ("[0, 0.25, 6", "[0, 0.25, -6", "negative"),
    ("[0, 0.25, 6", "[0, 6, 6", "ascend"),
    ("[0, 0.25, 6", "[6, 0", "ascend"),
    ("[0, 0.25, 6, 12, 24, 36, 48]", "[]", "no visit"),
    ("p1np, ctx]", "p1np, ctx, ctx]", "twice"),
    ("p1np, ctx]", "p1np, ctz]", "ctx"),
    ("[lumbar_spine_bmd, total_hip_bmd, femoral_neck_bmd, p1np, ctx]", "[]", "no end point"),
    ("title: Teriparatide then denosumab", "title: [1", "not valid YAML"),
]


# What YAML makes of a text without quotes, and what to do about it.
BARE = [
    ("name: placebo", "name: placebo, sugar", "a comma ends a text: put a text that holds one in quotes"),
    ("regimen: none", "regimen: zoledronate 5 mg IV once, exercise weekly", "put a text that holds one in quotes"),
    ("name: placebo", "name: arm: placebo", """put a text that holds ': ', ',', '#', quotes or brackets in quotes"""),
    ("name: placebo", "name: a {b}", "in quotes"),
    ("name: placebo", "name: @a", "begins with @"),
    ("name: placebo", "name: 1", "must be text, not the number 1; put it in quotes"),
    ("name: placebo", "name: true", "must be text, not the word true; put it in quotes"),
    ("name: placebo", "name: ", "name: this is empty; it must be text"),
    ("name: placebo", "name: [a, b]", "must be text, not a list; put a text that holds brackets in quotes"),
    ("name: placebo", "name:placebo", "put a space after the colon of 'name'"),
    ("name: placebo", "name: 'placebo", "quote or bracket"),
    ("{name: placebo, regimen: none}", "none", "must be a mapping {name: …, regimen: …}, not 'none'"),
    ("visits: [0,", "visits: 0 #", "must be a list [a, b, …], not 0"),
]


@pytest.mark.parametrize(("old", "new", "hint"), [*BAD, *BARE])
def test_one_clear_line(tmp_path, old, new, hint):
    assert old in GOOD
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, GOOD.replace(old, new)))
    message = str(caught.value)
    assert hint in message, message
    assert "study.yaml" in message
    assert "\n" not in message


def test_empty_arms(tmp_path):
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith("  - ")).replace("arms:", "arms: []")
    with pytest.raises(StudyError, match="no arm"):
        load_study(write(tmp_path, text))


@pytest.mark.parametrize("key", ["id", "people", "arms", "visits", "endpoints"])
def test_missing_key(good, key):
    broken = copy.deepcopy(good)
    del broken[key]
    with pytest.raises(StudyError, match=f"{key}: this key is missing"):
        study_from(broken)


def test_line_of_the_error(tmp_path):
    with pytest.raises(StudyError, match="line 8"):
        load_study(write(tmp_path, GOOD.replace("visits: [0,", "visits: [0, -1,")))


def test_line_of_what_the_whole_study_says(tmp_path):
    with pytest.raises(StudyError, match="line 5: arms: the name 'off' stands twice"):
        load_study(write(tmp_path, GOOD.replace("name: placebo", "name: 'off'")))


def test_not_yaml(tmp_path):
    for text in ("just words", "", "%PDF-1.4 \x01\x02", "a\tb: ["):
        with pytest.raises(StudyError):
            load_study(write(tmp_path, text))


@pytest.mark.parametrize(
    ("features", "hint"),
    [
        ({"age": 66, "weight": 60}, "weight_kg"),
        ({"age": 66, "sex": "woman"}, "female"),
        ({"age": float("nan")}, "age"),
        ({"age": 66, "weight_kg": -1}, "weight_kg"),
        ({"age": 66, "t_score": {"hip": -1}}, "total_hip"),
    ],
)
def test_person(features, hint):
    with pytest.raises(InputError, match=hint):
        person_of(**features)
