"""What is thought of a therapy's effect on bone before any host trial: draws of a BMD difference.

The planner asks a `Prior` and nothing else, so that draws from osteon's own virtual trials can take the place of the
assumed table without a change elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from osteon.ancillary.tables import Tables


@dataclass(frozen=True)
class People:
    """The participants of a host: mean age in years, `female`, `male` or `all`, and what they suffer from."""

    age: float
    sex: str
    disease: str


class Prior(Protocol):
    """Draws of the difference in spine BMD, therapy against control, in percentage points."""

    def __call__(self, therapy: str, people: People, months: float, n: int) -> Float[np.ndarray, " draw"]:
        """`n` draws for a therapy (`msc`, `senolytic`, `other_cells`) in such people after so many months."""


@dataclass(frozen=True)
class AssumedPrior:
    """Normal draws from the table's assumed means and SDs at 12 months, the same whoever the people are.

    The effect is taken to grow in proportion until month 12 and to stand from then on (assumed). Quantiles in
    place of random draws: the same input gives the same numbers.
    """

    tables: Tables

    def __call__(self, therapy: str, people: People, months: float, n: int) -> Float[np.ndarray, " draw"]:
        """See `Prior`."""
        from scipy import stats

        mean, sd = self.tables("prior", f"{therapy}_mean"), self.tables("prior", f"{therapy}_sd")
        draws = stats.norm.ppf((np.arange(n) + 0.5) / n)
        scaled: Float[np.ndarray, " draw"] = (mean + sd * draws / draws.std()) * min(months / 12.0, 1.0)
        return scaled
