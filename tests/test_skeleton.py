"""osteon's own model: a steady youth, balance of mass, directions, and the same numbers by both engines."""

import numpy as np
import pytest

import osteon
from osteon import parameters, skeleton
from osteon.engine import batch, exact
from osteon.engine.exposure import Exposure
from osteon.errors import InputError, ModelError
from osteon.mechanisms import COMPARTMENTS, fall, power
from osteon.population.variation import Variation
from osteon.regimen import parse_regimen

MODEL = skeleton.Osteon()
P = MODEL.parameters()
YEAR = skeleton.YEAR_DAYS


def course(regimen, months=24, age=66, **options):
    result = osteon.simulate(regimen, age=age, until=f"{months} months", every="6 months", model=MODEL, **options)
    return {name: x.to_numpy().ravel() for name, x in osteon.percent_change(result).data_vars.items()}


def test_youth_is_a_steady_state():
    """But for the surplus of cortical bone that growth leaves, which is lost over decades."""
    level = MODEL.parameters(growth_surplus=0.0)
    clock, x = MODEL.start(level)
    production, loss = MODEL.rates(x, [0.0] * len(MODEL.channels), clock, level)
    rate = np.array(production) - np.array(loss) * np.array(x)
    # Estrogen at 20 is short of 1 by what the rational step leaves, some millionths.
    # Senescent cells and progenitors age from the first day, without effect on a person in whom that is usual.
    ageing = [name in ("senescent_usual", "progenitor_line") for name in MODEL.states]
    assert np.abs(rate[~np.array(ageing)]).max() < 1e-5


def test_forms():
    z = np.linspace(-6, 6, 101)
    expected = np.where(z > 0, 0.5 * np.exp(-np.abs(z)), 1 - 0.5 * np.exp(-np.abs(z)))
    np.testing.assert_allclose(fall(z), expected, atol=0.006)
    x = np.linspace(0.6, 1.6, 21)
    for a in (-1.0, -0.5, 0.5, 0.8, 1.0):
        np.testing.assert_allclose(power(x, a), x**a, rtol=0.01)


def test_states_are_positive_and_mass_is_kept():
    """Bone volume changes by what is formed less what is resorbed, to rounding."""
    regimen = parse_regimen("teriparatide 20 ug SC daily for 18 months; then denosumab 60 mg SC every 6 months x4")
    now = 66 * YEAR
    courses = list(regimen.courses(6 * YEAR, year_days=YEAR))
    import dataclasses

    shifted = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in courses]
    exposure = Exposure(shifted, MODEL.kinetics(P), len(MODEL.channels))
    times = now + np.linspace(0, 6 * YEAR, 40)
    states = exact.solve(MODEL, P, exposure, times)
    assert (states >= 0).all()
    for t, x in zip(times, states, strict=True):
        production, loss = MODEL.rates(x, exposure.at(t), t, P)
        named = dict(zip(MODEL.states, x, strict=True))
        for k in COMPARTMENTS:
            i = MODEL.states.index(f"volume_{k}")
            rate = skeleton.remodelling.turnover(P, k)
            balance = rate * (
                skeleton.remodelling.formation(named, P, k) - skeleton.remodelling.resorption(named, P, k)
            )
            assert production[i] - loss[i] * x[i] == pytest.approx(balance, abs=1e-12)


@pytest.mark.parametrize(
    ("regimen", "endpoint", "sign"),
    [
        ("none", "total_hip_bmd", -1),
        ("denosumab 60 mg SC every 6 months for 24 months", "lumbar_spine_bmd", 1),
        ("denosumab 60 mg SC every 6 months for 24 months", "ctx", -1),
        ("alendronate 70 mg PO weekly for 24 months", "total_hip_bmd", 1),
        ("zoledronate 5 mg IV once", "lumbar_spine_bmd", 1),
        ("romosozumab 210 mg SC monthly for 24 months", "lumbar_spine_bmd", 1),
        ("teriparatide 20 ug SC daily for 24 months", "p1np", 1),
        ("teriparatide 20 ug SC daily for 24 months", "ctx", 1),
        ("abaloparatide 80 ug SC daily for 24 months", "lumbar_spine_bmd", 1),
        ("PTH(1-84) 100 ug SC daily for 24 months", "lumbar_spine_bmd", 1),
        ("conjugated estrogens 0.625 mg PO daily for 24 months", "total_hip_bmd", 1),
        ("raloxifene 60 mg PO daily for 24 months", "ctx", -1),
        ("estradiol 0.05 mg TD daily for 24 months", "lumbar_spine_bmd", 1),
        ("ibandronate 3 mg IV every 3 months for 24 months", "total_hip_bmd", 1),
        ("exercise every 3.5 days for 24 months", "lumbar_spine_bmd", 1),
    ],
)
def test_direction(regimen, endpoint, sign):
    assert sign * course(regimen)[endpoint][-1] > 0


