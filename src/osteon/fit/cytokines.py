"""The shares of TNF and IL-1 in what estrogen's lack does to osteoclasts, from the trial that stopped estrogen
(INT-H01).

Women soon after the menopause took estrogen, stopped it, and for three weeks had etanercept, anakinra or neither. The
share is the one with which the model's rise of CTX with the drug, relative to that without, is that of the trial; its
width on the logit scale comes from the trial's standard errors. Only the ratio is fitted: the model's own rise is
larger than the trial's. The records `tnf_share` and `il1_share` hold what this gives; run it again when osteoclasts
or estrogen are fitted again."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from osteon.errors import OsteonWarning

BEFORE = "estradiol 0.1 mg TD daily for 60 days"  # 60 days, a dose that replaces most; both assumed
DAYS = 21.0
AGE, SINCE_MENOPAUSE = 55.0, 4.0  # assumed: early postmenopausal women
CONTROL = (43.3, 8.0)  # rise of CTX in %, and its standard error
DRUGS = {
    "tnf_share": ("etanercept 25 mg SC every 3.5 days for 21 days", 21.7, 5.0),
    "il1_share": ("anakinra 100 mg SC daily for 21 days", 25.9, 6.3),
}
_LOW, _HIGH = 0.01, 0.98


@dataclass(frozen=True)
class Share:
    """A share, and the width of its prior on the logit scale."""

    value: float
    sd: float


def rise(drug: str, **values: float) -> float:
    """The model's rise of CTX (%) within three weeks from when estrogen is stopped, under a drug."""
    from osteon.simulation import simulate
    from osteon.skeleton import Osteon

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)
        result = simulate(
            f"{BEFORE}; then {drug}", age=AGE, years_since_menopause=SINCE_MENOPAUSE, until=60.0 + DAYS, every=1.0,
            model=Osteon(values=values),
        )  # fmt: skip
    ctx = np.interp([60.0, 60.0 + DAYS], result["time"].to_numpy(), result["ctx"].to_numpy().ravel())
    return float(100 * (ctx[1] / ctx[0] - 1))


def shares() -> dict[str, Share]:
    """The shares of TNF and IL-1 by record."""
    from scipy.optimize import brentq

    usual, found = rise("none for 21 days"), {}
    for record, (drug, value, error) in DRUGS.items():
        left = value / CONTROL[0]
        spread = left * math.hypot(error / value, CONTROL[1] / CONTROL[0])

        def miss(share: float, goal: float, drug: str = drug, record: str = record) -> float:
            return rise(drug, **{record: share}) / usual - goal

        at = [
            float(brentq(miss, _LOW, _HIGH, args=(goal,), xtol=1e-3)) for goal in (left - spread, left, left + spread)
        ]
        logit = [math.log(x / (1 - x)) for x in at]
        found[record] = Share(at[1], (logit[0] - logit[2]) / 2)
    return found


if __name__ == "__main__":
    for name, share in shares().items():
        print(f"{name}: {share.value:.3f}, logit SD {share.sd:.2f}")
