"""Mixed model for repeated measures: all visits of a trial at once, with an unstructured covariance.

    y of a person = B z + error,     error ~ N(0, Σ), Σ any positive definite matrix [visit, visit]

with z the person's arm and baseline values, and a mean of each arm and a slope of each baseline value at every visit.
What is missing is left out (valid when missing at random). Σ is found by REML: Fisher scoring with the exact expected
information of the restricted likelihood. People with the same visits share their sums of squares, so the work grows
with the patterns of missing visits, not with people. Degrees of freedom are Satterthwaite's, from that information.
Errors of the estimates are the model's own, without Kenward and Roger's correction for small samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import InputError

COLUMNS = ("arm", "visit", "estimate", "se", "df", "lower", "upper", "p", "n")
_ROUNDS, _CLOSE, _HALVINGS = 100, 1e-9, 30


@dataclass(frozen=True)
class Mmrm:
    """`means` of each arm and visit at the mean baseline and `differences` from arm 0 (tables with the columns
    COLUMNS; `visit` is the column of y), the `covariance` [visit, visit], and the `deviance`, −2 log (restricted)
    likelihood."""

    means: pd.DataFrame
    differences: pd.DataFrame
    covariance: np.ndarray
    deviance: float
    rounds: int


@dataclass(frozen=True)
class _Sums:
    """Of each pattern of visits: which are `there` [pattern, visit], how many people `n`, and sums over them of
    products of z and y; what is missing counts 0."""

    there: np.ndarray
    n: np.ndarray
    zz: np.ndarray  # pattern, p, p
    zy: np.ndarray  # pattern, p, visit
    yy: np.ndarray  # pattern, visit, visit


@dataclass(frozen=True)
class _State:
    """The likelihood at one Σ, and what its derivatives need."""

    inverse: np.ndarray  # pattern, visit, visit: of Σ of the visits that are there, 0 elsewhere
    beta: np.ndarray  # visit, p
    errors: np.ndarray  # visit, p, visit, p: covariance of beta
    loglik: float


def mmrm(
    y: np.ndarray, arm: np.ndarray, covariates: np.ndarray | None = None, *, arms: int | None = None,
    alpha: float = 0.05, reml: bool = True,
) -> Mmrm:  # fmt: skip
    """Fit values `y` [person, visit] (NaN: missing) of people in `arm` [person] (0, 1 …), with `covariates`
    [person, c].

    People without any value, or with a covariate missing, are left out. Raises InputError when an arm has nobody at a
    visit, when people are too few, and when no covariance is found.
    """
    y, arm = np.asarray(y, float), np.asarray(arm)
    arms = int(arm.max()) + 1 if arms is None else arms
    x = np.empty((len(y), 0)) if covariates is None else np.asarray(covariates, float).reshape(len(y), -1)
    use = np.isfinite(y).any(axis=1) & np.isfinite(x).all(axis=1)
    y, arm, x = y[use], arm[use], x[use]
    x = x - x.mean(axis=0)
    z = np.hstack([arm[:, None] == np.arange(arms), x[:, np.ptp(x, axis=0) > 0]]).astype(float)
    counts = np.stack([np.isfinite(y[arm == k]).sum(axis=0) for k in range(arms)])
    _check(counts, z.shape[1])
    # In units of about 1, so that one measure of closeness serves all end points.
    unit = float(np.nanstd(y)) or 1.0
    sums = _sums(y / unit, z)
    covariance, state, information, rounds = _fit(sums, np.diag(np.nanvar(y / unit, axis=0)), reml)
    slopes = _slopes(sums, state)
    means = [(k, v, np.eye(z.shape[1])[k]) for k in range(arms) for v in range(y.shape[1])]
    apart = [(k, v, contrast - np.eye(z.shape[1])[0]) for k, v, contrast in means if k > 0]
    made = [_table(part, state, slopes, information, counts, alpha, unit) for part in (means, apart)]
    size = float(np.isfinite(y).sum()) - (state.beta.size if reml else 0)
    deviance = -2 * state.loglik + 2 * size * np.log(unit)
    return Mmrm(made[0], made[1], covariance * unit**2, deviance, rounds)


def _check(counts: np.ndarray, width: int) -> None:
    if (counts == 0).any():
        arm, visit = (int(i) for i in np.argwhere(counts == 0)[0])
        raise InputError(f"mmrm: arm {arm + 1} has nobody with a value at visit {visit + 1}; take more people")
    if counts.sum(axis=0).min() <= width + counts.shape[1]:
        raise InputError(
            f"mmrm: {int(counts.sum(axis=0).min())} people are too few for {counts.shape[1]} visits and "
            f"{counts.shape[0]} arms; take more people, or 'analysis: {{method: ancova}}'"
        )


def _sums(y: np.ndarray, z: np.ndarray) -> _Sums:
    seen = np.isfinite(y)
    code = seen @ (1 << np.arange(seen.shape[1]))
    order = np.argsort(code, kind="stable")
    _, first, n = np.unique(code[order], return_index=True, return_counts=True)
    both, p = np.hstack([z, np.where(seen, y, 0.0)])[order], z.shape[1]
    parts = np.split(both, first[1:])
    products = np.stack([part.T @ part for part in parts])
    return _Sums(seen[order[first]], n.astype(float), products[:, :p, :p], products[:, :p, p:], products[:, p:, p:])


def _evaluate(sums: _Sums, covariance: np.ndarray, reml: bool) -> _State | None:
    """The likelihood at a covariance; None where that is not positive definite."""
    both = sums.there[:, :, None] & sums.there[:, None, :]
    padded = np.where(both, covariance, np.eye(len(covariance)))
    sign, logdet = np.linalg.slogdet(padded)
    if (np.linalg.eigvalsh(covariance) <= 0).any() or (sign <= 0).any():
        return None
    inverse = np.where(both, np.linalg.inv(padded), 0.0)
    visits, p = sums.zy.shape[2], sums.zz.shape[1]
    normal = np.einsum("ovw,opq->vpwq", inverse, sums.zz, optimize=True).reshape(visits * p, visits * p)
    right = np.einsum("ovw,opw->vp", inverse, sums.zy, optimize=True).ravel()
    errors = np.linalg.inv(normal)
    beta = errors @ right
    squares = float(np.einsum("ovw,ovw->", inverse, sums.yy)) - float(right @ beta)
    total = float(sums.there.sum(axis=1) @ sums.n)
    twice = float(sums.n @ logdet) + squares + total * np.log(2 * np.pi)
    if reml:
        twice += float(np.linalg.slogdet(normal)[1]) - beta.size * np.log(2 * np.pi)
    return _State(inverse, beta.reshape(visits, p), errors.reshape(visits, p, visits, p), -twice / 2)


def _pairs(visits: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(visits)


def _slopes(sums: _Sums, state: _State) -> np.ndarray:
    """Derivatives of X'V⁻¹X by the elements of Σ, sign turned [element, visit·p, visit·p]."""
    (patterns, visits, _), p = state.inverse.shape, sums.zz.shape[1]
    flat = state.inverse.reshape(patterns, -1)
    wide = (flat[:, :, None] * sums.zz.reshape(patterns, 1, -1)).reshape(patterns, -1)
    # v, i, j, w, p, q: sum over patterns of inverse[v, i] · inverse[j, w] · zz[p, q]
    made = (flat.T @ wide).reshape(visits, visits, visits, visits, p, p)
    full = made.transpose(1, 2, 0, 4, 3, 5).reshape(visits, visits, visits * p, visits * p)
    rows, columns = _pairs(visits)
    both = full[rows, columns] + full[columns, rows]
    return np.asarray(np.where((rows == columns)[:, None, None], both / 2, both))


