"""What a job's process does: run a study or a factorial design, tell how far it is, write its files.

It is started fresh, so that it shares nothing with the app; it ends when the app is gone.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from osteon.errors import OsteonError, OsteonWarning

Tell = Callable[..., None]
"""Called with the share done and, if there is something to say, what is being done."""


def main(kind: str, payload: dict[str, Any], folder: str, mouth: Any) -> None:
    """Do the work of one job; `mouth` takes ("progress", share, what), ("warning", text), ("error", {…}) and
    ("done", names of files)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app, which ends its workers itself

    def send(*words: Any) -> None:
        try:
            mouth.send(words)
        except (BrokenPipeError, OSError):
            sys.exit(1)  # the app is gone

    last = [-1.0]

    def tell(share: float, what: str = "") -> None:
        if what or share >= last[0] + 0.002:
            last[0] = share
            send("progress", float(share), what)

    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", category=OsteonWarning)
            names = KINDS[kind](payload, Path(folder), tell)
        for text in dict.fromkeys(str(one.message) for one in heard):
            send("warning", text)
        send("done", names)
    except OsteonError as problem:
        from osteon.app.problem import of

        send("error", of(problem)["error"])
    except MemoryError:
        send("error", {"what": "not enough memory", "where": "", "hint": "use fewer draws or arms"})
    except Exception as problem:
        what = f"osteon failed here, which it should not: {type(problem).__name__}"
        send("error", {"what": what, "where": kind, "hint": "please report it with the study file"})


def plain(value: Any) -> Any:
    """A value for JSON: numbers that are not finite become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return plain(value.item()) if hasattr(value, "item") else value


def _write_json(path: Path, content: Any) -> None:
    from osteon import files

    files.write_whole(path, json.dumps(plain(content), allow_nan=False, separators=(",", ":")))


def _study(payload: dict[str, Any]) -> Any:
    from osteon.study import study_from

    return study_from(payload["study"])


def run_study(payload: dict[str, Any], folder: Path, tell: Tell) -> list[str]:
    """What `osteon run` writes (with `trial`: and what `--trial` does), the study as YAML, and summary.json for the
    page."""
    from osteon import files, models
    from osteon import result as results
    from osteon.app.studies import yaml_of
    from osteon.report.pages import course_page_text
    from osteon.simulation import run, run_fine
    from osteon.summary import csv_text, summarise

    study = _study(payload)
    model, draws, seed = models.get(payload.get("model")), payload.get("draws"), payload.get("seed", 0)
    end = 0.3 if payload.get("trial") else 0.95
    tell(0.0, "running the arms")
    result = run(study, model=model, seed=seed, draws=draws, progress=lambda share: tell(end / 2 * share))
    tell(end / 2, "drawing")
    fine = run_fine(study, model=model, draws=draws, progress=lambda share: tell(end / 2 * (1 + share)))
    names: list[str] = []
    told: dict[str, Any] = {}
    if payload.get("trial"):
        names, told["trial"] = _virtual_trial(study, model, seed, folder, lambda share, what: tell(0.3 + share, what))
    tell(0.95, "writing")
    table = summarise(result, study)
    page = course_page_text(result, study.title or study.id, picture=fine, only=study.endpoints)
    files.write_whole(folder / "report.html", page)
    files.write_whole(folder / "summary.csv", csv_text(table))
    files.write_whole(folder / "summary.parquet", lambda path: table.to_parquet(path, index=False))
    files.write_whole(folder / "result.nc", results.netcdf_bytes(result))
    files.write_whole(folder / "study.yaml", yaml_of(study))
    told |= {"summary": table.to_dict("records"), "provenance": results.provenance(result)}
    _write_json(folder / "summary.json", told)
    return ["report.html", "summary.csv", "summary.parquet", "result.nc", "study.yaml", "summary.json", *names]


def _virtual_trial(
    study: Any, model: Any, seed: int, folder: Path, tell: Callable[[float, str], None]
) -> tuple[list[str], dict[str, Any]]:
    """The study with people one by one: names of the files, and what the page tells; 0.65 is all of it."""
    from osteon.trial.run import trial, write

    n = study.people.n_per_arm
    found = trial(study, model, seed, progress=lambda share: tell(0.5 * share, f"running {n:,} people in each arm"))
    tell(0.55, "analysing")
    paths = write(found, folder)
    name, month = found.findings.primary
    told = {"table": found.findings.table.to_dict("records"), "endpoint": name, "month": month,
            "reference": found.findings.reference, "notes": found.notes}  # fmt: skip
    return [path.relative_to(folder).as_posix() for path in paths], told


def run_factorial(payload: dict[str, Any], folder: Path, tell: Tell) -> list[str]:
    """What `osteon factorial` writes, and contrasts.json for the page."""
    from osteon import deciding, files, models, parameters
    from osteon import result as results
    from osteon.app.studies import yaml_of
    from osteon.design import design_of
    from osteon.draws import of_result
    from osteon.factorial import grounds, rests_on, table, words
    from osteon.report import factorial as report
    from osteon.report.figures import png
    from osteon.simulation import run
    from osteon.summary import csv_text, summarise
    from osteon.therapies import catalogue

    study = _study(payload)
    design = design_of(study)
    model = models.of_species(models.get(payload.get("model")), study.people.species)
    tell(0.0, f"running {len(design.cells)} cells")
    result = run(study, model=model, seed=payload.get("seed", 0), draws=payload.get("draws"),
                 progress=lambda share: tell(0.85 * share))  # fmt: skip
    tell(0.85, "comparing")
    found, drawn = table(result, study, design), of_result(model, result)
    decided = []
    for name in study.endpoints:
        decided += rests_on(result, study, design, deciding.acting_in(model, study, drawn, name), name)
    deciders = deciding.told((i for row in decided for i in row["parameters"]), parameters.load(model.name))
    said = [*words(found, study.visits[-1], decided), *filter(None, [grounds(deciders)])]
    grades = catalogue.grades(study.therapies())
    tell(0.92, "writing")
    page = report.page(result, study, design, found, words=said, deciders=deciders, grades=grades)
    files.write_whole(folder / "factorial.html", page)
    files.write_whole(folder / "factorial.png", png(report.figure(result, study, design, found)))
    files.write_whole(folder / "contrasts.csv", csv_text(found))
    cells = summarise(result, study)
    files.write_whole(folder / "summary.csv", csv_text(cells))
    files.write_whole(folder / "study.yaml", yaml_of(study))
    told = {"contrasts": found.to_dict("records"), "cells": list(design.cells), "words": said,
            "factors": {name: list(levels) for name, levels in design.factors}, "deciding": deciders,
            "decided_by": decided, "evidence": grades, "summary": cells.to_dict("records"),
            "provenance": results.provenance(result)}  # fmt: skip
    _write_json(folder / "contrasts.json", told)
    return ["factorial.html", "factorial.png", "contrasts.csv", "summary.csv", "study.yaml", "contrasts.json"]


def score_trial(payload: dict[str, Any], folder: Path, tell: Tell) -> list[str]:
    """Published and simulated values of one trial, kept for the next time (`osteon.app.scoreboard`)."""
    from osteon.app import scoreboard

    tell(0.0, "simulating the arms")
    told = scoreboard.score(payload["trial"], payload.get("model"), progress=lambda share, what: tell(share, what))
    _write_json(folder / "trial.json", told)
    return ["trial.json"]


KINDS: dict[str, Callable[[dict[str, Any], Path, Tell], list[str]]] = {
    "run": run_study,
    "factorial": run_factorial,
    "score": score_trial,
}
