"""The kernel against the reference integrator on the benchmark's people: is the truth true, and are people close to it?"""

import numpy as np
import pytest

import scenarios
import truth
from osteon.engine import batch

BOTH = pytest.mark.parametrize("scenario", scenarios.REGIMENS)


def setup_of(scenario, people):
    return batch.prepare(
        scenarios.MODEL,
        lambda a, b: people.take(slice(a, b)),
        people.n,
        scenarios.courses(scenario),
        scenarios.OUTPUTS,
    )


@BOTH
@pytest.mark.parametrize("n", [8, pytest.param(256, marks=pytest.mark.slow)])
def test_truth_is_the_reference(scenario, n):
    """The fine kernel, by which large populations are judged, is within 1e-6 % of the reference."""
    people = scenarios.people(n)
    off = np.abs(truth.fine(scenario, people) - truth.reference(scenario, n)) / np.abs(truth.reference(scenario, n))
    assert off.max() < 1e-8


@BOTH
@pytest.mark.parametrize("n", [4096, pytest.param(65_536, marks=pytest.mark.slow)])
def test_nearly_everyone_is_within_a_hundredth_of_a_per_cent(scenario, n):
    people = scenarios.people(n)
    setup = setup_of(scenario, people)
    parts, worst = [], {}
    for _, _, observed, flags in batch.chunks(setup, lambda a, b: people.take(slice(a, b)), n):
        parts.append(setup.goal(observed))
        batch.count_flags(worst, flags)
    found = scenarios.accuracy(np.concatenate(parts, axis=1), truth.fine(scenario, people))
    assert worst["failed"] == 0
    assert found.share >= 0.999
    assert found.max_pct <= 0.05


@BOTH
def test_error_estimates_find_the_worst(scenario):
    """Of the people who are beyond 0.01 % before re-runs, most are run again, ten times as many as by chance."""
    people = scenarios.people(16_384)
    setup = setup_of(scenario, people)
    first, estimate = setup.run(people, setup.grid)
    fine, _ = setup.run(people, setup.grid.finer(4))
    beyond = setup.difference(first, fine) > batch.LIMIT
    assert beyond.any()
    assert np.mean(estimate[beyond] > setup.threshold) > 0.75
    assert np.mean(estimate > setup.threshold) < 0.1
