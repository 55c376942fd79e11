import pytest

from osteon.design import design_of
from osteon.errors import StudyError
from osteon.regimen import parse_regimen, together
from osteon.study import study_from
from osteon.units import MONTH_DAYS

DENOSUMAB, ZOLEDRONATE = "denosumab 60 mg SC every 6 months", "zoledronate 5 mg IV once"
SEQUENCE = "romosozumab 210 mg SC monthly x12; then alendronate 70 mg PO weekly"


def study(factors=None, arms=None):
    told = {
        "id": "x",
        "people": {"species": "human", "sex": "female", "age": 68, "n_per_arm": 5},
        "visits": [0.0, 12.0, 24.0],
        "endpoints": ["ctx"],
    }
    if factors is not None:
        told["factors"] = factors
    if arms is not None:
        told["arms"] = [{"name": name, "regimen": regimen} for name, regimen in arms.items()]
    return study_from(told)


def arms(of):
    return {arm.name: arm.regimen for arm in of.arms}


def test_cells_of_two_factors():
    s = study({"senolytic": {"none": "none", "dq": "dasatinib+quercetin every 28 days x5"},
               "drug": {"none": "none", "denosumab": DENOSUMAB}})  # fmt: skip
    assert arms(s) == {
        "none": "none",
        "denosumab": DENOSUMAB,
        "dq": "dasatinib+quercetin every 28 days x5",
        "dq + denosumab": f"dasatinib+quercetin every 28 days x5 + {DENOSUMAB}",
    }
    assert design_of(s).factors == (("senolytic", ("none", "dq")), ("drug", ("none", "denosumab")))
    assert study_from(s.model_dump(exclude_none=True)) == s


def test_a_regimen_alone_is_that_or_none():
    s = study({"exercise": "exercise weekly", "drug": {"off": "none", "on": ZOLEDRONATE}})
    assert list(arms(s)) == ["none", "drug", "exercise", "exercise + drug"]


def test_a_reference_that_is_a_drug_and_levels_of_one_name():
    s = study({"drug": {"alendronate": "alendronate 70 mg PO weekly", "denosumab": DENOSUMAB},
               "exercise": {"twice": "exercise twice daily", "none": "none", "once": "exercise daily"}})  # fmt: skip
    assert list(arms(s)) == [
        "alendronate", "alendronate + twice", "alendronate + once",
        "denosumab", "denosumab + twice", "denosumab + once",
    ]  # fmt: skip
    twins = study({"a": {"none": "none", "low": DENOSUMAB, "high": "denosumab 120 mg SC every 6 months"},
                   "b": {"none": "none", "low": ZOLEDRONATE}})  # fmt: skip
    assert list(arms(twins)) == ["none", "b", "a low", "a low + b", "a high", "a high + b"]


def test_a_sequence_keeps_its_times():
    both = together([parse_regimen(SEQUENCE), parse_regimen("exercise weekly")])
    until = 36 * MONTH_DAYS
    alone = [*parse_regimen(SEQUENCE).courses(until), *parse_regimen("exercise weekly").courses(until)]
    assert set(parse_regimen(str(both)).courses(until)) == set(alone)
    odd = "denosumab 60 mg SC every 6 months + teriparatide 20 ug SC daily x100; then none for 45 days; then calcium 1000 mg PO daily"
    both = together([parse_regimen(odd), parse_regimen("exercise weekly")])
    assert set(parse_regimen(str(both)).courses(until)) >= set(parse_regimen(odd).courses(until))
    assert together([parse_regimen("none"), parse_regimen(SEQUENCE)]) == parse_regimen(SEQUENCE)
    assert str(together([])) == "none"


@pytest.mark.parametrize(
    ("factors", "hint"),
    [
        ({"a": DENOSUMAB, "b": "denosumab 60 mg SC once"}, "'a + b' cannot be given: denosumab overlaps"),
        ({"a": {"x": "none"}}, "two levels"),
        ({"a": {"x": "none", "y": "placebo"}}, "same treatment"),
        ({"a": 3}, "factors.a"),
        ({"a": "denosumb 60 mg SC once"}, "did you mean 'denosumab'"),
        ({str(i): f"denosumab {i + 1} mg SC once" for i in range(7)}, "128 cells"),
        ({}, "no factor"),
        ({"a": {"none": "none", "x" * 61: DENOSUMAB}}, "factors.a"),
    ],
)
def test_bad_factors(factors, hint):
    with pytest.raises(StudyError) as caught:
        study(factors)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arms_or_factors():
    with pytest.raises(StudyError, match="either arms or factors"):
        study({"a": DENOSUMAB}, {"n": "none"})
    with pytest.raises(StudyError, match="arms: this key is missing"):
        study()


def test_arms_that_are_all_cells():
    got = design_of(study(arms={"both": f"{DENOSUMAB} + {ZOLEDRONATE}", "placebo": "none", "dmab": DENOSUMAB, "zol": ZOLEDRONATE}))  # fmt: skip
    assert got.shape == (2, 2)
    assert dict(got.factors) == {"dmab": ("placebo", "dmab"), "zol": ("placebo", "zol")}
    assert got.cells == ("placebo", "zol", "dmab", "both")
    three = design_of(study({"drug": {"none": "none", "d": DENOSUMAB, "z": ZOLEDRONATE}, "e": "exercise weekly"}).model_copy(update={"factors": None}))  # fmt: skip
    assert sorted(three.shape) == [2, 3]


def test_what_all_have_is_no_factor():
    calcium = "calcium 1000 mg PO daily"
    got = design_of(study(arms={"c": calcium, "d": f"{calcium} + {DENOSUMAB}", "e": f"{calcium} + exercise weekly",
                                "de": f"exercise weekly + {calcium} + {DENOSUMAB}"}))  # fmt: skip
    assert got.cells == ("c", "e", "d", "de")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"n": "none"}, "no arm combines"),
        ({"n": "none", "d": DENOSUMAB, "z": ZOLEDRONATE}, "no arm combines"),
        ({"n": "none", "m": "placebo"}, "same treatment"),
        ({"d": DENOSUMAB, "z": ZOLEDRONATE, "dz": f"{DENOSUMAB} + {ZOLEDRONATE}"}, "no arm combines 'z' and 'd'"),
        (
            {
                "n": "none",
                "d": DENOSUMAB,
                "z": ZOLEDRONATE,
                "e": "exercise weekly",
                "dz": f"{DENOSUMAB} + {ZOLEDRONATE}",
            },
            "are not all cells",
        ),
    ],
)
def test_arms_that_are_not(given, hint):
    with pytest.raises(StudyError) as caught:
        design_of(study(arms=given))
    assert hint in str(caught.value)
