"""The kernel against the reference integrator, and that nobody's numbers depend on anybody else."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.engine import batch, cohort, exact, grid, kernel, plan
from osteon.engine.exposure import Exposure
from osteon.errors import InputError, ModelError, OsteonError
from osteon.population.many import simulate_many
from osteon.population.variation import Variation
from osteon.published.jorg2022 import Jorg2022
from osteon.regimen import parse_regimen, prior_courses
from osteon.skeleton import Osteon

MODEL = Jorg2022()
SPREAD = dict.fromkeys(["omega_pB", "eta_B", "omega_pC", "eta_C", "kappa_s", "nu_Omega", "E_deno", "T_deno", "T_alen",
                        "T_romo", "tau_e", "gamma", "a_e"], 0.2) | {"a_e": 0.04}  # fmt: skip
N = 200
DAYS = [0.0, 30.0, 180.0, 365.0, 730.0, 1460.0]
PLANS = {
    "untreated": ("none", ""),
    "pulses": ("romosozumab 210 mg SC every 30 days x12; then denosumab 60 mg SC every 180 days x4", ""),
    "window": ("alendronate 10 mg PO daily for 500 days", ""),
    "hours": ("teriparatide 20 ug SC daily for 365 days; then none", ""),
    "same class": (
        "romosozumab 210 mg SC monthly x6 + blosozumab 180 mg SC every 2 weeks x10 starting at day 40",
        "",
    ),
    "prior": (
        "denosumab 60 mg SC every 180 days x4",
        "alendronate 70 mg PO weekly for 54 weeks; then none for 60 days",
    ),
}
POPULATION = Variation(MODEL, N, SPREAD, 60.0, seed=3)


def courses_of(name):
    text, prior = PLANS[name]
    earlier = prior_courses(parse_regimen(prior), year_days=365.0) if prior else ()
    return [*earlier, *parse_regimen(text).courses(DAYS[-1], year_days=365.0)]


def setup_of(name, dtype="float64", people=POPULATION.people, n=N, channels=range(4)):
    courses = courses_of(name)
    second = min((c.start for c in courses if c.start < 0), default=0.0)
    return batch.prepare(MODEL, people, n, courses, DAYS, second=second, dtype=dtype, channels=channels)


def reference(name, who):
    p = who.p._make([float(v[0]) if np.ndim(v) else v for v in who.p])
    own = [dataclasses.replace(c, start=c.start + who.now[0], stop=c.stop + who.now[0]) for c in courses_of(name)]
    exposure = Exposure(own, MODEL.kinetics(p), 4)
    return MODEL.read_out(exact.solve(MODEL, p, exposure, np.array(DAYS) + who.now[0]).T, p)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PLANS)
def test_agrees_with_the_reference(name, dtype):
    setup = setup_of(name, dtype)
    observed, flags = setup.chunk(POPULATION.people(0, N))
    assert (flags != batch.FAILED).all()
    read = setup.endpoints(POPULATION.people(0, N), observed)
    for i in range(0, N, 10):
        who = POPULATION.people(i, i + 1)
        ours = {name: x[:, i] for name, x in read.items()}
        theirs = reference(name, who)
        bmd = np.abs(ours["total_hip_bmd"] - theirs["total_hip_bmd"]) / theirs["total_hip_bmd"][0]
        assert bmd.max() < 1.5e-4
        for marker in ("ctx", "p1np"):
            assert np.max(np.abs(np.log(ours[marker] / theirs[marker]))) < 0.02


def test_certificate_tells_the_truth():
    setup = setup_of("pulses")
    got = batch.certify(setup, POPULATION.people, N, {})
    assert got.target == setup.target
    assert got.pilot_error <= got.target
    assert got.sample == N
    assert got.sample_within > 0.99
    assert got.sample_max < 2e-4


def run(name="pulses", **options):
    courses = courses_of(name)
    return simulate_many(MODEL, BIG.people, BIG.n, courses, DAYS, **options)


BIG = Variation(MODEL, 5000, SPREAD, 60.0, seed=3)


def test_same_bits_for_any_threads_and_chunks():
    one = run(threads=1, chunk=1024)
    for options in ({"threads": 2, "chunk": 1024}, {"threads": 2, "chunk": 4096}, {"threads": 1, "chunk": 8192}):
        other = run(**options)
        for key in one.moments.names:
            assert (one.moments.mean_pct(key) == other.moments.mean_pct(key)).all()
            assert (one.moments.sd_pct(key) == other.moments.sd_pct(key)).all()
        assert one.certificate == other.certificate


def test_nobody_depends_on_others():
    """Alone, in another order, or beside a person whose numbers are hopeless: the same bits."""
    setup = setup_of("pulses")
    people = POPULATION.people(0, N)
    whole, _ = setup.chunk(people)
    back, _ = setup.chunk(people.take(np.arange(N)[::-1]))
    np.testing.assert_array_equal(whole, back[:, :, ::-1])
    alone, _ = setup.chunk(people.take(np.array([17])))
    np.testing.assert_array_equal(whole[:, :, 17], alone[:, :, 0])
    broken = people.take(np.arange(N))
    broken.x0 = broken.x0.copy()
    broken.x0[:, 5] = np.nan
    beside, flags = setup.chunk(broken)
    assert flags[5] == batch.FAILED
    assert (np.delete(flags, 5) != batch.FAILED).all()
    np.testing.assert_array_equal(np.delete(whole, 5, axis=2), np.delete(beside, 5, axis=2))


def states_of(setup, people):
    """The states themselves [output, state, person], on a setup's steps."""
    use = kernel.Use(people.varying, setup.kernel.source.layout.channels, raw=True)
    raw = kernel.load(MODEL, use)
    arrays = cohort.arrays(people, setup.plan, raw.source.layout, raw.dtype)
    return grid.run(raw, setup.grid, setup.plan, arrays, raw.shared_array(people.p, setup.weights))[0]