def _derivatives(sums: _Sums, state: _State, reml: bool) -> tuple[np.ndarray, np.ndarray]:
    """Score [element] and expected information [element, element] of the elements of Σ."""
    a, visits = state.inverse, state.inverse.shape[1]
    fitted = np.einsum("vp,opw->ovw", state.beta, sums.zy)
    left = sums.yy - fitted - fitted.transpose(0, 2, 1)
    left = left + np.einsum("vp,opq,wq->ovw", state.beta, sums.zz, state.beta, optimize=True)
    spread = np.einsum("vpwq,opq->ovw", state.errors, sums.zz, optimize=True) if reml else np.zeros_like(left)
    score = -0.5 * (np.einsum("o,ovw->vw", sums.n, a) - (a @ (left + spread) @ a).sum(axis=0))
    pull = sums.n[:, None, None] * a - 2 * a @ spread @ a
    full = 0.5 * np.einsum("oda,obc->abcd", pull, a, optimize=True).reshape(visits**2, visits**2)
    rows, columns = _pairs(visits)
    choose = np.zeros((visits**2, len(rows)))
    choose[rows * visits + columns, np.arange(len(rows))] = 1.0
    choose[columns * visits + rows, np.arange(len(rows))] = 1.0
    information = choose.T @ full @ choose
    information = (information + information.T) / 2
    if reml:
        errors = state.errors.reshape(state.beta.size, -1)
        turned = errors @ _slopes(sums, state)
        flat = turned.reshape(len(rows), -1)
        information += 0.5 * flat @ turned.transpose(0, 2, 1).reshape(len(rows), -1).T
    return choose.T @ score.ravel(), information


