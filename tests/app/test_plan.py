"""Plans: their text in a link, the regimen and the study file that come of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import osteon
from osteon.app.plan import Plan, Treatment, fits, read_pair
from osteon.files import parse_yaml
from osteon.study import study_from

DMAB = Treatment(therapy="denosumab", dose=60, unit="mg", route="SC", interval="every 6 months", months=24)
ZOL = Treatment(therapy="zoledronate", dose=5, unit="mg", route="IV", interval="once", start_month=24)
DQ = Treatment(therapy="dasatinib+quercetin", interval="every 28 days", months=5, start_month=2.5)

treatments = st.sampled_from([DMAB, ZOL, DQ])


@st.composite
def plans(draw):
    age = draw(st.integers(50, 95))
    return Plan(
        sex=draw(st.sampled_from(["female", "male"])),
        age=age,
        years_since_menopause=draw(st.none() | st.integers(0, age - 20)),
        t_score=draw(st.dictionaries(st.sampled_from(["lumbar_spine", "total_hip"]), st.floats(-6, 6), max_size=2)),
        weight_kg=draw(st.none() | st.floats(30, 200)),
        senescent_burden=draw(st.floats(0, 10)),
        treatments=draw(st.lists(treatments, unique_by=lambda t: t.therapy)),
        years=draw(st.floats(1, 20)),
    )


@given(plans(), st.none() | st.lists(treatments, unique_by=lambda t: t.therapy))
def test_text_and_back(plan, other):
    text = plan.to_text(other)
    assert text.isascii()
    assert " " not in text
    assert read_pair("#" + text) == (plan, other)
    assert Plan.from_text(text) == plan


@given(st.text())
def test_junk_never_crashes(text):
    assert isinstance(Plan.from_text(text), Plan)


@given(
    st.lists(st.tuples(st.sampled_from(["v", "sex", "age", "ysm", "ls", "w", "sb", "y", "t", "u", "%"]), st.text()))
)
def test_junk_with_the_right_keys_never_crashes(pairs):
    plan, other = read_pair("&".join(f"{key}={value}" for key, value in pairs))
    assert isinstance(plan, Plan)
    assert other is None or isinstance(other, list)


def test_what_is_right_in_a_broken_link_is_kept():
    plan = Plan.from_text(
        "v=9&age=71&sex=robot&ls=-99&y=nan&t=denosumab,60,mg,SC,every+6+months,0,24&t=poison,1&<script>"
    )
    assert (plan.age, plan.sex, plan.t_score, plan.years) == (71, "female", {}, 10)
    assert plan.treatments == [DMAB]


def test_regimen_is_read_by_the_grammar():
    plan = Plan(treatments=[ZOL, DMAB])
    assert plan.regimen == (
        "denosumab 60 mg SC every 6 months for 24 months + zoledronate 5 mg IV once starting at month 24"
    )
    assert osteon.parse_regimen(plan.regimen).therapies() == ("denosumab", "zoledronate")
    assert Plan().regimen == "none"


def test_the_same_drug_twice_at_a_time_is_refused():
    assert not fits([DMAB], DMAB)
    later = DMAB.model_copy(update={"start_month": 30.0})
    assert fits([DMAB], later)
    with pytest.raises(ValidationError, match="overlaps"):
        Plan(treatments=[DMAB, DMAB.model_copy(update={"start_month": 12.0})])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"therapy": "denosumap"}, "denosumab"),
        ({"therapy": "ovariectomy"}, "not for people"),
        ({"unit": None}, "neither"),
        ({"route": "PO"}, "not given PO"),
        ({"interval": "every 6 months x3; then none"}, "xN|more than"),
        ({"interval": "once + msc 2e6 cells IV once"}, "neither"),
        ({"months": 1e9}, "360"),
    ],
)
def test_bad_treatments(change, words):
    with pytest.raises(ValidationError, match=words):
        Treatment(**{**DMAB.model_dump(), **change})


def test_study_file():
    plan = Plan(age=70, years_since_menopause=20, t_score={"total_hip": -2.0}, treatments=[DMAB], years=3)
    study = study_from(parse_yaml(plan.study_yaml([ZOL]), "plan"))
    assert [arm.name for arm in study.arms] == ["untreated", "plan A", "plan B"]
    assert study.visits[-1] == 36
    assert study.people.mean_person() == plan.person
    assert study_from(parse_yaml(Plan().study_yaml(), "plan")).arms[1].regimen == "none"
