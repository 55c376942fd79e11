"""A whole fit on a few arms: its files, its sample, and how the shipped one comes back as parameters."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from osteon import parameters
from osteon.fit import run
from osteon.fit.optimise import Found
from osteon.fit.sample import Together, r_hat, sample
from osteon.fit.targets import Targets, targets
from osteon.parameters.priors import is_fitted, is_sampled
from osteon.skeleton import Osteon

MODEL = Osteon()


@pytest.fixture(scope="module")
def found():
    tasks = tuple(t for t in targets(MODEL).tasks if t.trial == "DMAB_PH2")[:2]
    return run.fit(MODEL, rounds=4, draws=20, starts=1, every=Targets(tasks))


def test_files_say_what_was_found(found, tmp_path):
    run.write(found, tmp_path)
    told = json.loads((tmp_path / "fit.json").read_text())
    assert told["run"]["trials"] == ["DMAB_PH2"]
    assert {row["id"] for row in told["values"]} == {c.id for c in found.problem.free}
    assert all(row["low"] <= row["high"] for row in told["values"])
    assert told["weak"], "two arms cannot tell all parameters"
    draws = (tmp_path / "draws.csv").read_text().split()
    assert len(draws) == 21
    assert all(len(line.split(",")) == len(found.problem.free) for line in draws)


def test_what_data_do_not_tell_stays_with_the_prior(found):
    rows = {row["id"]: row for row in found.values()}
    assert rows["abaloparatide_effect"]["sd"] == pytest.approx(rows["abaloparatide_effect"]["prior_sd"], rel=0.02)
    assert rows["denosumab_half_value"]["sd"] < 0.8 * rows["denosumab_half_value"]["prior_sd"]


def test_threads_that_ask_together_each_get_their_own_answer():
    calls = []

    def square(rows):
        calls.append(len(rows))
        return rows[:, 0] ** 2

    together = Together(square, 3)

    def ask(thread):
        with together:  # they ask unequally often
            return [together(np.full((thread + 1, 1), 10.0 * thread + i)).tolist() for i in range(3 + thread)]

    with ThreadPoolExecutor(3) as pool:
        for thread, found in enumerate(pool.map(ask, range(3))):
            assert found == [[(10.0 * thread + i) ** 2] * (thread + 1) for i in range(3 + thread)]
    assert calls == [6, 6, 6, 5, 3]


def test_what_fails_for_threads_together_fails_for_each():
    def bad(rows):
        raise ValueError("no")

    together = Together(bad, 2)

    def ask(_):
        with together, pytest.raises(ValueError, match="no"):
            together(np.zeros((1, 1)))
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(ask, range(2)))


class Skewed:
    """A posterior whose curvature misleads: exp(z) has the gamma distribution of shape 3 in each of 8 coordinates."""

    count, shape = 8, 3.0

    def misfit(self, z):
        return (np.exp(z) - self.shape * z).sum(axis=1)


def test_the_sample_is_that_of_the_posterior():
    problem = Skewed()
    top = np.full(8, np.log(3.0))
    found = Found(top, 0.0, np.sqrt(3.0) * np.eye(8), 0)
    posterior = sample(problem, found, rounds=3000, draws=4000, seed=2)
    assert posterior.r_hat.max() < 1.01
    assert posterior.effective.min() > 1000
    gamma = np.exp(posterior.z)
    assert gamma.mean(axis=0) == pytest.approx(np.full(8, 3.0), abs=0.2)
    assert gamma.var(axis=0) == pytest.approx(np.full(8, 3.0), rel=0.2)
    assert np.quantile(gamma, 0.05) == pytest.approx(0.818, abs=0.06)


def test_r_hat_tells_chains_that_disagree():
    rng = np.random.default_rng(0)
    same = rng.standard_normal((4, 200, 10, 2))
    assert r_hat(same).max() < 1.01
    apart = same + np.arange(4)[:, None, None, None]
    assert r_hat(apart).min() > 1.3


def test_shipped_fit():
    """Fitted records say so, keep their prior's center, and the draws lie round them."""
    records, draws = parameters.load("osteon"), parameters.draws("osteon")
    fitted = [r for r in records.values() if is_fitted(r)]
    assert {r.id for r in fitted} == set(draws) - {r.id for r in records.values() if is_sampled(r)}
    for record in fitted:
        assert record.origin == "fitted here"
        assert "center" in record.prior
        low, high = np.quantile(draws[record.id], [0.001, 0.999])
        assert low <= record.value <= high, record.id
    assert len(next(iter(draws.values()))) >= 200