def test_supplements_and_a_progestin_add_a_little():
    untreated, supplied = course("none"), course("calcium 1200 mg PO daily + vitamin D 800 IU PO daily")
    assert 0.1 < supplied["total_hip_bmd"][-1] - untreated["total_hip_bmd"][-1] < 1.5
    alone = course("conjugated estrogens 0.625 mg PO daily")["lumbar_spine_bmd"][-1]
    both = course("conjugated estrogens 0.625 mg PO daily + medroxyprogesterone 2.5 mg PO daily")["lumbar_spine_bmd"]
    assert 0 < both[-1] - alone < 2
    assert course("medroxyprogesterone 2.5 mg PO daily")["total_hip_bmd"][-1] == untreated["total_hip_bmd"][-1]


def test_the_same_dose_does_more_in_a_small_body():
    def change(regimen, weight, endpoint="lumbar_spine_bmd"):
        found = osteon.simulate(regimen, until="12 months", age=66, weight_kg=weight, model=MODEL)
        return float(osteon.percent_change(found)[endpoint].to_numpy().ravel()[-1])

    for regimen in (
        "teriparatide 20 ug SC daily",
        "denosumab 14 mg SC every 6 months",
        "romosozumab 210 mg SC monthly",
    ):
        assert change(regimen, 45.0) > change(regimen, None) > change(regimen, 90.0)
    assert change("teriparatide 20 ug SC daily", 66.0) == change("teriparatide 20 ug SC daily", None)
    by_mouth = "alendronate 70 mg PO weekly"
    assert change(by_mouth, 45.0) == change(by_mouth, 90.0)


def test_a_route_decides_what_a_dose_is_worth():
    by_mouth, patch = (course(f"estradiol {d} daily")["total_hip_bmd"][-1] for d in ("1 mg PO", "0.05 mg TD"))
    assert patch == pytest.approx(by_mouth, abs=0.05)


@pytest.mark.parametrize(
    "regimen",
    ["alendronate 70 mg PO weekly for 12 months", "zoledronate 5 mg IV once", "denosumab 60 mg SC once",
     "denosumab 14 mg SC every 6 months", "romosozumab 210 mg SC monthly x6", "teriparatide 20 ug SC daily",
     "calcium 1200 mg PO daily", "exercise every 3.5 days",
     "estradiol 1 mg PO daily + medroxyprogesterone 2.5 mg PO daily + raloxifene 60 mg PO daily"],
)  # fmt: skip
def test_the_kernel_gives_what_the_reference_gives(regimen):
    """Each kind of therapy: what one engine leaves out, the other must not have."""
    from osteon.population.individuals import by_reference

    days = [0.0, 182.0, 365.0, 730.0]
    people = Variation(MODEL, 4, {"osteoblast_time": 0.1}, 66.0).people
    courses = list(parse_regimen(regimen).courses(days[-1], year_days=YEAR))
    setup = batch.prepare(MODEL, people, 4, courses, days, channels=MODEL.usual_channels)
    found = setup.endpoints(people(0, 4), setup.chunk(people(0, 4))[0])
    (truth,) = by_reference(MODEL, people, 1, courses, np.array(days))
    assert truth is not None
    for name, x in found.items():
        rtol = 3e-4 if name.endswith("bmd") else 4e-3
        np.testing.assert_allclose(x[:, 0], truth[name], rtol=rtol, err_msg=name)


def test_stopping_denosumab_loses_what_was_gained_and_rebounds():
    found = course("denosumab 60 mg SC every 6 months for 24 months; then none for 24 months", 48)
    assert found["total_hip_bmd"][-1] < 1 < found["total_hip_bmd"][4]
    assert found["ctx"].max() > 10


@pytest.mark.parametrize(
    "regimen",
    ["denosumab 60 mg SC every 6 months", "romosozumab 210 mg SC monthly", "teriparatide 20 ug SC daily",
     "alendronate 70 mg PO weekly", "zoledronate 5 mg IV every 12 months"],
)  # fmt: skip
def test_no_gain_without_bound(regimen):
    """20 years of any drug end on a plateau."""
    result = osteon.simulate(regimen, age=60, until="20 years", every="5 years", model=MODEL)
    spine = osteon.percent_change(result)["lumbar_spine_bmd"].to_numpy().ravel()
    assert spine.max() < 40
    assert spine[-1] - spine[-2] < 1


