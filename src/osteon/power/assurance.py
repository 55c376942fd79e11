"""What the draws of a model's parameters say of a difference between arms.

Power is a promise under one difference. The model is not sure of it: each draw has its own, that of the study's mean
person, month 0 to a visit. Assurance is the mean power over them. The spread between people and the errors of
measurement stay as they are with the most probable parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Runs of the mean person: one with the most probable parameters, one with draws (none when `draws` is 0 or the
    model has none)."""

    def __init__(
        self, study: Study, *, endpoints: Sequence[str], months: Sequence[float], model: Model,
        draws: int | None = None, seed: int = 0, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        from osteon import draws as posterior
        from osteon.simulation import run

        n = posterior.count(model, draws)
        wanted = study.model_copy(update={"visits": sorted({0.0, *months}), "endpoints": list(endpoints)})
        self._best = run(wanted, model=model, draws=0, seed=seed)
        self._draws = run(wanted, model=model, draws=n, seed=seed, progress=progress) if n else None

    @property
    def count(self) -> int:
        """How many draws there are."""
        return self._draws.sizes["draw"] if self._draws is not None else 0

    def of(self, arm: int, endpoint: str, month: float) -> Differences:
        """The differences of an arm from the first at a month."""
        kind = "marker" if ENDPOINTS[endpoint].kind == "marker" else "bmd"
        response = parameters.load("observation")[f"response_{kind}"].value
        draws = _difference(self._draws, arm, endpoint, month) if self._draws is not None else np.empty(0)
        return Differences(float(_difference(self._best, arm, endpoint, month)[0]), draws, response)


def _difference(result: xr.Dataset, arm: int, endpoint: str, month: float) -> np.ndarray:
    from osteon.power.pool import change

    days = result["time"].to_numpy()
    at = int(np.argmin(np.abs(days - month * MONTH_DAYS)))
    y = change(endpoint, result[endpoint].isel(person=0, time=[0, at]).to_numpy())  # draw, arm
    return np.asarray(y[:, arm] - y[:, 0])
