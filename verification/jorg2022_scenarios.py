"""The scenarios of the oracle table (docs/models/jorg2022.md), as regimens, and their quantities."""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from pathlib import Path

import numpy as np

from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.published.jorg2022 import YEAR_DAYS, Jorg2022, estrogen, turnover
from osteon.regimen import parse_regimen

MODEL = Jorg2022()
P = MODEL.parameters()
START = 67.0  # years, of every scenario but the fitted arms

A = "alendronate 70 mg PO weekly for 365 days"
R = "romosozumab 140 mg SC every 30 days for 365 days"
D = "denosumab 60 mg SC every 180 days for 365 days"
SEQUENCES = {
    "seq_" + "".join(order): "; then ".join({"A": A, "R": R, "D": D}[letter] for letter in order)
    for order in ("ARD", "ADR", "RAD", "RDA", "DAR", "DRA")
}
PULSES = {
    "pk_pulses_alendronate": (2, "alendronate 70 mg PO weekly x53"),
    "pk_pulses_denosumab": (1, "denosumab 60 mg SC every 180 days x3"),
    "pk_pulses_romosozumab": (0, "romosozumab 140 mg SC every 30 days x13"),
    "pk_window_alendronate": (2, "alendronate 10 mg PO daily for 365 days"),
    "pk_window_teriparatide": (3, "teriparatide 20 ug SC daily for 730 days"),
}
REGIMENS = {
    "untreated": "none",
    "mono_ale70_weekly_pulses_53": "alendronate 70 mg PO weekly x53",
    "mono_ale10perday_window_365d": "alendronate 10 mg PO daily for 365 days",
    "mono_blo180_q14d_26": "blosozumab 180 mg SC every 14 days x26",
    "mono_blo180_q28d_13": "blosozumab 180 mg SC every 28 days x13",
    "mono_blo270_q14d_26": "blosozumab 270 mg SC every 14 days x26",
    "mono_deno60_q180d_2": "denosumab 60 mg SC every 180 days x2",
    "mono_deno60_q180d_3": "denosumab 60 mg SC every 180 days x3",
    "mono_romo140_q30d_13": "romosozumab 140 mg SC every 30 days x13",
    "mono_romo210_q30d_12": "romosozumab 210 mg SC every 30 days x12",
    "mono_teri20perday_window_365d": "teriparatide 20 ug SC daily for 365 days",
    "mono_teri20perday_window_730d": "teriparatide 20 ug SC daily for 730 days",
    "deno60_q180d_20_then_off": "denosumab 60 mg SC every 180 days x20",
    "combo_teri20_730d_plus_deno60_q180d_4": (
        "teriparatide 20 ug SC daily for 730 days + denosumab 60 mg SC every 180 days x4"
    ),
    **SEQUENCES,
}
_ROMO12 = "romosozumab 210 mg SC every 30 days x12"
_FLEX = "alendronate 5 mg PO daily for 730 days + alendronate 10 mg PO daily for 1095 days starting at day 730"
_ALN53 = "alendronate 70 mg PO every 7 days x53"
_ROMO140 = "romosozumab 140 mg SC every 30 days x13 starting at day 365"
_ROMO25 = "romosozumab 210 mg SC every 30 days x25"
_LATE = "denosumab 60 mg SC every 180 days x2 starting at day 730"


def _deno(count: int, day: int) -> str:
    return f"denosumab 60 mg SC every 180 days x{count} starting at day {day}"


ARMS = {
    "black2006_alendronate-alendronate": (
        68,
        f"{_FLEX} + alendronate 7.5 mg PO daily for 1808 days starting at day 1825",
    ),
    "black2006_alendronate-placebo": (68, _FLEX),
    "cosman2016_placebo_to_denosumab": (71, _deno(2, 365)),
    "cosman2016_romosozumab_to_denosumab": (71, f"{_ROMO12} + {_deno(2, 365)}"),
    "lewiecki2018_placebo_to_denosumab": (71, _deno(4, 365)),
    "lewiecki2018_romosozumab_to_denosumab": (71, f"{_ROMO12} + {_deno(4, 365)}"),
    "mcclung2006_denosumab_100_q6m": (63, "denosumab 100 mg SC every 180 days x2"),
    "mcclung2006_denosumab_14_q3m": (63, "denosumab 14 mg SC every 90 days x4"),
    "mcclung2006_denosumab_14_q6m": (63, "denosumab 14 mg SC every 180 days x2"),
    "mcclung2006_denosumab_210_q6m": (63, "denosumab 210 mg SC every 180 days x2"),
    "mcclung2006_denosumab_30_q3m": (63, "denosumab 30 mg SC every 90 days x4"),
    "mcclung2006_denosumab_60_q6m": (63, "denosumab 60 mg SC every 180 days x2"),
    "mcclung2006_denosumab_6_q3m": (63, "denosumab 6 mg SC every 90 days x4"),
    "mcclung2017_denosumab_8yrs": (63, f"denosumab 14 mg SC every 90 days x8 + {_deno(12, 730)}"),
    "mcclung2017_placebo_4yrs_to_denosumab_4yrs": (63, _deno(8, 1450)),
    "mcclung2018_alendronate_to_romosozumab_to_denosumab": (67, f"{_ALN53} + {_ROMO140} + {_LATE}"),
    "mcclung2018_alendronate_to_romosozumab_to_placebo": (67, f"{_ALN53} + {_ROMO140}"),
    "mcclung2018_placebo_to_denosumab": (67, _LATE),
    "mcclung2018_placebo_to_placebo": (67, "none"),
    "mcclung2018_romosozumab_to_denosumab": (67, f"{_ROMO25} + {_LATE}"),
    "mcclung2018_romosozumab_to_placebo": (67, _ROMO25),
    "recknor2015_blosozumab_180_q2w": (65, "blosozumab 180 mg SC every 14 days x26"),
    "recknor2015_blosozumab_180_q4w": (65, "blosozumab 180 mg SC every 28 days x13"),
    "recknor2015_blosozumab_270_q2w": (65, "blosozumab 270 mg SC every 14 days x26"),
    "recknor2015_placebo": (65, "none"),
    "saag2017_alendronate": (74, "alendronate 10 mg PO daily for 1095 days"),
    "saag2017_romosozumab_to_alendronate": (
        74,
        "romosozumab 210 mg SC every 30 days x13 + alendronate 10 mg PO daily for 730 days starting at day 365",
    ),
}
STATE_NAMES = dict(zip(("pB", "B", "Y", "pC", "C", "s", "s_bound", "bone_density", "bmc"), MODEL.states, strict=True))

