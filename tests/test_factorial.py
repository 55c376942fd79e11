"""The algebra of contrasts, on tables that can be worked by hand."""

import itertools

import numpy as np
import pytest

import osteon
from osteon.design import Design, design_of
from osteon.factorial import COLUMNS, contrasts, grounds, rests_on, table, words
from osteon.result import build
from osteon.units import MONTH_DAYS


def design(*shape):
    letters = [tuple("0" if i == 0 else f"{'abc'[f]}{i}" for i in range(n)) for f, n in enumerate(shape)]
    cells = [" + ".join(label for label in at if label != "0") or "0" for at in itertools.product(*letters)]
    return Design(tuple((f"f{i}", labels) for i, labels in enumerate(letters)), tuple(cells))


def found(of, cells, **options):
    """Contrasts of one draw and visit, by name."""
    y = np.array(cells, float)[:, None, None]
    return {c.name: float(c.value[0, 0]) for c in contrasts(of, y, **options)}


def test_two_by_two():
    """No drug 1, b 3, a 4, both 10."""
    assert found(design(2, 2), [1, 3, 4, 10]) == {
        "main: a1": (3 + 7) / 2,
        "main: b1": (2 + 6) / 2,
        "interaction: a1 × b1": 4,
        "effect: a1": 3,
        "effect: b1": 2,
        "effect: a1 + b1": 9,
        "excess over additive: a1 + b1": 4,
        "excess over better single: a1 + b1": 6,
    }


def test_the_better_single_may_be_the_lower():
    got = found(design(2, 2), [1, 3, 4, 10], low_is_better=True)
    assert got["excess over better single: a1 + b1"] == 7


def test_two_by_two_by_two():
    """y = 2 a + 3 b + 5 c + ab + 7 abc over a base of 10, worked by hand."""
    of = design(2, 2, 2)
    cells = [10 + 2 * a + 3 * b + 5 * c + a * b + 7 * a * b * c for a, b, c in itertools.product((0, 1), repeat=3)]
    got = found(of, cells)
    assert got["main: a1"] == 2 + 1 / 2 + 7 / 4
    assert got["main: c1"] == 5 + 7 / 4
    assert got["interaction: a1 × b1"] == 1 + 7 / 2
    assert got["interaction: b1 × c1"] == 7 / 2
    assert got["interaction: a1 × b1 × c1"] == 7
    assert got["effect: a1 + b1 + c1"] == 18
    assert got["excess over additive: a1 + b1"] == 1
    assert got["excess over additive: b1 + c1"] == 0
    assert got["excess over additive: a1 + b1 + c1"] == 8
    assert got["excess over better single: a1 + b1 + c1"] == 28 - 15
    assert len(got) == 3 + 4 + 7 + 4 + 4


def test_additive_cells_have_no_interaction():
    rng = np.random.default_rng(0)
    for shape in ((2, 2), (3, 2), (2, 3, 2), (2, 2, 2)):
        effects = [np.append(0.0, rng.normal(size=n - 1)) for n in shape]
        y = [sum(e[i] for e, i in zip(effects, at, strict=True)) for at in itertools.product(*map(range, shape))]
        got = found(design(*shape), y)
        for name, value in got.items():
            if name.startswith(("interaction", "excess over additive")):
                assert value == pytest.approx(0, abs=1e-12), name
            if name.startswith("main"):
                f, level = "abc".index(name[-2]), int(name[-1])
                assert value == pytest.approx(effects[f][level])


def study(endpoint):
    return osteon.Study.model_validate(
        {
            "id": "s",
            "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": 40},
            "factors": {"a": "exercise weekly", "b": "denosumab 60 mg SC every 6 months"},
            "visits": [0.0, 12.0],
            "endpoints": [endpoint, "hip_fracture"],
        }
    )


def made(endpoint, cells):
    """A Result [cell, draw] of ratios at month 12."""
    s = study(endpoint)
    ratio = np.array(cells, float)
    values = np.stack([np.ones_like(ratio), ratio], axis=-1).transpose(1, 0, 2)[:, :, None, :]
    times = [0, 12 * MONTH_DAYS]
    result = build({endpoint: values}, time_days=times, arms=[a.name for a in s.arms], units={endpoint: "1"}, provenance={})  # fmt: skip
    return s, result


