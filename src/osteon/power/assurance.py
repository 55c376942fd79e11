"""What the draws of a model's parameters say of a difference between arms.

Power is a promise under one difference. The model is not sure of it: each draw has its own, that of the study's mean
person, month 0 to a visit. Assurance is the mean power over them. The spread between people and the errors of
measurement stay as they are with the most probable parameters.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.power.pool import change
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float

    from osteon.models import Model
    from osteon.power.pool import Progress
    from osteon.study import Study

_STEPS = 9  # of the normal distribution of the response of a trial's people


@dataclass(frozen=True)
class Differences:
    """Difference in change from the first arm, of the study's mean person: with the most probable parameters, and by
    draw; points of %, of markers logarithms of ratios."""

    best: float
    draws: Float[np.ndarray, " draw"]
    response: float

    @property
    def shift(self) -> float:
        """From the difference with the most probable parameters to the mean over draws; 0 without draws."""
        return float(self.draws.mean() - self.best) if len(self.draws) else 0.0

    @property
    def shifts(self) -> Float[np.ndarray, " draw"]:
        """From the difference with the most probable parameters to that of each draw."""
        return self.draws - self.best

    @property
    def with_response(self) -> Float[np.ndarray, " more"]:
        """The same, when the people of the trial also respond more or less than others do."""
        from scipy.stats import norm

        z = norm.ppf((np.arange(_STEPS) + 0.5) / _STEPS)
        z /= z.std()  # quantiles in the middle of each step, of SD 1
        seen = self.draws[:, None] * (1.0 + self.response * z)
        return np.asarray((seen - self.best).ravel())


class Drawn:
    """Runs of the mean person in every arm at the visits of a study: first the most probable parameters, then `draws`
    (none when that is 0 or the model has none)."""

    def __init__(
        self, study: Study, *, model: Model, draws: int | None = None, progress: Progress | None = None
    ) -> None:
        from osteon import draws as posterior
        from osteon.simulation import simulate_at

        self.count = posterior.count(model, draws)
        person, days = study.people.mean_person(), np.array(study.visits) * MONTH_DAYS
        self._months = list(study.visits)
        self._runs: list[xr.Dataset] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OsteonWarning)  # said by the run of the pool
            for number, arm in enumerate(study.arms):
                run = simulate_at(model, person, study.prior_regimen, arm.schedule, days, draws=self.count)
                self._runs.append(run)
                if progress:
                    progress((number + 1) / len(study.arms))

    def of(self, arm: int, endpoint: str, month: float) -> Differences:
        """The differences of an arm from the first at a month."""
        kind = "marker" if ENDPOINTS[endpoint].kind == "marker" else "bmd"
        response = parameters.load("observation")[f"response_{kind}"].value
        at = [0, self._months.index(month)]
        treated, beside = (self._of_arm(k, endpoint, at) for k in (arm, 0))
        best, *drawn = treated - beside
        return Differences(float(best), np.array(drawn), response)

    def _of_arm(self, arm: int, endpoint: str, at: list[int]) -> Float[np.ndarray, " draw"]:
        """Change of the mean person in an arm; of fractures the logarithm of the cumulative hazard."""
        if ENDPOINTS[endpoint].kind != "fracture":
            return change(endpoint, self._runs[arm][endpoint].isel(arm=0, person=0, time=at).to_numpy())
        from osteon.fractures.incidence import risk
        from osteon.power.events import log_hazard

        return log_hazard(risk(self._runs[arm])[endpoint].isel(arm=0, person=0, time=at[1]).to_numpy())
