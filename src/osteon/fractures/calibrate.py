"""How the derived numbers of the set "fracture" were found: `python -m osteon.fractures.calibrate` prints them again.

In turn: the population's T-scores by age (parabolas through the people that were fitted to the survey); what bone
gained and resorption lost do, from the relative risks of trials marked fit; the level of vertebral fracture and the
factor of an earlier one, from the untreated arms of those trials; how far arms scatter round them. Trials marked
validate are never opened here. Two published numbers rest on many trials, some of them marked validate (population
rows 159 to 168: gradients of risk in placebo arms, and regressions of hip fracture on BMD gained); they are taken as
published.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from osteon import models, parameters
from osteon.evidence import load_trials
from osteon.evidence.loader import table_rows
from osteon.evidence.schema import Trial
from osteon.fractures.hazards import KINDS, numbers
from osteon.fractures.incidence import expected_incidence
from osteon.fractures.predict import Courses, incidence
from osteon.fractures.trials import COUNTED, Ratio, incidences, people, ratios
from osteon.models import Model

PEOPLE = 300_000
PUBLISHED_SE = 0.1  # assumed, of the logarithm of the risk ratio of a published regression line
PRIORS = {"bone_effect": (0.1, 0.1), "turnover_effect": (0.0, 0.5)}
"""Mean and SD of weak priors of the effects: bone at a tenth for each percent, no effect of turnover."""
LEVEL_PRIOR_SD = 1.0
PRIOR_FRACTURE_SD = 0.2  # of the logarithm of its factor round the published 4


def usual_t_scores(n: int = PEOPLE) -> dict[str, float]:
    """Means and SDs of T-scores by site, sex and age, of the population that was fitted to the survey."""
    from osteon.population import survey

    table = survey.sample(n=n, seed=0).table
    found: dict[str, float] = {}
    for site in ("total_hip", "femoral_neck", "lumbar_spine"):
        for sex in ("female", "male"):
            group = table[(table["sex"] == sex) & (table["age"] < 95)]
            y, t = (group["age"].to_numpy() - 70.0) / 10.0, group[f"{site}_t"].to_numpy()
            line = np.polyfit(y, t, 2)
            found |= {f"usual_{site}_{sex}_{i}": float(c) for i, c in enumerate(line[::-1])}
            bins = np.floor(group["age"].to_numpy() / 2.5).astype(int)
            rest = t - np.polyval(line, y)
            groups = [bins == b for b in np.unique(bins)]
            sd, middle = np.array([rest[g].std() for g in groups]), np.array([y[g].mean() for g in groups])
            size = np.array([g.sum() for g in groups])
            slope, start = np.polyfit(middle, sd, 1, w=np.sqrt(size))
            found |= {f"usual_sd_{site}_{sex}_0": float(start), f"usual_sd_{site}_{sex}_1": float(slope)}
    return found


def effects(courses: Courses, trials: Mapping[str, Trial], turnover: bool = True) -> dict[str, Any]:
    """Effects of bone gained and of resorption lost on each kind of fracture, standard errors of the first, and what
    is left of each relative risk (key "rest": trial, arm, published, fitted, its standard error); without `turnover`
    bone alone."""
    from scipy.optimize import least_squares

    found: dict[str, Any] = {"rest": [], "cost": {}}
    for kind in KINDS:
        names = [f"bone_effect_{kind}", *([f"turnover_effect_{kind}"] if turnover and kind != "hip_fracture" else [])]
        usable = [(t, r) for t in trials.values() for r in ratios(t) if r.kind == kind and _counts(r, t)]
        prior = [PRIORS[name.removesuffix(f"_{kind}")] for name in names]

        def misses(x: np.ndarray, names: list[str] = names, usable: Any = usable, kind: str = kind,
                   prior: Any = prior) -> np.ndarray:  # fmt: skip
            values = {**numbers(), f"turnover_effect_{kind}": 0.0, **dict(zip(names, x, strict=True))}
            rows = [(np.log(_ratio(courses, t, r, values)) - np.log(r.value)) / r.se for t, r in usable]
            if kind == "hip_fracture":
                rows += [(_line(kind, gain, values) - np.log(1 - cut / 100)) / PUBLISHED_SE for gain, cut in _rows()]
            return np.array([*rows, *((v - m) / sd for v, (m, sd) in zip(x, prior, strict=True))])

        bounds = ([0.0] * len(names), [np.inf] * len(names))
        best = least_squares(misses, [0.1] * len(names), bounds=bounds)
        jac = np.asarray(best.jac, float)
        covariance = np.linalg.inv(jac.T @ jac)
        found |= dict(zip(names, (float(x) for x in best.x), strict=True))
        found[f"bone_effect_sd_{kind}"] = float(np.sqrt(covariance[0, 0]))
        found["cost"][kind] = float(2 * best.cost)
        values = {**numbers(), f"turnover_effect_{kind}": 0.0, **dict(zip(names, best.x, strict=True))}
        found["rest"] += [(r.trial, r.arm, r.endpoint, r.month, r.value, _ratio(courses, t, r, values), r.se)
                          for t, r in usable]  # fmt: skip
    return found


def _counts(r: Ratio, trial: Trial) -> bool:
    """Those with an interval of the trial itself, and of several periods that hold one another the longest."""
    longest = max(o.month for o in ratios(trial) if (o.arm, o.endpoint, o.since) == (r.arm, r.endpoint, r.since))
    return r.interval != "expected" and r.month == longest


def _ratio(courses: Courses, trial: Trial, r: Ratio, values: Mapping[str, float]) -> float:
    one, other = (incidence(courses, trial, arm, r.kind, r.month, r.since, values)[0] for arm in (r.arm, r.beside))
    return float(one / other)


def _rows() -> list[tuple[float, float]]:
    """The published regression of hip fracture on total hip BMD gained beside placebo: gain and cut in %."""
    cut = {row["row_id"]: float(row["value"]) for row in table_rows("population") if row["row_id"] in ("166", "168")}
    return [(2.0, cut["166"]), (6.0, cut["168"])]


def _line(kind: str, gain: float, values: Mapping[str, float]) -> float:
    """The logarithm of the relative risk over three years of women of 72 whose hip gains evenly for two years."""
    years = np.linspace(0.0, 3.0, 37)
    path = -values[f"bone_effect_{kind}"] * 100 * np.log1p(gain / 100 * np.minimum(years / 2, 1))
    one, other = (expected_incidence(kind, years, 72.0, False, -2.0, x, t_sd=0.9, death=False, values=values)[-1]
                  for x in (path, 0 * path))  # fmt: skip
    return float(np.log(one / other))


def levels(courses: Courses, trials: Mapping[str, Trial], values: Mapping[str, float]) -> dict[str, Any]:
    """The rate of vertebral fracture of women of 70, the factor of an earlier one, and how many hips people in trials
    break beside others, from untreated arms; and what is left of each arm's incidence (key "rest": trial, arm, end
    point, published, fitted, grade of what is known of its people)."""
    from scipy.optimize import least_squares

    arms = [(t, i) for t in trials.values() for i in incidences(t)
            if i.endpoint in COUNTED and t.arm(i.arm).regimen == "none" and not t.arm(i.arm).prior
            and "_prevVF" not in i.arm]  # fmt: skip
    usual = numbers()

    def of(x: np.ndarray) -> dict[str, float]:
        names = ("rate_vertebral_fracture_female", "prior_vertebral_fracture", "trial_level_hip_fracture")
        return {**values, **{name: float(np.exp(v)) for name, v in zip(names, x, strict=True)}}

    def rest(x: np.ndarray) -> list[tuple[Any, ...]]:
        return [(i.trial, i.arm, i.endpoint, i.value,
                 float(incidence(courses, t, i.arm, i.endpoint, i.month, i.since, of(x))[0]),
                 people(t, t.arm(i.arm)).grade) for t, i in arms]  # fmt: skip

    def misses(x: np.ndarray) -> np.ndarray:
        rows = [np.log(p / v) / usual["level_sd"] for _, _, _, v, p, _ in rest(x)]
        return np.array([*rows, *((x - start) / [LEVEL_PRIOR_SD, PRIOR_FRACTURE_SD, LEVEL_PRIOR_SD])])

    start = np.log([0.0107, 4.0, 1.0])  # half the rate of Rochester, the published factor, and no difference
    best = least_squares(misses, start).x
    found = rest(best)
    logs = [np.log(p / v) for *_, v, p, _ in found]
    return {"rate_vertebral_fracture_female": float(np.exp(best[0])),
            "rate_vertebral_fracture_male": float(np.exp(best[0]) / 2),
            "prior_vertebral_fracture": float(np.exp(best[1])),
            "trial_level_hip_fracture": float(np.exp(best[2])),
            "level_scatter": float(np.sqrt(np.mean(np.square(logs)))), "rest": found}  # fmt: skip


def run(model: Model | None = None, people_too: bool = True) -> dict[str, Any]:
    """All of it: numbers by record id, and under "effects", "bone_alone" and "levels" what is left over."""
    courses, trials = Courses(model or models.get()), load_trials("fit")
    found: dict[str, Any] = usual_t_scores() if people_too else {}
    best, alone = effects(courses, trials), effects(courses, trials, turnover=False)
    values = {**numbers(), **{k: v for k, v in best.items() if isinstance(v, float)}}
    level = levels(courses, trials, values)
    for part in (best, level):
        found |= {k: v for k, v in part.items() if isinstance(v, float)}
    return {**found, "effects": best, "bone_alone": alone, "levels": level}


def main() -> None:
    """Print each number beside the shipped one, then what is left of the published values."""
    found, shipped = run(), parameters.load("fracture")
    out = sys.stdout
    for ident, value in found.items():
        if isinstance(value, float):
            now = f"{shipped[ident].value:10.4g}" if ident in shipped else " " * 10
            out.write(f"{ident:40s} {value:10.4g}   shipped {now}\n")
    out.write(f"misfit by kind with turnover {found['effects']['cost']}, bone alone {found['bone_alone']['cost']}\n")
    for row in (*found["effects"]["rest"], *found["levels"]["rest"]):
        out.write("  ".join(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row) + "\n")


if __name__ == "__main__":
    main()
