"""When each person breaks a bone: event times of virtual people, the same chance in each arm, and their incidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon.fractures.hazards import KINDS, Values, check, trial_values
from osteon.fractures.people import YEAR_DAYS, courses

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = ("draw", "arm", "person", "kind", "time_days", "event", "death")


def events(result: xr.Dataset, seed: int = 0, *, trial: bool = True, values: Values | None = None) -> pd.DataFrame:
    """The first fracture of each kind of each person of a Result: a row per draw, arm, person and kind, with the time
    (day from month 0) of the fracture, else of death, else of the Result's end, and which it was (`event`, `death`).

    A fracture comes when the hazard that has added up on the person's own course of bone reaches a number drawn for
    person and kind, death likewise: the same numbers in each arm and draw, so that arms differ by treatment alone and
    person i is the same whatever the number of people. With `trial`, rates are those of people who take part in
    trials. Raises InputError for a Result that lacks BMD in g/cm2."""
    values = trial_values(values) if trial else values
    sizes = {name: result.sizes[name] for name in ("draw", "arm", "person")}
    luck = -np.log1p(-np.random.default_rng([seed, 20]).random((sizes["person"], len(KINDS) + 1)))
    index = pd.MultiIndex.from_product([result[name].to_numpy() for name in sizes], names=list(sizes))
    parts, death = [], None
    for number, kind in enumerate(KINDS):
        rates, deaths, fine, years = courses(result, kind, values)
        if death is None:
            death = _reached(deaths, fine, luck[:, -1])
        when = _reached(rates, fine, luck[:, number])
        end = float(years[-1])
        broke = (when <= end) & (when <= death)
        died = ~broke & (death <= end)
        time = np.minimum(np.minimum(when, death), end) * YEAR_DAYS
        part = pd.DataFrame({"time_days": time.ravel(), "event": broke.ravel(), "death": died.ravel()}, index)
        parts.append(part.assign(kind=kind).reset_index())
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _reached(rate: np.ndarray, years: np.ndarray, target: np.ndarray) -> np.ndarray:
    """When the sum of a hazard [draw, arm, person, time] reaches each person's target [person]; inf if never."""
    steps = (rate[..., 1:] + rate[..., :-1]) / 2 * np.diff(years)
    total = np.concatenate([np.zeros_like(steps[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)
    wanted = np.broadcast_to(target[:, None], (*total.shape[:-1], 1))
    at = np.minimum((total < wanted).sum(axis=-1), len(years) - 1)
    before, after = (np.take_along_axis(total, i[..., None], -1)[..., 0] for i in (np.maximum(at - 1, 0), at))
    share = np.divide(wanted[..., 0] - before, after - before, out=np.zeros_like(after), where=after > before)
    found = years[np.maximum(at - 1, 0)] + share * (years[at] - years[np.maximum(at - 1, 0)])
    return np.asarray(np.where(total[..., -1] < wanted[..., 0], np.inf, found))


def cumulative_incidence(table: pd.DataFrame, kind: str, level: float = 0.95) -> pd.DataFrame:
    """The Aalen-Johansen estimate (lifelines) of the share of people with a first fracture of a kind, death in
    competition, from a table of `events` (of one arm and draw, or what is left of it): columns `time_days`, `value`,
    `lower`, `upper`. The interval holds the share with a chance of `level`."""
    import warnings

    from lifelines import AalenJohansenFitter

    own = table[table["kind"] == check(kind)]
    code = np.where(own["event"], 1, np.where(own["death"], 2, 0))
    if not (code == 1).any():
        end = float(own["time_days"].max())
        return pd.DataFrame({"time_days": [0.0, end], "value": 0.0, "lower": 0.0, "upper": 0.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = AalenJohansenFitter(alpha=1 - level, seed=0).fit(own["time_days"], code, event_of_interest=1)
    found: pd.DataFrame = pd.concat([fitter.cumulative_density_, fitter.confidence_interval_], axis=1)
    found.columns = pd.Index(["value", "lower", "upper"])
    return found.rename_axis("time_days").fillna(0.0).reset_index()