def test_positive_and_finite_over_a_wide_box():
    wide = Variation(MODEL, 2000, dict.fromkeys(SPREAD, 0.6) | {"a_e": 0.1}, 60.0, seed=5)
    setup = setup_of("pulses", people=wide.people, n=2000)
    people = wide.people(0, 2000)
    _, flags = setup.chunk(people)
    good = states_of(setup, people)[:, :, flags != batch.FAILED]
    assert good.shape[2] > 1990
    assert np.isfinite(good).all()
    assert (good[:, :6] > 0).all()


def test_what_is_left_out_is_nothing():
    """A kernel without silent channels and states at 0 gives the same numbers as one that carries them."""
    people = POPULATION.people(0, 64)
    setup = setup_of("window", channels=())
    assert setup.kernel.source.layout.channels == (2,)
    assert setup.kernel.source.dormant == {MODEL.states.index("bound_sclerostin")}
    lean, _ = setup.run(people, setup.grid)
    states = states_of(setup, people)
    full = MODEL.read_out(np.moveaxis(states, 1, 0), people.p)
    for name, x in setup.endpoints(people, lean).items():
        np.testing.assert_allclose(x, full[name], rtol=1e-12)
    awake = people.take(np.arange(64))
    awake.zero = frozenset()
    with pytest.raises(OsteonError, match="begin at 0"):
        setup.run(awake, setup.grid)


def test_adherence_scales_each_persons_doses():
    """Half the factor is half the dose."""
    people = POPULATION.people(0, 64)
    full = batch.prepare(MODEL, lambda a, b: people.take(slice(a, b)), 64, courses_of("pulses"), DAYS)
    people.dose_factor = np.full((2, 64), 0.5)
    half_taken, _ = full.run(people, full.grid)
    people.dose_factor = None
    half_given, _ = full.run(people, dataclasses.replace(full.grid, event_value=full.grid.event_value / 2))
    np.testing.assert_allclose(half_taken, half_given, rtol=1e-12)


def test_state_jumps_at_breaks():
    """A share of the osteoclasts removed at day 30: the reference, restarted there, agrees."""
    people = POPULATION.people(0, 64)
    jump = plan.Jump(30.0, MODEL.states.index("osteoclasts"), factor=0.25)
    setup = batch.prepare(MODEL, lambda a, b: people.take(slice(a, b)), 64, [], [0.0, 30.0, 60.0], jumps=[jump])
    states = states_of(setup, people)
    before, after = states[1, 4], states[2, 4]
    untouched = states_of(
        batch.prepare(MODEL, lambda a, b: people.take(slice(a, b)), 64, [], [0.0, 30.0, 60.0]), people
    )
    np.testing.assert_allclose(before, untouched[1, 4], rtol=1e-6)
    assert (after < 0.75 * untouched[2, 4]).all()


def test_people_are_the_same_whoever_asks():
    whole = BIG.people(0, 5000)
    part = BIG.people(1000, 3100)
    for name in whole.varying:
        np.testing.assert_array_equal(getattr(whole.p, name)[1000:3100], getattr(part.p, name))


def test_kept_code_is_found_again(tmp_path):
    import os
    import subprocess
    import sys

    code = (
        "from osteon.published.jorg2022 import Jorg2022\nfrom osteon.engine import kernel\n"
        "k = kernel.load(Jorg2022(), kernel.Use(('eta_C',)))\nimport numpy as np\n"
        "k.shared_array(Jorg2022().parameters(), np.zeros(9))\nprint(k.cached, len(list(k.module.shared.stats.cache_hits)))"
    )
    env = {**os.environ, "OSTEON_CACHE": str(tmp_path)}
    told = [subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
            for _ in range(2)]  # fmt: skip
    assert told[0].split()[1] == "0"
    assert told[1].split()[1] == "1"