def test_paired_by_draw():
    """Draws that differ much between themselves, and not at all in the contrast."""
    base = np.array([0.8, 1.0, 1.3, 1.7])
    s, result = made("total_hip_bmd", [base, base + 0.01, base + 0.02, base + 0.04])
    got = table(result, s, design_of(s))
    assert tuple(got.columns) == COLUMNS
    assert set(got["month"]) == {12}
    row = got.set_index("name").loc["excess over additive: a + b"]
    assert (row["value"], row["lower"], row["upper"], row["p_positive"]) == pytest.approx((1, 1, 1, 1))
    (text,) = words(got, 12.0)
    assert "better than the better single with probability over 0.99 (+2.00 points, interval +2.00 to +2.00)" in text


def test_probability_and_no_difference():
    one = np.ones(4)
    s, result = made("total_hip_bmd", [one, one, one, [1.01, 1.01, 1.01, 0.99]])
    got = table(result, s, design_of(s)).set_index("name")
    assert got.loc["effect: a + b", "p_positive"] == 0.75
    assert got.loc["effect: a", "p_positive"] == 0.5  # neither above nor below
    assert got.loc["excess over additive: a + b", "value"] == pytest.approx(0.5)


def test_markers_multiply():
    """Halved by one and by the other: a quarter is additive on the scale of ratios."""
    half, quarter = np.full(3, 0.5), np.full(3, 0.25)
    s, result = made("ctx", [np.ones(3), half, half, quarter])
    got = table(result, s, design_of(s)).set_index("name")
    assert got.loc["excess over additive: a + b", "value"] == pytest.approx(0)
    assert got.loc["effect: a", "value"] == pytest.approx(-50)
    assert got.loc["excess over better single: a + b", "value"] == pytest.approx(-50)
    assert words(table(result, s, design_of(s)), 12.0) == []


def test_one_draw_has_values_alone():
    s, result = made("total_hip_bmd", [[1], [1.01], [1.02], [1.05]])
    got = table(result, s, design_of(s))
    assert got[["lower", "upper", "p_positive"]].isna().all(axis=None)
    assert "differs from the better single by +3.00 points" in words(got, 12.0)[0]


def test_what_the_gain_rests_on():
    rng = np.random.default_rng(3)
    gain, other = rng.uniform(0, 0.02, 60), rng.normal(size=60)
    base = rng.uniform(0.9, 1.1, 60)
    s, result = made("total_hip_bmd", [base, base + 0.01, base + 0.01, base + 0.02 + gain])
    (row,) = rests_on(result, s, design_of(s), {"synergy": gain, "other": other})
    assert (row["name"], row["endpoint"], row["month"]) == ("excess over better single: a + b", "total_hip_bmd", 12)
    assert row["parameters"] == {"synergy": pytest.approx(1)}
    (text,) = words(table(result, s, design_of(s)), 12.0, [row])
    assert text.endswith("the gain over the better single goes most with synergy (+1.00)")


def test_on_what_grounds():
    """What decides is told with what it rests on, fitted or not."""
    fit = {"id": "a", "name": "a", "rests_on": "fitted to trials", "grade": ""}
    guess = {"id": "b", "name": "b", "rests_on": "assumed", "grade": "D"}
    assert grounds([]) == ""
    assert grounds([fit]) == "What decides these gains most was fitted to trials"
    assert "only 1 was fitted" in grounds([fit, guess])
    assert "grade D" in grounds([fit, guess])
    assert "none was fitted" in grounds([guess])


def test_what_begins_at_nothing():
    """A graft is 0 in every cell at month 0, so that there is no % change of it."""
    s = study("graft")
    values = np.zeros((3, 4, 1, 2))
    values[:, 3, :, 1] = 0.2
    times = [0, 12 * MONTH_DAYS]
    result = build(
        {"graft": values}, time_days=times, arms=[a.name for a in s.arms], units={"graft": "1"}, provenance={}
    )
    got = table(result, s, design_of(s)).set_index("name")
    assert got.loc["effect: a + b", "value"] == pytest.approx(20)
    assert got.notna().all(axis=None)
