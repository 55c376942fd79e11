"""Drawn trials as they would be seen: days of visits, errors of measurement, missed visits, dropout, rescue.

The numbers are those of the study's section `measurement` and the functions those of `osteon.trial.measure`. A trial
ends at the month that is asked for, with the study's visits before it. Where nobody's leaving depends on BMD, what
happens at visits in between decides nothing about the last one and is not drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osteon.power.pool import change, needed
from osteon.trial import measure
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from osteon.power.pool import Pool
    from osteon.trial.settings import Measurement


def see(
    pool: Pool, arm: int, endpoint: str, month: float, who: Int[np.ndarray, "replicate person"],
    settings: Measurement, rng: np.random.Generator,
) -> Float[np.ndarray, "replicate person 2"]:  # fmt: skip
    """Values at month 0 and at a month, NaN where nobody came, of people `who` in one arm."""
    last = pool.months.index(month)
    days = np.array(pool.months[: last + 1]) * MONTH_DAYS
    # The last visit may be early, and so lies between the two last values.
    ends, true = days[-2:], pool.true[endpoint][arm][:, [last - 1, last]]
    coming = measure.visit_days(ends, settings, rng, who.shape)
    at_end = measure.on_days(true[who], ends, coming)[..., 1]
    start = pool.true[endpoint][arm][:, 0]
    seen = measure.observe_array(np.stack([start[who], at_end], -1), endpoint, settings, rng)
    if needed(settings):
        present = _informed(pool, arm, days, who, settings, rng)
    else:
        present = measure.attend(days[[0, -1]], settings, rng, shape=who.shape).present[..., -1]
    seen[..., 1] = np.where(present, seen[..., 1], np.nan)
    return seen


def expected(
    pool: Pool, arm: int, endpoint: str, month: float, settings: Measurement
) -> Float[np.ndarray, " person"]:
    """The true change of everyone at the mean day of the last visit."""
    last = pool.months.index(month)
    ends = np.array(pool.months[last - 1 : last + 1]) * MONTH_DAYS
    early = min((ends[1] - ends[0]) / 2, settings.visit_window_days) / 2
    true = pool.true[endpoint][arm]
    at_end = true[:, last] - (true[:, last] - true[:, last - 1]) * early / (ends[1] - ends[0])
    return change(endpoint, np.stack([true[:, 0], at_end], -1))


def _informed(
    pool: Pool, arm: int, days: np.ndarray, who: np.ndarray, settings: Measurement, rng: np.random.Generator
) -> np.ndarray:
    """Who comes to the last visit [replicate, person] when it depends on BMD that was lost."""
    lost: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in needed(settings):
        true = pool.true[name][arm][who][..., : len(days)]
        seen = measure.observe_array(true, name, settings, rng)
        lost[name] = (100.0 * (1.0 - seen / seen[..., :1]), 100.0 * (1.0 - true / true[..., :1]))
    none = (None, None)
    dropout = lost.get(f"{settings.dropout.site}_bmd", none)
    rescue = lost.get(f"{settings.rescue.site}_bmd", none) if settings.rescue is not None else none
    found = measure.attend(
        days, settings, rng, shape=who.shape, lost_seen=dropout[0], lost_true=dropout[1], rescue_seen=rescue[0]
    )
    return found.present[..., -1]
