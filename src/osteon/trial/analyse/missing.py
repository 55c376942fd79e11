"""What stands in for values that are missing.

Carrying the last value or the first one forward is simple and wrong in most trials; both are here because many were
analysed so. Multiple imputation draws what is missing from what was seen of the same person: visit by visit, each
regressed on arm, baseline and the visits before, with the coefficients drawn anew for each imputation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from osteon.errors import InputError
from osteon.trial.analyse.ancova import COLUMNS, ancova


def carry(change: np.ndarray, how: str) -> np.ndarray:
    """Changes [person, visit] with gaps closed: "locf" by the value before (none before: no change), "baseline" by no
    change at all."""
    if how == "baseline":
        return np.where(np.isfinite(change), change, 0.0)
    filled = np.column_stack([np.zeros(len(change)), change])
    last = np.maximum.accumulate(np.where(np.isfinite(filled), np.arange(filled.shape[1]), 0), axis=1)
    return np.take_along_axis(filled, last, axis=1)[:, 1:]


def impute(
    change: np.ndarray, baseline: np.ndarray, arm: np.ndarray, rng: np.random.Generator, *, times: int = 20,
    delta: float = 0.0, reference_based: bool = False,
) -> np.ndarray:  # fmt: skip
    """Changes [imputation, person, visit] with what is missing drawn `times` over.

    `delta` is added to what is imputed outside arm 0; what is imputed later does not build on it. With
    `reference_based` the regressions are those of arm 0, applied to all (copy reference). Gaps between visits that
    were kept are drawn like the others, from the visits before them. Raises InputError when people are too few.
    """
    arms = int(arm.max()) + 1
    groups = np.ones((len(arm), 1)) if reference_based else (arm[:, None] == np.arange(arms)).astype(float)
    source = arm == 0 if reference_based else np.ones(len(arm), bool)
    known = np.isfinite(baseline)
    centred = np.where(known, baseline, 0.0) - np.nanmean(baseline)
    found = np.repeat(change[None].astype(float), times, axis=0)
    for values in found:
        for visit in range(change.shape[1]):
            seen = np.isfinite(change[:, visit])
            x = np.hstack([groups, centred[:, None], values[:, :visit]])
            fit = seen & source & known
            gap = ~seen & known
            if not gap.any():
                continue
            df = int(fit.sum()) - x.shape[1]
            if df < 1:
                raise InputError("multiple imputation: too few people with values; take more, or missing: observed")
            beta, *_ = np.linalg.lstsq(x[fit], values[fit, visit], rcond=None)
            left = values[fit, visit] - x[fit] @ beta
            variance = left @ left / rng.chisquare(df)
            spread = np.linalg.pinv(x[fit].T @ x[fit]) * variance
            drawn = rng.multivariate_normal(beta, spread, method="eigh")
            values[gap, visit] = x[gap] @ drawn + variance**0.5 * rng.standard_normal(int(gap.sum()))
    shifted = ~np.isfinite(change) & (arm > 0)[:, None]
    return np.where(shifted, found + delta, found)


def pooled(
    values: np.ndarray, baseline: np.ndarray, arm: np.ndarray, *, arms: int, alpha: float = 0.05, robust: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `ancova` over imputed changes [imputation, person], put together by Rubin's rules, with Barnard
    and Rubin's degrees of freedom."""
    fits = [ancova(one, baseline, arm, arms=arms, alpha=alpha, robust=robust) for one in values]
    means, apart = ([fit[k] for fit in fits] for k in (0, 1))
    return _rubin(means, alpha), _rubin(apart, alpha)


def _rubin(tables: list[pd.DataFrame], alpha: float) -> pd.DataFrame:
    from scipy import stats

    m, first = len(tables), tables[0]
    estimates = np.stack([t["estimate"].to_numpy() for t in tables])
    within = np.stack([t["se"].to_numpy() ** 2 for t in tables]).mean(axis=0)
    between = estimates.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    share = np.where(total > 0, (1 + 1 / m) * between / np.where(total > 0, total, 1), 0.0)
    complete = first["df"].to_numpy()
    old = (m - 1) / np.maximum(share, 1e-12) ** 2
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    df = np.maximum(old * observed / (old + observed), 1e-3)
    estimate, se = estimates.mean(axis=0), np.sqrt(total)
    half = stats.t.isf(alpha / 2, df) * se
    p = 2 * stats.t.sf(np.abs(estimate / se), df)
    columns = (first["arm"], estimate, se, df, estimate - half, estimate + half, p, first["n"])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