Row = tuple[float | None, str, float]


def oracle() -> dict[str, list[Row]]:
    """Rows (time or None, quantity, value) of the oracle table by scenario."""
    found: dict[str, list[Row]] = defaultdict(list)
    with (Path(__file__).parent / "oracles" / "jorg2022.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            time = float(row["time"]) if row["time"] else None
            found[row["scenario"]].append((time, row["quantity"], float(row["value"])))
    return dict(found)


def exposure(text: str, start_age: float) -> Exposure:
    """The exposure to a regimen that begins at an age (years), on the model's clock."""
    start = start_age * YEAR_DAYS
    courses = [
        dataclasses.replace(c, start=c.start + start, stop=c.stop + start)
        for c in parse_regimen(text).courses(1e9, year_days=YEAR_DAYS)
    ]
    return Exposure(courses, MODEL.kinetics(P), len(MODEL.channels))


class Course:
    """A scenario solved on all the times that its oracle rows need, and their quantities."""

    def __init__(self, text: str, start_age: float, times: list[float], *, daily_until: float = 0.0) -> None:
        self.start = start_age * YEAR_DAYS
        wanted = {0.0, 9125.0, self.start, *times}
        if daily_until:
            wanted |= set(np.arange(self.start, daily_until + 1).tolist())
        self.times = np.array(sorted(wanted))
        self.states = exact.solve(MODEL, P, exposure(text, start_age), self.times)
        self.read = MODEL.read_out(self.states.T, P)
        self.read["bmd"] = self.read["total_hip_bmd"]

    def at(self, time: float) -> int:
        return int(np.searchsorted(self.times, time))

    def relative(self, name: str, time: float) -> np.ndarray:
        return self.read[name] / self.read[name][self.at(time)]

    def quantity(self, name: str, time: float | None) -> float:
        """The value that the table calls `name` at `time` (days since birth)."""
        if name in STATE_NAMES:
            assert time is not None
            return float(self.states[self.at(time), MODEL.states.index(STATE_NAMES[name])])
        if name.endswith("_daily_grid"):
            word, what, *_ = name.split("_", 2)
            change = self.relative(what, self.start) - (1.0 if what == "bmd" else 0.0)
            daily = change[self.at(self.start) :]
            return float(daily.max() if word == "max" else daily.min())
        if name == "bmd_change_10y_after_last_drug_year":
            return self.quantity("bmd_change", 80 * YEAR_DAYS)
        if name == "bmd_change_at_82y":
            return self.quantity("bmd_change", 82 * YEAR_DAYS)
        if name == "max_bmd_change":
            return self.quantity("max_bmd_change_daily_grid", None)
        assert time is not None
        i = self.at(time)
        if name == "estrogen":
            return float(estrogen(time, P))
        if name in ("bmd_change", "bmd_change_vs67"):
            return float(self.relative("bmd", self.start)[i] - 1.0)
        what, _, reference = name.partition("_rel")
        return float(self.relative(what, {"25": 9125.0, "_start": self.start}[reference])[i])


def equilibrium() -> dict[str, float]:
    """The quantities of the scenario `equilibrium`."""
    _, x = MODEL.start(P)
    formation, resorption = turnover(x, P)
    read = MODEL.read_out(x, P)
    return {
        **{name: x[i] for i, name in enumerate(STATE_NAMES)},
        "bmd": read["total_hip_bmd"],
        "formation_rate_per_day": formation,
        "resorption_rate_per_day": resorption,
        "net_bone_density_slope_per_year": (formation - resorption) * YEAR_DAYS,
        "turnover_percent_per_year": resorption * YEAR_DAYS * 100,
        "ctx_raw": read["ctx"],
        "p1np_raw": read["p1np"],
        "bsap_raw": read["bsap"],
    }
