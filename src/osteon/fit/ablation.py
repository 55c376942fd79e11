"""What each mechanism buys: the model is fitted again without it, and with single parts switched off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon import files, parameters
from osteon.errors import OsteonError
from osteon.evidence.loader import load_trials
from osteon.fit import optimise
from osteon.fit.effects import Effects
from osteon.fit.held_out import ORDER, rmse, scored_errors
from osteon.fit.optimise import Found
from osteon.fit.problem import Problem
from osteon.fit.targets import trial_targets
from osteon.mechanisms import ageing
from osteon.skeleton import ALL, NEEDED, Osteon

FILE = "ablation.csv"
DRAWS, TARGET = 24, 1e-3  # fewer sets and longer steps than for the fit itself: what is asked is what gets worse
ROUNDS = 30  # of the search; a penalty is therefore an upper bound
SPREADS = (
    0.3,
    0.05,
)  # round a start, in the priors' widths, on which steps are chosen; the second if the first fails
# Parts of mechanisms, and the values that switch them off. Those whose parameters a model lacks are left out.
PARTS: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("death of pre-osteoclasts", {"pre_osteoclast_death": 0.02}),
    ("death of pre-osteoblasts", {"pre_osteoblast_death": 0.02}),
    ("coupling other than in proportion", {"coupling_exponent": 1.0}),
    ("formation that follows volume", {"formation_exponent": 0.01}),
    ("resorption that follows volume", {"resorption_exponent": 0.01}),
    ("RANKL from osteoblasts", {"rankl_share": 1e-3}),
    ("waking of lining cells", {"sclerostin_waking": 0.0, "pth_waking": 0.0}),
    ("bisphosphonate kept in bone", {"bisphosphonate_kept": 0.0}),
    ("osteocytes' answer to an antibody", {"compensation_gain": 0.0}),
    ("sclerostin antibody on resorption", {"antibody_resorption": 0.0, "rankl_answer": 0.0}),
    ("osteocytes' RANKL in answer to it", {"rankl_answer": 0.0}),
    ("clearance of denosumab by its target", {"denosumab_target_most": 1e-6}),
    ("resorption under PTH coming later", {"pth_resorption_time": 1.0}),
    ("larger doses of PTH adding less", {"pth_saturation": 1e6}),
    ("surplus of cortical bone by growth", {"growth_surplus": 0.0}),
    ("ageing of the osteoblast supply", {"supply_ageing": 0.0}),
    ("osteoblasts dying sooner without estrogen", {"estrogen_survival": 0.0}),
)


@dataclass(frozen=True)
class Case:
    """A model to fit again: the whole one, one without a mechanism, or one with a part switched off."""

    name: str
    kind: str
    without: tuple[str, ...] = ()
    held: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Ablated:
    """A case as fitted: misfit (None where the model has no finite course), and by end point n and RMSE on the fit
    trials and, when asked for, on the others."""

    case: Case
    misfit: float | None
    fit: dict[str, tuple[int, float]]
    validate: dict[str, tuple[int, float]] | None = None

    def plain(self, whole: Ablated) -> dict[str, Any]:
        """As a row of ablation.csv; `more` is how much the misfit rose above the whole model's."""
        row: dict[str, Any] = {
            "left_out": self.case.name, "kind": self.case.kind, "misfit": self.misfit,
            "more": None if self.misfit is None or whole.misfit is None else self.misfit - whole.misfit,
        }  # fmt: skip
        for use, scores in (("fit", self.fit), ("validate", self.validate or {})):
            row |= {f"{use}_{endpoint}": value for endpoint, (_, value) in scores.items()}
        return row


def write(found: Sequence[Ablated], folder: Path) -> None:
    """ablation.csv into a folder."""
    table = pd.DataFrame([a.plain(found[0]) for a in found])
    files.write_whole(folder / FILE, table.to_csv(index=False, lineterminator="\n"))


def cases(name: str = "osteon") -> tuple[list[Case], list[str]]:
    """What can be left out: nothing, mechanisms of biology (therapies are none), parts; and the names of parts whose
    parameters the records lack."""
    known = parameters.load(name)
    p = Osteon().parameters()
    found = [Case("nothing", "whole")]
    kept = {*NEEDED, *ageing.GROUP}  # ageing is not fitted, and neutral where it is usual
    found += [Case(m.name, "mechanism", without=(m.name,)) for m in ALL if m.name not in kept and not m.kinetics(p)]
    lacking = []
    for part, held in PARTS:
        if all(ident in known for ident in held):
            found.append(Case(part, "part", held=held))
        else:
            lacking.append(part)
    return found, lacking


def ablate(
    problem: Problem,
    z: np.ndarray,
    some: Sequence[Case],
    *,
    score_validate: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> list[Ablated]:
    """Each case fitted again. `problem` and `z` are the whole model's and its optimum, where every fit starts (at the
    priors' centers when the model runs away there)."""
    found = []
    for number, case in enumerate(some):
        if progress is not None:
            progress(number / len(some), case.name)
        part: Problem
        best: Found | None
        part, best = (problem, optimise.fit(problem, z)) if case.kind == "whole" else refit(problem, z, case)
        if best is None:
            found.append(Ablated(case, None, {}))
            continue
        others = None
        if score_validate:
            never_fitted = trial_targets(part.model, load_trials("validate").values())
            judge = Problem(part.model, never_fitted, part.free, part.threads)
            others = pooled(judge, best.z) if _prepared(judge, best.z, SPREADS[-1]) else {}
        found.append(Ablated(case, best.cost, pooled(part, best.z), others))
    return found


def refit(problem: Problem, z: np.ndarray, case: Case) -> tuple[Problem, Found | None]:
    """The problem of a case, and its optimum; None when no parameters near any start give a finite course."""
    held = case.held or {}
    kept = [i for i, c in enumerate(problem.free) if c.id not in held]
    effects = problem.effects and Effects(problem.targets, problem.effects.trials)
    model = Osteon(case.without, held, bounded=False)  # parts are switched off by values beyond all bounds
    part = Problem(model, problem.targets, [problem.free[i] for i in kept], problem.threads, effects)
    start = np.concatenate([z[kept], z[problem.count :]])
    for at in (start, part.center):
        if any(_prepared(part, at, spread) for spread in SPREADS):
            return part, optimise.fit(part, at, rounds=ROUNDS)
    return part, None


def _prepared(problem: Problem, z: np.ndarray, spread: float) -> bool:
    """Whether steps could be chosen near z: with a part missing, the model may run away with some parameters."""
    try:
        problem.prepare(z, spread=spread, draws=DRAWS, target=TARGET)
    except OsteonError:
        return False
    return True


def pooled(problem: Problem, z: np.ndarray) -> dict[str, tuple[int, float]]:
    """n and RMSE by end point over all trials of a problem, as `osteon validate` pools them."""
    errors = scored_errors(problem, z)
    found = {}
    for endpoint in sorted({e for _, e in errors}, key=ORDER.index):
        parts = [x for (_, e), x in errors.items() if e == endpoint]
        found[endpoint] = (sum(map(len, parts)), rmse(parts))
    return found
