"""What a trial sees of its people: errors of measurement, days of visits, missed visits, dropout, rescue.

    BMD seen = BMD · (1 + precision · z),     marker seen = marker · exp(precision · z),     z ~ N(0, 1)

with the precision of one DXA scan (% of BMD) or the variation of a marker within a person (SD of its logarithm),
records `precision_*` of the set "observation". Errors of two visits, two end points and two arms are independent,
also of the same person. The stream of random numbers of an arm is keyed by its name, so that adding an arm changes no
other. Who leaves, and when, is decided visit by visit (`Dropout`). Values after leaving are missing.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError
from osteon.result import FAILED as RUN_FAILED
from osteon.trial.settings import EXACT, Adherence, Dropout, Measurement, Rescue
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

__all__ = ["EXACT", "Adherence", "Attendance", "Dropout", "Measurement", "Rescue", "adherence", "attend", "observe",
           "observe_array", "on_days", "precision", "visit_days"]  # fmt: skip

YEAR_DAYS = 365.25
STATUS = ("completed", "dropped out", "rescue", "died", "run failed")
COMPLETED, LEFT, RESCUED, DIED, NO_RUN = range(len(STATUS))


def precision(endpoint: str, settings: Measurement) -> float:
    """SD of the error of one measurement: % of BMD, the logarithm of a marker; 0 for what no trial measures."""
    kind = ENDPOINTS[endpoint].kind
    if not {"bmd": settings.bmd_error, "marker": settings.marker_error}.get(kind, False):
        return 0.0
    if endpoint in settings.precision:
        return settings.precision[endpoint]
    return parameters.load("observation")[f"precision_{endpoint}"].value


def observe_array(true: np.ndarray, endpoint: str, settings: Measurement, rng: np.random.Generator) -> np.ndarray:
    """True values [..., person, visit] as one measurement each would show them; nothing is missing yet."""
    sd = precision(endpoint, settings)
    if sd == 0.0:
        return np.array(true, float)
    z = rng.standard_normal(np.shape(true))
    if ENDPOINTS[endpoint].kind == "marker":
        return np.asarray(true * np.exp(sd * z))
    return np.asarray(true * (1.0 + sd / 100.0 * z))


def visit_days(
    days: np.ndarray, settings: Measurement, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray:
    """The days [..., person, visit] on which people of `shape` [..., person] come, from those planned [visit]: evenly
    within the window, which ends half-way to the next visit. The first visit is day 0; the last is never late, since
    the simulation ends there."""
    days = np.asarray(days, float)
    width = settings.visit_window_days
    moved = rng.random((*shape, len(days)))
    gaps = np.diff(days) / 2
    early = np.minimum(np.concatenate([[0.0], gaps]), width)
    late = np.minimum(np.concatenate([gaps, [0.0]]), width)
    early[:1] = late[:1] = 0.0
    return np.asarray(days - early + moved * (early + late))


def on_days(true: np.ndarray, days: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """True values [..., person, visit] at the planned `days` [visit], read between them at the `actual` ones (of the
    same shape, each within its gap) on straight lines."""
    apart = actual - days
    slope = np.diff(true, axis=-1) / np.diff(days)
    none = np.zeros_like(true[..., :1])
    before, after = np.concatenate([none, slope], -1), np.concatenate([slope, none], -1)
    return np.asarray(true + np.where(apart < 0, before, after) * apart)


@dataclass(frozen=True)
class Attendance:
    """Who came: `present` [..., person, visit], and for each person [..., person] the `status` (index of STATUS), and
    the day of leaving (infinite for those who stayed)."""

    present: np.ndarray
    status: np.ndarray
    left_day: np.ndarray


def attend(
    days: np.ndarray,
    settings: Measurement,
    rng: np.random.Generator,
    *,
    shape: tuple[int, ...],
    lost_seen: np.ndarray | None = None,
    lost_true: np.ndarray | None = None,
    rescue_seen: np.ndarray | None = None,
    death_day: np.ndarray | None = None,
) -> Attendance:
    """Missed visits, dropout, rescue and death of people of `shape` [..., person].

    `lost_seen` and `lost_true` [..., person, visit] are the % of BMD lost since month 0 at the site of dropout, as
    measured and as it is, `rescue_seen` the loss measured at the site of rescue, `death_day` [..., person] the day of
    death (infinite: alive). All may be left out when nothing depends on them.
    """
    days, drop, rescue = np.asarray(days, float), settings.dropout, settings.rescue
    # One array, person by person, so that more people leave the first ones as they were.
    uniform = rng.random((*shape, len(days)))
    threshold, missed = -np.log1p(-uniform[..., 0]), uniform < settings.missed_visits
    rate = -np.log1p(-drop.per_year) / YEAR_DAYS
    lost = lost_true if drop.hidden else lost_seen
    dead = np.full(shape, np.inf) if death_day is None else np.asarray(death_day, float)
    present = np.zeros((*shape, len(days)), bool)
    present[..., 0] = True
    status, left = np.full(shape, COMPLETED, np.int8), np.full(shape, np.inf)
    hazard, known = np.zeros(shape), np.zeros(shape)  # summed so far; the loss that the person knows of
    for k in range(1, len(days)):
        inside = np.isinf(left)
        if lost is not None and drop.hidden:
            known = (lost[..., k - 1] + lost[..., k]) / 2
        now = rate * np.exp(np.clip(drop.per_pct_lost * known, -50, 50))
        over = hazard + now * (days[k] - days[k - 1])
        goes = inside & (over >= threshold) & (rate > 0)
        day = days[k - 1] + np.divide(threshold - hazard, now, out=np.zeros(shape), where=now > 0)
        dies = inside & (dead <= np.where(goes, day, days[k]))
        goes &= ~dies
        left, status = np.where(goes, day, left), np.where(goes, LEFT, status)
        left, status = np.where(dies, dead, left), np.where(dies, DIED, status)
        hazard = over
        here = inside & ~goes & ~dies & ~missed[..., k]
        present[..., k] = here
        if lost is not None and not drop.hidden:
            known = np.where(here, lost[..., k], known)
        if rescue is not None and rescue_seen is not None and k < len(days) - 1:
            goes = here & (rescue_seen[..., k] > rescue.loss_pct)
            left, status = np.where(goes, days[k], left), np.where(goes, RESCUED, status)
    return Attendance(present, status.astype(np.int8), left)


def adherence(settings: Measurement, seed: int, n: int) -> np.ndarray:
    """Share of the doses that each person takes [person]; the same person takes the same share in every arm."""
    wanted = settings.adherence
    if wanted.sd == 0.0:
        return np.full(n, wanted.mean)
    size = wanted.mean * (1 - wanted.mean) / wanted.sd**2 - 1
    return stream(seed, "adherence").beta(wanted.mean * size, (1 - wanted.mean) * size, n)


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on names alone."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def stream_seed(seed: int, *names: str) -> int:
    """A seed that depends on a seed and on names alone."""
    return int(stream(seed, *names).integers(2**31))


def observe(result: xr.Dataset, study: Study, seed: int = 0, *, death_day: np.ndarray | None = None) -> xr.Dataset:
    """The true values of a Result of one draw (draw, arm, person, time) as the trial sees them, NaN where nobody
    came. `death_day` [arm, person] (infinite: alive) ends a person's visits.

    Besides the end points it holds, by arm and person, `status` (index of STATUS), `left_day` and `last_visit_month`,
    and `visit_day` by visit. Raises InputError when BMD is missing that dropout or rescue depends on.
    """
    settings = study.measurement or Measurement()
    if result.sizes["draw"] != 1:
        raise InputError(f"a trial is seen in one draw of the parameters, not {result.sizes['draw']}")
    days, people = result["time"].to_numpy().astype(float), result.sizes["person"]
    ran = np.ones(people, bool)
    if "flag" in result.coords:
        ran = result["flag"].to_numpy() != RUN_FAILED
    _check_sites(result, settings)
    parts: list[dict[str, np.ndarray]] = []
    for index, arm in enumerate(str(a) for a in result["arm"].to_numpy()):
        died = None if death_day is None else death_day[index]
        parts.append(_observe_arm(result.isel(draw=0, arm=index), arm, days, settings, seed, died, ran))
    stacked = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    found = result.copy()
    for name in result.data_vars:
        found[name] = (result[name].dims, stacked[str(name)][None], result[name].attrs)
    by_person, by_visit = ("arm", "person"), ("arm", "person", "time")
    words = ", ".join(f"{i} {word}" for i, word in enumerate(STATUS))
    found["status"] = (by_person, stacked["status"], {"long_name": f"how the person ended: {words}"})
    found["left_day"] = (by_person, stacked["left_day"], {"units": "day", "long_name": "day of leaving"})
    found["last_visit_month"] = (by_person, stacked["last_visit_month"], {"units": "month"})
    found["visit_day"] = (by_visit, stacked["visit_day"], {"units": "day", "long_name": "day of the visit"})
    found.attrs["osteon_kind"] = "observed"
    return found


def _check_sites(result: xr.Dataset, settings: Measurement) -> None:
    wanted = {"dropout": settings.dropout.site} if settings.dropout.per_pct_lost else {}
    if settings.rescue is not None:
        wanted["rescue"] = settings.rescue.site
    for what, site in wanted.items():
        if f"{site}_bmd" not in result:
            names = [str(n) for n in result.data_vars if str(n).endswith("_bmd")]
            raise InputError(f"measurement.{what}: the run has no {site}_bmd (it has {', '.join(names)})")


def _observe_arm(
    true: xr.Dataset, arm: str, days: np.ndarray, settings: Measurement, seed: int,
    death_day: np.ndarray | None, ran: np.ndarray,
) -> dict[str, np.ndarray]:  # fmt: skip
    """What is seen of one arm: end points and `visit_day` [person, visit], `status`, `left_day` [person]."""
    shape = (true.sizes["person"],)
    coming = visit_days(days, settings, stream(seed, arm, "visits"), shape)
    truth = {str(name): on_days(true[name].to_numpy(), days, coming) for name in true.data_vars}
    seen = {name: observe_array(x, name, settings, stream(seed, arm, name)) for name, x in truth.items()}
    drop, rescue = f"{settings.dropout.site}_bmd", settings.rescue
    who = attend(
        days, settings, stream(seed, arm, "attendance"), shape=shape, death_day=death_day,
        lost_seen=_lost(seen[drop]) if drop in seen else None,
        lost_true=_lost(truth[drop]) if drop in truth else None,
        rescue_seen=_lost(seen[f"{rescue.site}_bmd"]) if rescue is not None else None,
    )  # fmt: skip
    present = who.present & ran[:, None]
    last = np.where(present, days, 0.0).max(axis=1) / MONTH_DAYS
    return {name: np.where(present, x, np.nan) for name, x in seen.items()} | {
        "status": np.where(ran, who.status, NO_RUN).astype(np.int8),
        "left_day": np.where(ran, who.left_day, 0.0),
        "last_visit_month": last,
        "visit_day": np.where(present, coming, np.nan),
    }


def _lost(bmd: np.ndarray) -> np.ndarray:
    """% of BMD [..., visit] lost since the first visit."""
    return np.asarray(100.0 * (1.0 - bmd / bmd[..., :1]))
