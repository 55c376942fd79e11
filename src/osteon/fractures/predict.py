"""What osteon expects a trial to find: incidence in its arms and relative risks, from the model's course of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from osteon.evidence.schema import Trial, TrialArm
from osteon.evidence.score import ArmLine, person_in
from osteon.fractures.hazards import SITES, Values, trial_values
from osteon.fractures.incidence import expected_incidence
from osteon.fractures.relative import relative
from osteon.fractures.trials import people
from osteon.simulation import simulate_at
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osteon.models import Model
    from osteon.person import Person

YEAR_DAYS = 365.25
NEEDED = ("lumbar_spine_bmd", "total_hip_bmd", "ctx")
EVERY = 1.0  # months between the points of a course
TARGET = 1e-4  # relative error of BMD in steps; it moves a relative risk by less than a thousandth of itself


@dataclass
class Courses:
    """The model's courses in the arms of trials, run when they are first asked for; with `draws`, in as many draws
    of the posterior after the most probable parameters. Arms of the same person and regimen share one. `lines` are
    courses that were run already, by trial and arm."""

    model: Model
    draws: int = 0
    lines: Mapping[tuple[str, str], ArmLine] = field(default_factory=dict)
    _made: dict[tuple[str, ...], tuple[np.ndarray, dict[str, np.ndarray]]] = field(default_factory=dict)

    def of(self, trial: Trial, arm: str, month: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Months [time] up to `month`, and the ratio of every end point to month 0 [draw, time]; a longer course that
        was run before is cut short."""
        months = np.union1d(np.arange(0.0, month, EVERY), [month])
        one, line = trial.arm(arm), self.lines.get((trial.id, arm))
        person = person_in(self.model, trial, one)
        key = (person.model_dump_json(), str(one.prior_schedule), str(one.schedule))
        if key not in self._made and line is not None:
            self._made[key] = line.months, {name: 1 + line.change[name][None] / 100 for name in NEEDED}
        if key not in self._made or self._made[key][0][-1] < month:
            self._made[key] = months, self._run(person, one, months)
        had, found = self._made[key]
        return months, {name: np.array([np.interp(months, had, row) for row in x]) for name, x in found.items()}

    def _run(self, person: Person, arm: TrialArm, months: np.ndarray) -> dict[str, np.ndarray]:
        days = months * MONTH_DAYS
        schedules = arm.prior_schedule, arm.schedule
        result = simulate_at(self.model, person, *schedules, days, draws=self.draws, target=TARGET)
        values = {name: result[name].to_numpy()[:, 0, 0] for name in NEEDED}
        return {name: x / x[:, :1] for name, x in values.items()}


def incidence(
    courses: Courses, trial: Trial, arm: str, kind: str, month: float, since: float = 0.0,
    values: Values | None = None, prior: float | None = None,
) -> np.ndarray:  # fmt: skip
    """Share of an arm's people with a fracture of a kind by a month, counted from month `since` [draw]; `prior` in
    place of their own share with an earlier vertebral fracture."""
    months, ratio = courses.of(trial, arm, month)
    who, years = people(trial, trial.arm(arm)), months * MONTH_DAYS / YEAR_DAYS
    values = trial_values(values)
    log = relative(kind, who.age, who.male, years, ratio, values)
    found = expected_incidence(
        kind, years, who.age, who.male, who.t_score[SITES[kind]], log, age_sd=who.age_sd, t_sd=who.t_sd[SITES[kind]],
        prior=who.prior if prior is None else prior, death=False, since=since * MONTH_DAYS / YEAR_DAYS, values=values,
    )  # fmt: skip
    return np.asarray(found[..., -1])
