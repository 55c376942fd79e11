"""MMRM: a published example, the likelihood written out, and its type I error."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.trial.analyse.ancova import ancova
from osteon.trial.analyse.mmrm import mmrm

HOURS = [f"hour{i}" for i in range(1, 9)]
# FEV1 of 24 patients by hour after each of three drugs: data of Littell et al., SAS for Mixed Models (sample library of
# SAS/STAT courses), and the output of PROC MIXED, type=un, REML, model drug|hour, as printed by the University of
# Florida (STA6167, output 5.1).
DEVIANCE = 197.46436713
COVARIANCE = """
0.4541 0.4587 0.4441 0.4154 0.4349 0.3934 0.3562 0.3840
0.4587 0.5163 0.4808 0.4688 0.4943 0.4254 0.3992 0.4257
0.4441 0.4808 0.4923 0.4687 0.4843 0.4263 0.4021 0.4256
0.4154 0.4688 0.4687 0.4938 0.4837 0.4179 0.4023 0.4251
0.4349 0.4943 0.4843 0.4837 0.5779 0.4945 0.4643 0.4950
0.3934 0.4254 0.4263 0.4179 0.4945 0.4906 0.4454 0.4632
0.3562 0.3992 0.4021 0.4023 0.4643 0.4454 0.4994 0.4496
0.3840 0.4257 0.4256 0.4251 0.4950 0.4632 0.4496 0.5031
"""


@pytest.fixture(scope="module")
def fev1():
    table = pd.read_csv(Path(__file__).with_name("fev1.csv"))
    return (
        table[HOURS].to_numpy(),
        table["drug"].map({"a": 0, "c": 1, "p": 2}).to_numpy(),
        table["baseline"].to_numpy(),
    )


def test_published_example(fev1):
    y, drug, _ = fev1
    found = mmrm(y, drug)
    published = np.array([line.split() for line in COVARIANCE.strip().splitlines()], float)
    assert found.deviance == pytest.approx(DEVIANCE, abs=1e-7)
    assert found.covariance == pytest.approx(published, abs=5.1e-5)
    assert found.means["df"].to_numpy() == pytest.approx(69.0)
    assert (found.differences["n"] == 24).all()


def with_gaps(fev1, share=0.2, seed=0):
    y, drug, baseline = fev1
    y, drug, baseline = y[::2, :3].copy(), drug[::2], baseline[::2]
    y[np.random.default_rng(seed).random(y.shape) < share] = np.nan
    return y, drug, baseline


def dense(y, z, covariance):
    """−2 log restricted likelihood with everything written out, and the generalised least squares."""
    visits, seen = y.shape[1], np.isfinite(y)
    design = np.vstack([np.kron(np.eye(visits), row)[there] for row, there in zip(z, seen, strict=True)])
    v = np.zeros((seen.sum(),) * 2)
    at = 0
    for there in seen:
        k = there.sum()
        v[at : at + k, at : at + k] = covariance[np.ix_(there, there)]
        at += k
    inverse = np.linalg.inv(v)
    normal = design.T @ inverse @ design
    beta = np.linalg.solve(normal, design.T @ inverse @ y[seen])
    left = y[seen] - design @ beta
    twice = np.linalg.slogdet(v)[1] + np.linalg.slogdet(normal)[1] + left @ inverse @ left
    return twice + (len(left) - len(beta)) * np.log(2 * np.pi), beta.reshape(visits, -1), np.linalg.inv(normal)


def test_missing_visits_against_the_likelihood_written_out(fev1):
    y, drug, baseline = with_gaps(fev1)
    found = mmrm(y, drug, baseline)
    use = np.isfinite(y).any(axis=1)
    y, drug, baseline = y[use], drug[use], baseline[use]
    z = np.column_stack([drug == 0, drug == 1, drug == 2, baseline - baseline.mean()]).astype(float)
    twice, beta, errors = dense(y, z, found.covariance)
    assert found.deviance == pytest.approx(twice, abs=1e-6)
    assert found.means.set_index(["arm", "visit"])["estimate"].unstack(0).to_numpy() == pytest.approx(beta[:, :3])
    assert found.means["se"][0] == pytest.approx(errors[0, 0] ** 0.5)
    for i, j in zip(*np.triu_indices(3), strict=True):  # no small change of Σ does better
        for sign in (-1, 1):
            moved = found.covariance.copy()
            moved[i, j] += sign * 0.01
            moved[j, i] = moved[i, j]
            assert dense(y, z, moved)[0] > twice


def test_one_visit_is_an_ancova(fev1):
    y, drug, baseline = fev1
    _, apart = ancova(y[:, 2], baseline, drug)
    found = mmrm(y[:, 2:3], drug, baseline).differences
    for name in ("estimate", "se", "df", "lower", "upper", "p"):
        assert found[name].to_numpy() == pytest.approx(apart[name].to_numpy(), rel=1e-6), name


def test_units_do_not_matter(fev1):
    y, drug, baseline = with_gaps(fev1)
    one, other = mmrm(y, drug, baseline), mmrm(1000 * y, drug, baseline)
    assert other.differences["estimate"].to_numpy() == pytest.approx(1000 * one.differences["estimate"].to_numpy())
    assert other.differences["p"].to_numpy() == pytest.approx(one.differences["p"].to_numpy(), rel=1e-5)


def made(rng, n=60, effect=0.0):
    arm = np.arange(n) % 2
    baseline = rng.normal(0, 1, n)
    y = rng.normal(0, 1, (n, 3)).cumsum(axis=1) + 0.5 * baseline[:, None] + effect * arm[:, None]
    for k in (1, 2):  # leaves after a high value
        y[y[:, k - 1] > 1.5, k:] = np.nan
    return y, arm, baseline


def test_type_one_error_is_five_percent():
    rng, n = np.random.default_rng(3), 100
    wrong = sum(mmrm(*made(rng)).differences["p"].iloc[-1] < 0.05 for _ in range(n))
    assert wrong / n == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / n) ** 0.5)


def test_it_is_right_about_those_who_left_by_what_was_seen():
    y, arm, baseline = made(np.random.default_rng(4), n=20_000)
    mean = mmrm(y, arm, baseline).means["estimate"].iloc[2]
    assert abs(mean) < 0.05 < abs(np.nanmean(y[arm == 0, 2]))


def test_too_few_people_is_an_error(fev1):
    y, drug, _ = fev1
    with pytest.raises(InputError, match="too few for 8 visits"):
        mmrm(y[::8], drug[::8])
    gone = y.copy()
    gone[drug == 2, 7] = np.nan
    with pytest.raises(InputError, match="arm 3 has nobody with a value at visit 8"):
        mmrm(gone, drug)
