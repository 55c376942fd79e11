"""Jörg et al. 2022 against the oracle table: every row except goodness of fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from jorg2022_scenarios import (
    ARMS,
    MODEL,
    PULSES,
    REGIMENS,
    SEQUENCES,
    START,
    Course,
    P,
    equilibrium,
    exposure,
    oracle,
)

from osteon.published.jorg2022 import YEAR_DAYS, rates

ORACLE = oracle()
END = 85 * YEAR_DAYS


def assert_rows(rows, value_of):
    wrong = []
    for time, quantity, expected in rows:
        value = value_of(quantity, time)
        if not (abs(value - expected) <= 1e-6 * abs(expected) or abs(value - expected) <= 1e-9):
            wrong.append((time, quantity, expected, value))
    assert wrong == []


def test_every_scenario_is_covered():
    """No row of the table is left out by accident."""
    checked = {"equilibrium", "rhs_probe", "rhs_probe_no_drug", *PULSES, *REGIMENS, *(f"fit_{a}" for a in ARMS)}
    left = {name for name in set(ORACLE) - checked if not name.startswith("gof_")}
    assert left == {
        *(f"{name}_as_published" for name in SEQUENCES),
        *(f"fig3{panel}_authors_vector_pdf_{name[4:]}" for panel in "BC" for name in SEQUENCES),
    }


@pytest.mark.parametrize("scenario", ["rhs_probe", "rhs_probe_no_drug"])
def test_right_hand_side(scenario):
    x = [value for _, name, value in ORACLE["rhs_probe"] if name.startswith("state_")]
    psi = (0.8 + 0.4, 3.0, 0.05, 0.32) if scenario == "rhs_probe" else (0.0,) * 4
    production, loss = rates(x, psi, 24465.0, P)
    ours = [a - b * c for a, b, c in zip(production, loss, x, strict=True)]
    theirs = [value for _, name, value in ORACLE[scenario] if name.startswith("deriv_")]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=0)


def test_equilibrium():
    ours = equilibrium()
    assert_rows(ORACLE["equilibrium"], lambda name, _: ours[name])
    time, x = MODEL.start(P)
    production, loss = rates(x, (0.0,) * 4, time, P)
    net = [(a - b * c) / a for a, b, c in zip(production, loss, x, strict=True) if a > 0]
    assert np.max(np.abs(net)) < 1e-12  # a fixed point in all but bone density, which falls


@pytest.mark.parametrize("scenario", PULSES)
def test_exposure(scenario):
    channel, text = PULSES[scenario]
    levels = exposure(text, START)

    def value_of(name, time):
        if name.startswith("psi_plateau"):
            return exposure(text.split(" for ")[0] + " for 100000 days", START).at(START * YEAR_DAYS + 9e4)[channel]
        return levels.at(time)[channel]

    assert_rows(ORACLE[scenario], value_of)


@pytest.mark.parametrize("scenario", REGIMENS)
def test_course(scenario):
    rows = ORACLE[scenario]
    times = [time for time, _, _ in rows if time is not None]
    daily = END if scenario != "untreated" else 0.0
    course = Course(REGIMENS[scenario], START, times, daily_until=daily)
    assert_rows(rows, course.quantity)


@pytest.mark.parametrize("arm", ARMS)
def test_fitted_arm(arm):
    age, text = ARMS[arm]
    rows = ORACLE[f"fit_{arm}"]
    assert_rows(rows, Course(text, age, [time for time, _, _ in rows if time is not None]).quantity)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_published_figures(sequence):
    """As published (loose solver tolerances of the paper): 1.5e-4 absolute."""
    course = Course(SEQUENCES[sequence], START, [80 * YEAR_DAYS, 82 * YEAR_DAYS], daily_until=END)
    letters = sequence[4:]
    names = [f"{sequence}_as_published", *(f"fig3{panel}_authors_vector_pdf_{letters}" for panel in "BC")]
    rows = [row for name in names for row in ORACLE[name]]
    assert len(rows) == 4
    for time, quantity, expected in rows:
        assert course.quantity(quantity, time) == pytest.approx(expected, rel=0, abs=1.5e-4)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_sequence_through_the_command_line(sequence, capsys):
    from osteon.cli.main import run

    text = ["--regimen", SEQUENCES[sequence], "--until", "18 years", "--every", "1 day"]
    assert run(["simulate", "--model", "jorg2022", "--age", "67", *text, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    days = np.array(told["time_days"])
    assert days[0] == 0
    assert days[-1] == 18 * 365
    for time, quantity, expected in ORACLE[sequence]:
        if quantity == "bmd_change":
            value = told["series"]["total_hip_bmd_pct"][round(time - 67 * 365)] / 100
        elif quantity.endswith("_rel_start"):
            value = 1 + told["series"][quantity.removesuffix("_rel_start") + "_pct"][round(time - 67 * 365)] / 100
        elif quantity == "max_bmd_change_daily_grid":
            value = max(told["series"]["total_hip_bmd_pct"]) / 100
        else:
            continue
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-9)
