"""Factorial designs: what combinations of treatments are worth, from all cells of a design.

With y the change of a cell (BMD and other end points in %, markers as logarithms of their ratio to baseline), 0 the
cell in which every factor is at its reference, and C a cell in which the factors i differ from that:

    main: i                          y with i minus y without, averaged over the levels of the other factors
    effect: C                        y_C − y_0
    interaction: i × j …             difference of differences, averaged over the levels of the other factors
    excess over additive: C          (y_C − y_0) − Σ_i (y_i − y_0)
    excess over better single: C     y_C − the better of the y_i

All cells have the same people and draws, so that each contrast is taken draw by draw. Of markers it is given in %
too, as 100·(exp(contrast) − 1), so that "additive" means that ratios multiply. The better of two is the larger,
save for what is better low (`LOW_IS_BETTER`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon.deciding import FITTED, deciding
from osteon.endpoints import ENDPOINTS
from osteon.uncertainty import LOWER, UPPER
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float

    from osteon.design import Design
    from osteon.study import Study

COLUMNS = ("name", "endpoint", "month", "value", "lower", "upper", "p_positive")
LOW_IS_BETTER = frozenset(
    {"ctx", "resorption", "vertebral_fracture", "hip_fracture", "nonvertebral_fracture", "senescent_burden",
     "inflammation"}
)  # fmt: skip
# Each arm has a step sequence of its own, so that contrasts hold errors of the integration: points of BMD and of bone
# volume, points of all that turns over faster. What is smaller counts as no difference.
ACCURACY, ACCURACY_FAST = 0.01, 1.0
MAIN, EFFECT, INTERACTION, ADDITIVE, BETTER = (
    "main", "effect", "interaction", "excess over additive", "excess over better single",
)  # fmt: skip
KINDS = (MAIN, EFFECT, INTERACTION, ADDITIVE, BETTER)


@dataclass(frozen=True)
class Contrast:
    """`kind` is one of `KINDS`; `of` what it compares; `value` by draw and visit."""

    kind: str
    of: str
    value: Float[np.ndarray, "draw visit"]

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.of}"


def contrasts(
    design: Design, y: Float[np.ndarray, "cell draw visit"], *, low_is_better: bool = False
) -> Iterator[Contrast]:
    """Every contrast of a design, per draw and visit, from the cells' values in the order of `design.cells`."""
    shape = design.shape
    table = y.reshape(*shape, *y.shape[1:])
    zero = (0,) * len(shape)
    for subset in _subsets(len(shape)):
        for levels in itertools.product(*(range(1, shape[f]) for f in subset)):
            value = _difference(table, dict(zip(subset, levels, strict=True)))
            labels = [design.factors[f][1][level] for f, level in zip(subset, levels, strict=True)]
            yield Contrast(MAIN if len(subset) == 1 else INTERACTION, " × ".join(labels), value)
    sign = -1.0 if low_is_better else 1.0
    for subset in _subsets(len(shape)):
        for levels in itertools.product(*(range(1, shape[f]) for f in subset)):
            at = list(zero)
            for f, level in zip(subset, levels, strict=True):
                at[f] = level
            whole, name = table[tuple(at)], design.cell(at)
            yield Contrast(EFFECT, name, whole - table[zero])
            if len(subset) < 2:
                continue
            singles = np.stack([table[tuple(at[f] if f == one else 0 for f in range(len(at)))] for one in subset])
            parts = (singles - table[zero]).sum(axis=0)
            yield Contrast(ADDITIVE, name, whole - table[zero] - parts)
            yield Contrast(BETTER, name, whole - sign * (sign * singles).max(axis=0))


def _subsets(n: int) -> Iterator[tuple[int, ...]]:
    """Of n factors: each one, then pairs, then triples …"""
    for size in range(1, n + 1):
        yield from itertools.combinations(range(n), size)


def _difference(table: np.ndarray, levels: dict[int, int]) -> np.ndarray:
    """Differences from the first level along some factors, means over the others."""
    for f in reversed(range(table.ndim - 2)):
        table = table.take(levels[f], axis=f) - table.take(0, axis=f) if f in levels else table.mean(axis=f)
    return table


def by_draw(
    result: xr.Dataset, study: Study, design: Design, endpoint: str | None = None
) -> Iterator[tuple[str, str, float, np.ndarray]]:
    """Name, end point, month and value [draw] of each contrast, of all end points or one, at every visit after month
    0."""
    months = [month for month in study.visits if month > 0]
    for name in (n for n in study.endpoints if n in result and endpoint in (None, n)):
        y = np.stack([_change(result, design, name, month) for month in months], axis=-1)
        for contrast in contrasts(design, y, low_is_better=name in LOW_IS_BETTER):
            value = 100.0 * np.expm1(contrast.value) if ENDPOINTS[name].kind == "marker" else contrast.value
            for i, month in enumerate(months):
                yield contrast.name, name, month, value[:, i]


