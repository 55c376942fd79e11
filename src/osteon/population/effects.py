"""What a regimen does to bone over the years, for people of several ages: ratios to the same people untreated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon import dosing, draws
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.models import Model
from osteon.person import Person
from osteon.population import steps
from osteon.population.usual import SITES
from osteon.regimen import Regimen
from osteon.simulation import check_therapies

AGES = (55.0, 70.0, 85.0)  # at the start of treatment, between which effects are interpolated
OLDEST = 100.0  # beyond it the model does not go; an effect stays as it was
MARKER = "ctx"
SEEN = (*(f"{site}_bmd" for site in SITES), MARKER)


@dataclass(frozen=True)
class Effect:
    """Treated over untreated, by end point of `SEEN`: [sex (female, male), age of `AGES`, draw, year since the
    start]; the marker's is of the middle of the year."""

    ratio: dict[str, np.ndarray]
    ends: float
    """Years after the start when the regimen is over; infinite for what goes on."""

    def at(self, name: str, draw: int, male: np.ndarray, age: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Ratios of people [person] who started at `age` whole years `since` ago; 1 where `since` is negative."""
        table = self.ratio[name][:, :, draw]
        place = np.interp(age, AGES, np.arange(len(AGES)))
        low = np.minimum(place.astype(int), len(AGES) - 2)
        share, sex = place - low, male.astype(int)
        year = np.clip(since, 0, table.shape[-1] - 1)
        found = (1 - share) * table[sex, low, year] + share * table[sex, low + 1, year]
        return np.asarray(np.where(since < 0, 1.0, found))


class Effects:
    """Effects of regimens over `years` in `n_draws` draws after the most probable parameters (draw 0)."""

    def __init__(self, model: Model, years: int, n_draws: int) -> None:
        self.model, self.years, self.n = model, years, n_draws + 1
        whole = np.arange(years + 1) * model.year_days
        # Fractures of a year go by the marker in its middle: at its start a drug has not acted yet.
        middle = whole + model.year_days / 2
        self.days = np.union1d(whole, middle)
        self.at = {name: np.searchsorted(self.days, middle if name == MARKER else whole) for name in SEEN}
        self._untreated = self._run(Regimen())

    def of(self, regimen: Regimen) -> Effect:
        """The effect of one regimen. Raises ModelError for a therapy that the model lacks."""
        check_therapies(self.model, self.model.kinetics(self.model.parameters()), [regimen])
        treated = self._run(regimen)
        ratio = {name: treated[name] / self._untreated[name] for name in SEEN}
        for name, x in ratio.items():
            for index, age in enumerate(AGES):
                last = int(OLDEST - age)
                x[:, index, :, last + 1 :] = x[:, index, :, last : last + 1]
            ratio[name] = np.where(np.isfinite(x), x, x[:, :, :1])  # a draw whose run failed counts as draw 0
        return Effect(ratio, regimen.length_days(self.model.year_days) / self.model.year_days)

    def loss(self) -> np.ndarray:
        """How the untreated course of femoral neck BMD from 50 in each draw differs from that of draw 0: [sex, draw,
        whole years of age from 50 to 100]."""
        days = np.arange(int(OLDEST - 50.0) + 1) * self.model.year_days
        male = np.repeat([0.0, 1.0], self.n)
        course = self._people(Regimen(), male, np.full(len(male), 50.0), days)["femoral_neck_bmd"]
        relative = (course / course[:, :1]).reshape(2, self.n, -1)
        found = relative / relative[:, :1]
        return np.where(np.isfinite(found), found, 1.0)

    def _run(self, regimen: Regimen) -> dict[str, np.ndarray]:
        """End points [sex, age, draw, year]."""
        male, age, _ = (x.ravel() for x in np.meshgrid([0.0, 1.0], AGES, np.arange(self.n), indexing="ij"))
        values = self._people(regimen, male, age, self.days)
        return {name: values[name][:, self.at[name]].reshape(2, len(AGES), self.n, -1) for name in SEEN}

    def _people(self, regimen: Regimen, male: np.ndarray, age: np.ndarray, days: np.ndarray) -> dict[str, np.ndarray]:
        """End points [person, time] of people in one run of the kernel; draws go round within each sex and age."""
        model, times = self.model, len(male) // self.n
        person = Person(age=float(np.median(AGES)))
        arms = dosing.arms(model, person, Regimen(), [regimen], float(days[-1]))
        probable = model.parameters()
        drawn = draws.pick(model, self.n - 1, fitted=not draws.with_priors(model, person, arms)) if self.n > 1 else {}
        changes: dict[str, Any] = {
            name: np.tile(np.append(getattr(probable, name), values), times) for name, values in drawn.items()
        }
        people = cohorts.make(model, len(male), changes={**changes, "male": male}, age=age)
        used, usual = draws.heard(model, arms), set(getattr(model, "usual_channels", range(len(model.channels))))
        setup = steps.arm(people, arms[0][1], days, channels=sorted(used if not used <= usual else usual))
        observed, flags = setup.chunk(people)
        with np.errstate(all="ignore"):
            found = setup.endpoints(people, observed)
        return {name: np.where(flags == batch.FAILED, np.nan, found[name]).T for name in SEEN}