def test_bad_input():
    with pytest.raises(InputError, match="spread"):
        Variation(MODEL, 10, {"eta_C": -0.1}, 60.0)
    with pytest.raises(ModelError, match="'eta_C'"):
        Variation(MODEL, 10, {"eta_c": 0.1}, 60.0)
    with pytest.raises(InputError, match="at least one"):
        Variation(MODEL, 0, {}, 60.0)
    with pytest.raises(InputError, match="multiple"):
        run(chunk=1000)
    assert cohort.make(MODEL, 3, age=60.0).varying == ()


DRUGS = st.sampled_from(
    ["romosozumab 210 mg SC monthly", "denosumab 60 mg SC every 6 months", "alendronate 10 mg PO daily",
     "teriparatide 20 ug SC daily", "blosozumab 180 mg SC every 2 weeks"]
)  # fmt: skip
BLOCKS = st.lists(st.tuples(DRUGS, st.integers(1, 20), st.booleans()), min_size=1, max_size=3)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(blocks=BLOCKS, seed=st.integers(0, 2**32), width=st.floats(0.02, 0.5), age=st.floats(45.0, 85.0))
def test_any_regimen_in_a_wide_box(blocks, seed, width, age):
    """Whatever is given to whomever: positive, finite, the same in any order and beside anyone, and as the reference
    has it at every visit."""
    text = "; then ".join(
        f"{drug} for {n} months" + ("; then none for 3 months" if gap else "") for drug, n, gap in blocks
    )
    courses = parse_regimen(text).courses(DAYS[-1], year_days=365.0)
    wide = Variation(MODEL, 128, dict.fromkeys(SPREAD, width) | {"a_e": 0.04}, age, seed)
    setup = batch.prepare(MODEL, wide.people, 128, courses, DAYS, channels=range(4))
    people = wide.people(0, 128)
    observed, flags = setup.chunk(people)
    assert (flags != batch.FAILED).all()
    assert np.isfinite(observed).all()
    assert (observed[:, 1:] > 0).all()  # rates; the published model itself takes some people's bone below nothing
    mixed = np.random.default_rng(seed).permutation(128)[:50]
    some, _ = setup.chunk(people.take(mixed))
    np.testing.assert_array_equal(some, observed[:, :, mixed])
    for i in mixed[:2].tolist():
        who = wide.people(i, i + 1)
        p = who.p._make([float(v[0]) if np.ndim(v) else v for v in who.p])
        own = [dataclasses.replace(c, start=c.start + who.now[0], stop=c.stop + who.now[0]) for c in courses]
        states = exact.solve(MODEL, p, Exposure(own, MODEL.kinetics(p), 4), np.array(DAYS) + who.now[0])
        theirs = MODEL.observe(states.T, p)["total_hip_bmd"]
        off = np.abs(observed[:, 0, i] - theirs) / max(theirs[0], 0.05)
        assert off.max() < 5e-4


def test_agrees_with_the_reference_on_the_composed_model():
    """An exposure that stands by itself in the rates, and states that only drugs wake."""
    own, days = Osteon(), np.array([0.0, 365.0, 730.0, 1461.0])
    spread = {"bisphosphonate_stay": 0.2, "turnover_trabecular": 0.2, "menopause_age": 0.04}
    population = Variation(own, 64, spread, 66.0, seed=3)
    text = "zoledronate 5 mg IV every 365 days x2 + alendronate 10 mg PO daily for 365 days starting at day 730"
    courses = list(parse_regimen(text).courses(days[-1], year_days=own.year_days))
    setup = batch.prepare(own, population.people, population.n, courses, days)
    assert setup.weights[own.states.index("bisphosphonate_surface")] != 0
    assert setup.plan.start < setup.plan.bend < 0  # everyone's menopause lies in one place
    observed, _ = setup.chunk(population.people(0, population.n))
    found = setup.goal(observed)
    for i in (0, 31, 63):
        who = population.people(i, i + 1)
        p = who.p._make([float(v[0]) if np.ndim(v) else v for v in who.p])
        shifted = [dataclasses.replace(c, start=c.start + who.now[0], stop=c.stop + who.now[0]) for c in courses]
        levels = Exposure(shifted, own.kinetics(p), len(own.channels))
        seen = own.observe(exact.solve(own, p, levels, days + who.now[0]).T, p)
        right = np.mean([seen[name] for name in setup.kernel.source.layout.outputs if name.endswith("_bmd")], axis=0)
        np.testing.assert_allclose(found[:, i], right, atol=1.5e-4 * right[0])