def test_men_and_early_menopause():
    woman, man = (
        course("none", 60, age=55)["total_hip_bmd"][-1],
        course("none", 60, age=55, sex="male")["total_hip_bmd"][-1],
    )
    assert woman < man < 0
    early = course("none", 60, age=51, years_since_menopause=8)["lumbar_spine_bmd"][-1]
    late = course("none", 60, age=51, years_since_menopause=0)["lumbar_spine_bmd"][-1]
    assert late < early < 0  # the steep years are behind her


@pytest.mark.parametrize(
    "person",
    [
        {"age": 20},
        {"age": 51, "years_since_menopause": 8},
        pytest.param({"age": 70, "sex": "male"}, marks=pytest.mark.slow),
    ],
)
def test_untreated_years_by_either_method(person):
    """LSODA before month 0 or DOP853 throughout: the same to 1e-9, with and without drugs."""

    class Throughout(skeleton.Osteon):
        composed = False

    for regimen in ("none", "denosumab 60 mg SC every 6 months"):
        one, other = (
            osteon.simulate(regimen, until="1 year", every="6 months", model=model, **person)
            for model in (MODEL, Throughout())
        )
        for name in one.data_vars:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-8 if person["age"] == 20 else 1e-9)


def test_without_a_mechanism():
    lean = skeleton.Osteon(without=["mineral", "sclerostin"])
    assert not any(name.startswith(("mineral", "compensation")) for name in lean.states)
    result = osteon.simulate("denosumab 60 mg SC every 6 months for 12 months", age=66, until="12 months", model=lean)
    assert np.isfinite(result["total_hip_bmd"]).all()
    with pytest.raises(InputError, match="'mineral'"):
        skeleton.Osteon(without=["minerals"])
    with pytest.raises(InputError, match="cannot be left out"):
        skeleton.Osteon(without=["remodelling"])


def test_kernels_of_models_with_and_without_a_mechanism_are_two():
    """Also when the mechanism has no states; the fast engine says what the reference says of each."""
    from osteon.engine import kernel

    found = {}
    for without in ((), ("estrogen",)):
        model = skeleton.Osteon(without)
        assert kernel.load(model).model.without == without
        people = Variation(model, 2, {}, 65.0).people
        setup = batch.prepare(model, people, 2, (), [0.0, 720.0])
        hip = setup.endpoints(people(0, 2), setup.run(people(0, 2), setup.grid)[0])["total_hip_bmd"][:, 0]
        found[without] = hip[1] / hip[0]
        exact_one = osteon.simulate("none", age=65, until="720 days", every="720 days", model=model)
        x = exact_one["total_hip_bmd"].to_numpy().ravel()
        assert found[without] == pytest.approx(x[-1] / x[0], rel=1e-4)
    assert found[()] != pytest.approx(found["estrogen",], rel=1e-3)


def test_other_values():
    """Values in place of the records' reach both engines, a person's features go before them, and they are hashed."""
    moved = skeleton.Osteon(values={"turnover_trabecular": 0.2, "menopause_age": 45.0})
    assert moved.parameters().turnover_trabecular == 0.2
    assert moved.parameters(turnover_trabecular=0.3).turnover_trabecular == 0.3
    person = osteon.Person(age=66, years_since_menopause=10)
    assert moved.of_person(person).menopause_age == 56
    assert moved.of_person(osteon.Person(age=66)).menopause_age == 45
    assert moved.parameter_hash != MODEL.parameter_hash == skeleton.Osteon(values={}).parameter_hash
    people = Variation(moved, 4, {"estrogen_gain": 0.1}, 65.0, seed=2).people(0, 4)
    assert people.p.turnover_trabecular == 0.2
    with pytest.raises(ModelError, match="'turnover_trabecular'"):
        skeleton.Osteon(values={"turnover_trabeculr": 0.2})
    with pytest.raises(InputError, match="finite"):
        skeleton.Osteon(values={"turnover_trabecular": float("nan")})


