"""From hazards to who has had a fracture by when, with death in competition.

    incidence(t) = ∫ hazard · exp(-∫ (hazard + death))

for the first fracture of each kind: what follows it is left out. Between visits the logarithm of a hazard is linear
in time. Chances of single persons are averaged over people who differ, not computed of a mean one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError
from osteon.fractures.hazards import KINDS, SITES, Values, check, hazard, usual_t
from osteon.fractures.mortality import death_rate

if TYPE_CHECKING:
    import xarray as xr

STEP = 1.0 / 12.0  # years between the points of the grid that hazards are summed on
T_NODES, AGE_NODES = 7, 3
_NEEDED = "fractures are read from BMD in g/cm2 and an age in years, which this result lacks"


def grid_of(years: np.ndarray) -> np.ndarray:
    """Times [grid] in years from 0 to the last of `years`, all of these among them."""
    end = float(np.max(years))
    return np.union1d(np.linspace(0.0, end, max(2, int(np.ceil(end / STEP)) + 1)), years)


def course(
    kind: str, age: Any, male: Any, t_score: Any, prior: Any, years: np.ndarray, relative: Any, values: Values | None
) -> np.ndarray:
    """Hazard per year [..., time] of people [...] who had that age and T-score at time 0 and keep their place among
    people of their age, but for `relative` [..., time]."""
    start, man = np.asarray(age, float)[..., None], np.asarray(male, bool)[..., None]
    now = start + years
    t = None
    if t_score is not None:
        then, later = (usual_t(SITES[kind], year, man, values)[0] for year in (start, now))
        t = np.asarray(t_score, float)[..., None] + later - then
    had = None if prior is None else np.asarray(prior, float)[..., None]
    return hazard(kind, now, man, t, had, relative, values)


def accumulate(rate: np.ndarray, death: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Cumulative incidence [..., time] from hazards per year [..., time]."""
    step = np.diff(years)
    events, deaths = ((x[..., 1:] + x[..., :-1]) / 2 * step for x in (rate, death))
    both = events + deaths
    alive = np.exp(-np.cumsum(both, axis=-1))
    before = np.concatenate([np.ones_like(alive[..., :1]), alive[..., :-1]], axis=-1)
    share = np.divide(events, both, out=np.ones_like(both), where=both > 0)
    found = np.cumsum(share * (before - alive), axis=-1)
    return np.concatenate([np.zeros_like(found[..., :1]), found], axis=-1)


def expected_incidence(
    kind: str,
    years: np.ndarray,
    age: float,
    male: bool,
    t_score: float | None = None,
    relative: np.ndarray | None = None,
    *,
    age_sd: float = 0.0,
    t_sd: float = 0.0,
    prior: float | None = None,
    death: bool = True,
    since: float = 0.0,
    values: Values | None = None,
) -> np.ndarray:
    """Share of people with a first fracture of a kind by `years` [time], of people whose age (year) and T-score of
    `SITES[kind]` are normal with these means and SD and of whom a share `prior` has a vertebral fracture (None: as
    usual at that age), all on the same course: `relative` [..., time] is the logarithm of its ratio of hazards.
    Without `death` all stay alive, as in trials' life tables; with `since` fractures count from that year on."""
    check(kind)
    fine = grid_of(years)
    path = np.zeros(len(fine)) if relative is None else interpolate(relative, years, fine)
    path = np.asarray(path)[..., None, :]
    ages, age_weight = _normal(age, age_sd, AGE_NODES)
    ts, t_weight = _normal(t_score, t_sd, T_NODES) if t_score is not None else (None, np.ones(1))
    had = np.array([1.0, 0.0]) if prior is not None else None
    shares = np.array([prior, 1.0 - prior]) if prior is not None else np.ones(1)
    a, t, h = (
        x.ravel() for x in np.meshgrid(ages, ts if ts is not None else [0.0], had if had is not None else [0.0])
    )
    weights = [x.ravel() for x in np.meshgrid(age_weight, t_weight, shares)]
    man = np.full(len(a), male)
    rate = course(kind, a, man, t if ts is not None else None, h if had is not None else None, fine, path, values)
    rate = np.where(fine < since, 0.0, rate)
    deaths = death_rate(a[:, None] + fine, male) if death else np.zeros((len(a), len(fine)))
    found = accumulate(rate, np.broadcast_to(deaths, rate.shape), fine)
    mean = np.einsum("...pt,p->...t", found, np.prod(weights, axis=0))
    return np.asarray(mean[..., np.searchsorted(fine, years)])


def _normal(mean: float, sd: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a normal distribution; one node where it has no width."""
    if not sd:
        return np.array([float(mean)]), np.ones(1)
    x, w = np.polynomial.hermite_e.hermegauss(n)
    return mean + sd * x, w / w.sum()


def interpolate(rows: np.ndarray, years: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Rows [..., time] at the points of the grid, linear between them."""
    at = np.clip(np.searchsorted(years, fine, side="right") - 1, 0, max(0, len(years) - 2))
    if len(years) == 1:
        return np.repeat(rows, len(fine), axis=-1)
    share = (fine - years[at]) / (years[at + 1] - years[at])
    return np.asarray(rows[..., at] * (1 - share) + rows[..., at + 1] * share)


def risk(result: xr.Dataset, values: Values | None = None) -> xr.Dataset:
    """Chance (0 to 1) of a first fracture of each kind, and of death, from month 0 to each time, per draw, arm and
    person; death competes. Ages, sexes and earlier fractures are the Result's coordinates of its people, or those of
    its one person. Raises InputError for a Result whose BMD is not in g/cm2."""
    import xarray as xr

    from osteon.fractures.people import courses

    found = {}
    for kind in KINDS:
        rates, deaths, fine, years = courses(result, kind, values)
        at = np.searchsorted(fine, years)
        found[kind] = (("draw", "arm", "person", "time"), accumulate(rates, deaths, fine)[..., at])
    gone = np.broadcast_to(accumulate(deaths, np.zeros_like(deaths), fine)[..., at], found[KINDS[0]][1].shape)
    found["death"] = (("draw", "arm", "person", "time"), gone)
    coords = {name: result[name] for name in ("draw", "arm", "person", "time")}
    table = xr.Dataset(found, coords, attrs=dict(result.attrs))
    for name in table.data_vars:
        table[name].attrs.update(units="1", long_name=f"chance of {str(name).replace('_', ' ')} since month 0")
    return table


def lacking() -> InputError:
    """The error for a Result that fractures cannot be read from."""
    return InputError(_NEEDED)