def table(result: xr.Dataset, study: Study, design: Design) -> pd.DataFrame:
    """Contrasts by end point and visit after month 0: mean over draws, 5 and 95 % of them, and the share of draws
    in which the contrast is above 0 (of those with no difference, half). One draw leaves all but the value empty."""
    rows = [
        (name, endpoint, month, *_told(value, _accuracy(endpoint)))
        for name, endpoint, month, value in by_draw(result, study, design)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _accuracy(endpoint: str) -> float:
    slow = ENDPOINTS[endpoint].kind == "bmd" or endpoint.endswith("_bone_volume")
    return ACCURACY if slow else ACCURACY_FAST


def rests_on(
    result: xr.Dataset, study: Study, design: Design, draws: Mapping[str, np.ndarray], endpoint: str | None = None
) -> list[dict[str, Any]]:
    """Which parameters decide what combinations gain over the better single at the last visit (`osteon.deciding`), of
    all end points or one."""
    return [
        {"name": name, "endpoint": of, "month": month, "parameters": dict(found)}
        for name, of, month, value in by_draw(result, study, design, endpoint)
        if month == study.visits[-1] and name.startswith(BETTER) and (found := deciding(value, draws))
    ]


def cell_changes(result: xr.Dataset, design: Design, endpoint: str, month: float) -> np.ndarray:
    """Mean change in % of people at a visit [cell, draw]; of markers that of their geometric mean."""
    y = _change(result, design, endpoint, month)
    return np.asarray(100.0 * np.expm1(y)) if ENDPOINTS[endpoint].kind == "marker" else y


def _change(result: xr.Dataset, design: Design, endpoint: str, month: float) -> np.ndarray:
    """Mean change of people [cell, draw]: markers as logarithms of the ratio to month 0, the rest in % of month 0; of
    what begins at 0 (a graft, fractures) 100 times the difference."""
    at = int(np.argmin(np.abs(result["time"].to_numpy() - month * MONTH_DAYS)))
    x = result[endpoint].sel(arm=list(design.cells)).transpose("arm", "draw", "person", "time").to_numpy()
    if (x[..., 0] == 0).any():
        return np.asarray(100.0 * (x[..., at] - x[..., 0]).mean(axis=2))
    ratio = x[..., at] / x[..., 0]
    marker = ENDPOINTS[endpoint].kind == "marker"
    return np.asarray(np.log(ratio).mean(axis=2) if marker else 100.0 * (ratio.mean(axis=2) - 1.0))


def _told(value: np.ndarray, accuracy: float) -> tuple[float, float, float, float]:
    """Mean, 5 and 95 %, and the probability of being positive, of one contrast over draws."""
    if len(value) < 2:
        return float(value.mean()), np.nan, np.nan, np.nan
    lower, upper = np.quantile(value, (LOWER, UPPER))
    none = np.abs(value) < accuracy
    return float(value.mean()), float(lower), float(upper), float(((value > 0) & ~none).mean() + none.mean() / 2)


def words(found: pd.DataFrame, month: float, decided: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """What each combination is worth for bone at one visit, as sentences: BMD, bone volume and fractures; of markers
    nobody can say which way is better. `decided` is what `rests_on` found."""
    by = {(row["name"], row["endpoint"]): row["parameters"] for row in decided}
    said = []
    for endpoint, here in found[found["month"] == month].groupby("endpoint", sort=False):
        if ENDPOINTS[str(endpoint)].kind in ("bmd", "fracture") or str(endpoint).endswith("_bone_volume"):
            rows = {str(row["name"]): row for row in here.to_dict("records")}
            of = [name.removeprefix(f"{BETTER}: ") for name in rows if name.startswith(BETTER)]
            for combination in of:
                parameters = by.get((f"{BETTER}: {combination}", endpoint), {})
                told = ", ".join(f"{ident} ({_signed(rho)})" for ident, rho in parameters.items())
                more = f"; the gain over the better single goes most with {told}" if told else ""
                said.append(_sentence(rows, str(endpoint), month, combination) + more)
    return said


def grounds(deciders: Sequence[Mapping[str, str]]) -> str:
    """What the numbers that decide an answer rest on, as a sentence; "" where there are none. `deciders` as of
    `osteon.deciding.told`."""
    guessed = [one for one in deciders if one["rests_on"] != FITTED]
    if not deciders:
        return ""
    if not guessed:
        return "What decides these gains most was fitted to trials"
    grades, fitted = sorted({one["grade"] for one in guessed}), len(deciders) - len(guessed)
    grade = grades[0] if len(grades) == 1 else f"{grades[0]} to {grades[-1]}"
    many = f"only {fitted} {'was' if fitted == 1 else 'were'}" if fitted else "none was"
    return (
        f"Of what decides these gains most ({len(deciders)} in all, listed below), {many} fitted to a trial of bone; "
        f"{'the others' if fitted else 'they'} are of grade {grade}, and the answer is no better than they are"
    )


def _sentence(rows: Mapping[str, Mapping[Any, Any]], endpoint: str, month: float, of: str) -> str:
    better, additive = rows[f"{BETTER}: {of}"], rows[f"{ADDITIVE}: {of}"]
    where = f"{ENDPOINTS[endpoint].label} at month {number(month)}: {of}"
    if better["p_positive"] != better["p_positive"]:  # no draws, so no probability
        return (
            f"{where} differs from the better single by {_signed(better['value'])} points and from the sum of its "
            f"parts by {_signed(additive['value'])}"
        )
    p, more = (1 - r["p_positive"] if endpoint in LOW_IS_BETTER else r["p_positive"] for r in (better, additive))
    return (
        f"{where}: the combination is better than the better single with probability {_share(p)} "
        f"({_interval(better)}), and better than the sum of its parts with probability {_share(more)} "
        f"({_interval(additive)})"
    )


def _share(p: float) -> str:
    """A probability from draws, which are too few to be sure."""
    return "over 0.99" if p > 0.99 else "under 0.01" if p < 0.01 else f"{p:.2f}"


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _interval(row: Mapping[Any, Any]) -> str:
    """The mean with its 5 to 95 %."""
    return f"{_signed(row['value'])} points, interval {_signed(row['lower'])} to {_signed(row['upper'])}"