def test_values_lie_in_their_bounds():
    """Of the record, or of the shipped draws where these reach further."""
    low, high = parameters.load("osteon")["menopause_age"].bounds
    skeleton.Osteon(values={"menopause_age": high})
    for value in (low - 1, high + 1):
        with pytest.raises(InputError, match=rf"menopause_age must lie from {low:g} to {high:g} .*not {value:g}"):
            skeleton.Osteon(values={"menopause_age": value})
        assert skeleton.Osteon(values={"menopause_age": value}, bounded=False).values == {"menopause_age": value}
    for name, drawn in parameters.draws("osteon").items():
        skeleton.Osteon(values={name: drawn.max()})
        skeleton.Osteon(values={name: drawn.min()})


def test_records_are_whole():
    records = parameters.load("osteon")
    for record in records.values():
        assert record.bounds is not None, record.id
        assert record.bounds[0] <= record.value <= record.bounds[1], record.id
        assert record.origin in ("measured", "derived", "assumed", "definition", "fitted here"), record.id
        assert record.locator, record.id


@pytest.mark.slow
def test_both_engines_agree():
    spread = {"turnover_trabecular": 0.2, "denosumab_half_value": 0.3, "osteoblast_time": 0.2, "estrogen_gain": 0.2}
    people = Variation(MODEL, 64, spread, 65.0, seed=2).people
    days = [0.0, 180.0, 365.0, 730.0, 1460.0]
    courses = list(
        parse_regimen("romosozumab 210 mg SC monthly x12; then denosumab 60 mg SC every 6 months x4").courses(
            days[-1], year_days=YEAR
        )
    )
    setup = batch.prepare(MODEL, people, 64, courses, days)
    observed, flags = setup.chunk(people(0, 64))
    assert (flags != batch.FAILED).all()
    from osteon.population.individuals import by_reference

    for i, read in enumerate(by_reference(MODEL, people, 4, courses, np.array(days))):
        ours = {name: x[:, i] for name, x in setup.endpoints(people(0, 64), observed).items()}
        for name in ("total_hip_bmd", "lumbar_spine_bmd"):
            np.testing.assert_allclose(ours[name], read[name], rtol=3e-4)


def test_kinks_come_in_order():
    """Menopause may lie before or after the age from which the supply falls; the kernel takes kinks in ascending order."""
    from osteon.engine import cohort as cohorts
    from osteon.engine import kernel, plan

    ages = np.array([44.0, 50.6, 54.0])
    people = cohorts.make(MODEL, 3, changes={"menopause_age": ages}, age=65.0)
    nothing = plan.make((), {}, start=-45 * YEAR, outputs=[0.0])
    arrays = cohorts.arrays(
        people, nothing, kernel.generate(MODEL, kernel.Use(("menopause_age",)), "float64").layout, float
    )
    assert (np.diff(arrays.kink, axis=0) > 0).all()
    assert arrays.order.tolist() == [0, 1, 2]
    turned = cohorts.arrays(people.take(np.array([2, 0, 1])), nothing, kernel.generate(
        MODEL, kernel.Use(("menopause_age",)), "float64").layout, float)  # fmt: skip
    assert turned.order.tolist() == [1, 2, 0]


def test_the_default_model_says_which_fit_it_is():
    from osteon import models
    from osteon.report.pages import course_page_text

    assert models.get().name == "osteon"
    assert MODEL.parameter_hash in MODEL.title
    page = course_page_text(osteon.simulate("none", age=66, until="6 months"))
    assert MODEL.parameter_hash in page
    assert "medical advice" in page


def test_a_route_without_numbers_is_refused():
    with pytest.raises(ModelError, match="it knows it by PO, TD"):
        course("estradiol 0.05 mg SC daily")
    with pytest.raises(ModelError, match="abaloparatide TD"):
        course("abaloparatide 300 ug TD daily")
    vein, mouth = (course(f"ibandronate 3 mg {r} every 3 months")["total_hip_bmd"][-1] for r in ("IV", "PO"))
    assert vein > mouth + 1


def test_people_keep_to_the_bounds_of_records():
    people = Variation(MODEL, 256, {"estrogen_replaced": 1.0}, 65.0).people(0, 256)
    low, high = parameters.load("osteon")["estrogen_replaced"].bounds
    assert low <= people.p.estrogen_replaced.min()
    assert people.p.estrogen_replaced.max() <= high
    with pytest.raises(InputError, match="does not differ"):
        Variation(MODEL, 4, {"male": 0.2}, 65.0)


def test_persons_that_cannot_be():
    with pytest.raises(InputError, match="menopause would lie at"):
        course("none", age=65, years_since_menopause=70)
    with pytest.raises(InputError, match="T-scores lie between"):
        course("none", t_score={"total_hip": 80.0})
