"""osteon: an in-silico laboratory for treatments of osteoporosis.

A research tool, never medical advice. Start with `osteon.simulate(...)`; `osteon.load_study(...)` and
`osteon.run(...)` run a study file, `osteon.load_trials()` gives the published trials and
`osteon.validate(...)` scores a model against them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteon.evidence import load_tables, load_trial, load_trials
    from osteon.evidence.score import validate
    from osteon.person import Person
    from osteon.population.simulate import simulate_people
    from osteon.regimen import parse_regimen
    from osteon.result import load, percent_change, save
    from osteon.simulation import run, simulate
    from osteon.study import Study, load_study
    from osteon.summary import summarise
    from osteon.tscores import t_score

# Loaded on first use, so that `import osteon` and `osteon --help` stay quick.
_WHERE = {
    "Person": "person",
    "Study": "study",
    "load": "result",
    "load_study": "study",
    "load_tables": "evidence",
    "load_trial": "evidence",
    "load_trials": "evidence",
    "parse_regimen": "regimen",
    "percent_change": "result",
    "run": "simulation",
    "save": "result",
    "simulate": "simulation",
    "simulate_people": "population.simulate",
    "summarise": "summary",
    "t_score": "tscores",
    "validate": "evidence.score",
}

__all__ = [
    "Person",
    "Study",
    "load",
    "load_study",
    "load_tables",
    "load_trial",
    "load_trials",
    "parse_regimen",
    "percent_change",
    "run",
    "save",
    "simulate",
    "simulate_people",
    "summarise",
    "t_score",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'osteon' has no attribute {name!r}")
    return getattr(importlib.import_module(f"osteon.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
