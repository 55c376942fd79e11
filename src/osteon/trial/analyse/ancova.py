"""Change from month 0 by arm, adjusted for the value at month 0 (analysis of covariance).

    change = mean of the arm + slope · (value at month 0 − its mean) + error

`ancova` is statsmodels' ordinary least squares, with its HC3 standard errors when `robust`; `ancova_many` the same
least squares for many replicates of a trial at once, tested to agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteon.errors import InputError

COLUMNS = ("arm", "estimate", "se", "df", "lower", "upper", "p", "n")


@dataclass(frozen=True)
class Differences:
    """Differences from the first arm, arrays [..., arm − 1]: `estimate`, `se`, `df` (degrees of freedom of t),
    `lower` and `upper` limits, two-sided `p`."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray


def ancova(
    change: np.ndarray, baseline: np.ndarray, arm: np.ndarray, *, arms: int | None = None, alpha: float = 0.05,
    robust: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Adjusted means and differences from arm 0, of people [person] with `change`, `baseline` and `arm` (0, 1 …).

    People whose change or baseline is NaN are left out. Both tables have the columns COLUMNS; a mean is that at the
    mean baseline of all who are analysed. Raises InputError when an arm has nobody, or no degree of freedom is left.
    """
    from statsmodels.regression.linear_model import OLS  # statsmodels.api takes a second more to import

    change, baseline, arm = (np.asarray(x) for x in (change, baseline, arm))
    arms = int(arm.max()) + 1 if arms is None else arms
    use = np.isfinite(change) & np.isfinite(baseline)
    y, b, a = change[use].astype(float), baseline[use].astype(float), arm[use]
    n = np.bincount(a, minlength=arms)
    _check(n, len(y) - arms - 1)
    b = b - b.mean()
    columns = [a[:, None] == np.arange(arms)] + ([b[:, None]] if np.ptp(b) > 0 else [])
    # The arms add up to a constant; that is said so that it is not looked for.
    model = OLS(y, np.hstack(columns).astype(float), hasconst=True)
    fit = model.fit(cov_type="HC3" if robust else "nonrobust", use_t=True)
    width = fit.params.size
    means = np.eye(arms, width)
    return _table(fit, means, n, alpha, 0), _table(fit, means[1:] - means[0], n[1:], alpha, 1)


def _check(n: np.ndarray, df: int) -> None:
    if (n == 0).any():
        raise InputError(f"arm {int(np.argmin(n)) + 1} has nobody with a value to analyse; take more people")
    if df < 1:
        raise InputError(f"{int(n.sum())} people are too few to analyse {len(n)} arms; take more people")


def _table(fit: Any, contrasts: np.ndarray, n: np.ndarray, alpha: float, first: int) -> pd.DataFrame:
    test = fit.t_test(contrasts)
    limits = np.atleast_2d(test.conf_int(alpha))
    columns = (
        np.arange(first, first + len(contrasts)), np.ravel(test.effect), np.ravel(test.sd),
        np.full(len(contrasts), float(test.df_denom)), limits[:, 0], limits[:, 1], np.ravel(test.pvalue), n,
    )  # fmt: skip
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def ancova_many(
    change: np.ndarray, baseline: np.ndarray, arm: np.ndarray, *, arms: int | None = None, alpha: float = 0.05
) -> Differences:
    """Differences from arm 0 of many trials at once: `change` and `baseline` [..., person], `arm` [person] or of
    their shape. NaN counts as missing. Where nothing can be estimated the result is NaN."""
    from scipy import stats

    change = np.asarray(change, float)
    baseline = np.broadcast_to(np.asarray(baseline, float), change.shape)
    arm = np.asarray(arm)
    arms = int(arm.max()) + 1 if arms is None else arms
    use = np.isfinite(change) & np.isfinite(baseline)
    y, b = np.where(use, change, 0.0), np.where(use, baseline, 0.0)
    # Means by arm go first: what is left is one slope within arms.
    sums = [_by_arm(x, arm, arms) for x in (use.astype(float), y, b, y * y, b * b, y * b)]
    n, sy, sb, syy, sbb, syb = sums  # each [..., arm]
    with np.errstate(invalid="ignore", divide="ignore"):
        my, mb = sy / n, sb / n
        within_bb = (sbb - n * mb**2).sum(-1)
        within_yb = (syb - n * my * mb).sum(-1)
        within_yy = (syy - n * my**2).sum(-1)
        flat = within_bb <= 1e-12 * np.maximum(sbb.sum(-1), 1e-300)
        slope = np.where(flat, 0.0, within_yb / np.where(flat, 1.0, within_bb))
        df = n.sum(-1) - arms - ~flat
        df = np.where(df > 0, df, np.nan)
        variance = np.maximum(within_yy - slope * within_yb, 0.0) / df
        apart = mb[..., 1:] - mb[..., :1]
        estimate = my[..., 1:] - my[..., :1] - slope[..., None] * apart
        leverage = np.where(flat[..., None], 0.0, apart**2 / np.where(flat, 1.0, within_bb)[..., None])
        se = np.sqrt(variance[..., None] * (1 / n[..., 1:] + 1 / n[..., :1] + leverage))
        df = np.broadcast_to(df[..., None], se.shape)
        p = np.asarray(2 * stats.t.sf(np.abs(estimate / se), df))
        half = np.asarray(stats.t.isf(alpha / 2, df)) * se
    return Differences(estimate, se, df, estimate - half, estimate + half, p)


def _by_arm(x: np.ndarray, arm: np.ndarray, arms: int) -> np.ndarray:
    """Sums of [..., person] by arm [..., arm]."""
    if arm.ndim == 1:
        return np.asarray(x @ (arm[:, None] == np.arange(arms)).astype(float))
    return np.stack([np.where(arm == k, x, 0.0).sum(-1) for k in range(arms)], -1)
