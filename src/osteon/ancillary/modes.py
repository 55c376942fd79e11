"""Three ways to add bone to a host: scans and markers from now on, markers on banked serum, CT taken anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass

from osteon.ancillary.host import Host
from osteon.ancillary.tables import Tables
from osteon.ancillary.value import variance, variance_without_control
from osteon.registry.record import RUNNING

PROSPECTIVE, BANKED, CT = "dxa+markers", "banked-serum", "opportunistic-ct"


@dataclass(frozen=True)
class Mode:
    """One way for one host: people measured per arm, what an estimate's variance is made of, cost and reasons.

    `fixed` is the part of `cost` that does not depend on the number of people. `noise` and `bias` are variances in
    points² at 12 months; `noise` scales with the SD between people, `bias` holds τ² and what measuring adds.
    """

    name: str
    treated: float
    control: float
    noise: float
    bias: float
    cost: float
    why: list[str]
    fixed: float = 0.0

    @property
    def variance(self) -> float:
        return self.noise + self.bias


def modes(host: Host, tables: Tables) -> tuple[list[Mode], list[tuple[str, str]]]:
    """The ways that are open, and for those that are not the gate with its reason."""
    found: list[Mode] = []
    shut: list[tuple[str, str]] = []
    least = tables("gates", "min_people")
    spread, costs = tables.section("spread"), tables.section("costs")
    open_now = host.status in RUNNING
    measures = bool(host.drawn["bone_outcomes"])
    grown = min((host.months or 6.0) / 12.0, 1.0)
    if (open_now and host.status != "ACTIVE_NOT_RECRUITING") or (measures and open_now):
        share = 1.0 if measures else host.enrolling
        n_t, n_c = host.treated * share, host.control * share
        if n_t + n_c < least:
            shut.append(
                (
                    "time-left",
                    f"{PROSPECTIVE}: {n_t + n_c:.0f} participants would still come in after"
                    f" {tables('gates', 'lag'):g} months of approval; each needs a scan before treatment",
                )
            )
        else:
            each = 2 * (costs["p1np"] + costs["ctx"]) + (0 if measures else 2 * (costs["dxa"] + costs["visit"]))
            fixed = costs["host_on_file" if measures else "host"] + costs["site"] * host.sites
            why = ["already measures bone: ask for its data and add markers, no new scans"] if measures else []
            if share < 1:
                why.append(f"about {share:.0%} of {host.n:.0f} participants come in late enough for a baseline scan")
            found.append(
                _mode(PROSPECTIVE, host, n_t, n_c, spread["bmd_sd"] / grown, 0.0, (fixed, each), why, tables)
            )
    elif open_now:
        shut.append(("enrolment-over", f"{PROSPECTIVE}: enrolment is over, there is no baseline scan"))
    if host.drawn["banked_serum"]:
        sd = spread["p1np_sd"] / spread["p1np_per_point"]
        price = (costs["host_on_file"], 2 * (costs["banked_sample"] + costs["p1np"]))
        why = [f"samples are kept ({' '.join(host.drawn.value('banked_serum').span.split())[:60]!r})"]
        found.append(_mode(BANKED, host, host.treated, host.control, sd, spread["p1np_link_sd"], price, why, tables))
    else:
        shut.append(("no-banked-serum", f"{BANKED}: no stored samples are mentioned; ask"))
    if host.drawn["ct"] and open_now:
        n_t, n_c = (n * spread["ct_share"] for n in (host.treated, host.control))
        if n_t + n_c >= least:
            price = (costs["host_on_file"] + costs["site"] * host.sites, 2 * costs["ct_reading"])
            why = [f"CT is part of the study ({' '.join(host.drawn.value('ct').span.split())[:60]!r}); no added dose"]
            found.append(_mode(CT, host, n_t, n_c, spread["ct_sd"] / grown, spread["ct_link_sd"], price, why, tables))
    else:
        shut.append(("no-ct", f"{CT}: no CT is mentioned, or the study is closed"))
    return found, shut


def _mode(
    name: str,
    host: Host,
    n_t: float,
    n_c: float,
    sd: float,
    link: float,
    price: tuple[float, float],
    why: list[str],
    tables: Tables,
) -> Mode:
    """A way whose `price` is what it costs in any case, and for each participant."""
    keep, trend = tables("spread", "retention"), tables("spread", "trend_sd")
    bias = host.tau**2 + link**2
    if n_c > 0:
        noise = variance(n_t, n_c, sd, retention=keep)
        if not host.randomised:
            bias += tables("spread", "unrandomised_sd") ** 2
            why = [*why, "the arms were not randomised"]
    else:
        noise = variance_without_control(n_t, sd, 0.0, retention=keep)
        bias += trend**2
        why = [*why, "no control group: before-and-after change, with what time alone may do"]
    if not math.isfinite(noise):
        noise = math.inf
    return Mode(name, n_t, n_c, noise, bias, price[0] + price[1] * (n_t + n_c), why, price[0])
