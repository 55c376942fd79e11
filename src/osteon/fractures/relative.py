"""What a treatment does to fractures: through the bone it gains, and through the resorption it takes away.

    relative = -bone_effect · gain - turnover_effect · drop       (the logarithm of a ratio of hazards)

`gain` is how much BMD (of `PLACES[kind]`) has risen since month 0 beyond what people of that age and sex do, in %
(100 times the logarithm); `drop` the fall of CTX since month 0 (minus the logarithm of the ratio; none where it has
risen): resorption cavities weaken bone beyond their share of it, and close before BMD is up. Both are fitted to the
relative risks of trials marked fit and to published regressions on many trials (`osteon.fractures.calibrate`). They
are steeper than the gradient between people: those differ in more than bone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import tscores
from osteon.fractures.hazards import Values, numbers, usual_t

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = {
    "vertebral_fracture": "lumbar_spine",
    "hip_fracture": "total_hip",
    "nonvertebral_fracture": "total_hip",
}
"""Whose gain of BMD counts for a kind of fracture."""


def relative(
    kind: str, age: Any, male: Any, years: np.ndarray, ratio: Mapping[str, np.ndarray], values: Values | None = None
) -> np.ndarray:
    """The logarithm of what the hazard is multiplied by [..., time], `years` [time] after month 0, where `ratio` has
    the values of `<site>_bmd` and, if known, of `ctx` [..., time] over those at month 0; age (year) and sex are those
    at month 0 [...]."""
    v = values or numbers()
    gain, drop = terms(kind, age, male, years, ratio, v)
    return np.asarray(-v[f"bone_effect_{kind}"] * gain - v[f"turnover_effect_{kind}"] * drop)


def terms(
    kind: str, age: Any, male: Any, years: np.ndarray, ratio: Mapping[str, np.ndarray], values: Values | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gain of BMD beyond the usual (%) and drop of CTX (logarithm) [..., time]."""
    site = PLACES[kind]
    gain = 100.0 * (np.log(ratio[f"{site}_bmd"]) - usual_change(site, age, male, years, values))
    drop = np.maximum(0.0, -np.log(ratio["ctx"])) if "ctx" in ratio else np.zeros_like(gain)
    return gain, drop


def usual_change(site: str, age: Any, male: Any, years: np.ndarray, values: Values | None = None) -> np.ndarray:
    """The logarithm of the ratio of BMD to that at month 0 [..., time] of the mean person of the population."""
    start, man = np.asarray(age, float)[..., None], np.asarray(male, bool)[..., None]
    mean, unit = tscores.references()[site]
    before, after = (mean + unit * usual_t(site, year, man, values)[0] for year in (start, start + years))
    return np.asarray(np.log(after / before))