def _fit(sums: _Sums, start: np.ndarray, reml: bool) -> tuple[np.ndarray, _State, np.ndarray, int]:
    """The covariance of greatest likelihood, the state and inverse information there, and the rounds it took."""
    covariance, visits = start, len(start)
    state = _evaluate(sums, covariance, reml)
    rows, columns = _pairs(visits)
    for done in range(_ROUNDS):
        if state is None:
            break
        score, information = _derivatives(sums, state, reml)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            break
        if score @ step < _CLOSE:
            return covariance, state, np.linalg.inv(information), done
        for halving in range(_HALVINGS):
            move = np.zeros((visits, visits))
            move[rows, columns] = move[columns, rows] = step / 2**halving
            tried = _evaluate(sums, covariance + move, reml)
            if tried is not None and tried.loglik >= state.loglik - 1e-9 * abs(state.loglik):
                covariance, state = covariance + move, tried
                break
        else:
            break
    raise InputError(
        "mmrm: no covariance of the visits was found (too few people, or visits that are all but the same); "
        "use 'analysis: {method: ancova}'"
    )


def _table(
    contrasts: list[tuple[int, int, np.ndarray]], state: _State, slopes: np.ndarray, information: np.ndarray,
    counts: np.ndarray, alpha: float, unit: float,
) -> pd.DataFrame:  # fmt: skip
    from scipy import stats

    visits, p = state.beta.shape
    errors = state.errors.reshape(visits * p, visits * p)
    rows = []
    for arm, visit, contrast in contrasts:
        spread = errors[:, visit * p : (visit + 1) * p] @ contrast
        variance = float(contrast @ spread[visit * p : (visit + 1) * p])
        gradient = slopes @ spread @ spread
        df = 2 * variance**2 / float(gradient @ information @ gradient)
        estimate, se = float(state.beta[visit] @ contrast), variance**0.5
        half = float(stats.t.isf(alpha / 2, df)) * se
        p_value = float(2 * stats.t.sf(abs(estimate / se), df))
        sizes = (unit * x for x in (estimate, se))
        limits = (unit * (estimate - half), unit * (estimate + half))
        rows.append((arm, visit, *sizes, df, *limits, p_value, int(counts[arm, visit])))
    return pd.DataFrame(rows, columns=list(COLUMNS))
