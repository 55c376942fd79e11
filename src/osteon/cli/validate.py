"""`osteon validate`: score a model against the published trials."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from osteon.cli.common import (
    chosen_model,
    close,
    decimals,
    json_option,
    model_option,
    print_json,
    print_table,
    progress_bar,
    say,
    told,
    without_option,
)

if TYPE_CHECKING:
    from osteon.evidence.score import Scores
    from osteon.fractures.score import FractureScores


@click.command("validate")
@model_option
@click.option(
    "--trial", "trial_names", multiple=True, metavar="ID", help="Only this trial (or trial file); repeatable."
)
@click.option("--use", type=click.Choice(["fit", "validate"]), help="Only trials marked so.")
@click.option(
    "--out", "-o", metavar="DIR", help="Write scores.html (a plot per arm), scores.csv and points.csv there."
)
@without_option
@json_option
def command(
    model: str | None, trial_names: tuple[str, ...], use: str | None, out: str | None, without: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Score a model against published trials: change from baseline, curve by curve.

    RMSE, bias and slope per trial and end point; BMD in percentage points, markers on the log scale. Without --model,
    the published model is scored beside the default one, on the same values.
    """
    from osteon import files, models
    from osteon.errors import InputError
    from osteon.evidence import load_trial, load_trials
    from osteon.evidence.score import beside

    chosen = chosen_model(model, without)
    trials = [load_trial(name) for name in trial_names] if trial_names else list(load_trials().values())
    trials = list({id(trial): trial for trial in trials if use in (None, trial.use)}.values())
    names = [trial.id for trial in trials]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two trials have the id {name!r}; give your own file another id")
    if not trials:
        raise InputError(f"no trial left: none of {', '.join(trial_names)} is marked {use!r}")
    with files.output_folder(out) if out else contextlib.nullcontext():
        with told(), progress_bar("scoring") as progress:
            scores, fractures = _both_kinds(chosen, trials, progress)
        other = None
        if model is None:
            with progress_bar(f"scoring {models.BESIDE}") as progress:
                other = beside(scores, models.get(models.BESIDE), progress)
        if out:
            _write(scores, other, fractures, out)
    if as_json:
        told_of: dict[str, Any] = {"rows": [*scores.rows(), *fractures.rows()], "pooled": scores.pooled(),
                                   "skipped": [*scores.skipped, *fractures.skipped]}  # fmt: skip
        if model is None:
            told_of["models"] = {models.BESIDE: other.rows() if other is not None else []}
        told_of["fractures"] = {"ratios": fractures.ratios, "incidences": fractures.incidences,
                                "inside": fractures.inside()}  # fmt: skip
        print_json({**told_of, "provenance": scores.provenance})
        return
    if len(scores.points):
        _table(scores, other)
    _fracture_table(fractures)
    if scores.skipped:
        say(f"{len(scores.skipped)} arms were left out (drug or end point not in {chosen.name}); --json lists them")
    close(chosen, model)


def _both_kinds(model: Any, trials: list[Any], progress: Any) -> tuple[Scores, FractureScores]:
    """Scores of BMD and markers, and of fractures; a trial that has fractures alone has no values of the first."""
    import pandas as pd

    from osteon.errors import InputError
    from osteon.evidence.score import Scores, validate
    from osteon.fractures.score import score

    try:
        scores = validate(model, trials, progress=lambda share, what: progress(0.8 * share, what))
    except InputError:
        found = score(model, trials)
        if not (found.ratios or found.incidences):
            raise
        none = pd.DataFrame(columns=["trial", "use", "arm", "curve", "endpoint", "month", "observed", "predicted"])
        facts = {"model": model.name, "parameters_hash": model.parameter_hash}
        return Scores(model.name, none, {}, [], {t.id: t for t in trials}, [], facts), found
    fractures = score(model, trials, scores.lines, lambda share, what: progress(0.8 + 0.2 * share, what))
    return scores, fractures


def _fracture_table(fractures: FractureScores) -> None:
    """Relative risks beside the published ones, incidence in untreated arms, and how many lie inside."""
    if fractures.ratios:
        columns = [("trial", False), ("use", False), ("fracture", False), ("arms", False), ("month", True),
                   ("published (95 %)", True), ("interval", False), ("osteon", True), ("inside", False)]  # fmt: skip
        rows = [[r["trial"], r["use"], r["endpoint"].removesuffix("_fracture"), f"{r['arm']} / {r['beside']}",
                 f"{r['month']:g}", f"{decimals(r['published'])} ({decimals(r['low'])} to {decimals(r['high'])})",
                 r["interval"], decimals(r["predicted"]), "yes" if r["inside"] else "no"]
                for r in fractures.ratios]  # fmt: skip
        print_table(columns, rows, title="relative risks of fracture")
    if fractures.incidences:
        columns = [("trial", False), ("use", False), ("fracture", False), ("arm", False), ("month", True),
                   ("published %", True), ("osteon % (90 %)", True), ("people known", False)]  # fmt: skip
        rows = [[i["trial"], i["use"], i["endpoint"].removesuffix("_fracture"), i["arm"], f"{i['month']:g}",
                 decimals(i["published_pct"]), f"{decimals(i['predicted_pct'])} ({decimals(i['lower_pct'])} to "
                 f"{decimals(i['upper_pct'])})", i["people"]] for i in fractures.incidences]  # fmt: skip
        print_table(columns, rows, title="share with a fracture in untreated arms")
    for one in (one for one in fractures.inside() if one["kind"] == "all"):
        say(f"relative risks inside the published 95 % interval ({one['use']}): {one['inside']} of {one['n']}")


def _table(scores: Scores, other: Scores | None) -> None:
    """Scores by trial and end point, then pooled; beside them how another model does on those of the values that it
    can simulate."""
    from osteon.endpoints import ENDPOINTS

    columns = [("trial", False), ("use", False), ("end point", False), ("n", True), ("RMSE", True), ("bias", True),
               ("slope", True), ("cover 90 %", True)]  # fmt: skip
    theirs = {(r.get("trial", "all"), r["use"], r["endpoint"]): r for r in _both(other)} if other else {}
    if other is not None:
        columns += [(f"{other.model} RMSE", True), ("of n", True)]

    def cells(row: dict[str, Any]) -> list[str]:
        trial, name = str(row.get("trial", "all")), str(row["endpoint"])
        scale = " (ln)" if ENDPOINTS[name].kind == "marker" else ""
        found = [trial, str(row["use"]), name + scale, str(row["n"])]
        found += [decimals(row[k]) for k in ("rmse", "bias", "slope", "coverage90")]
        if other is not None:
            their = theirs.get((trial, row["use"], name))
            found += [decimals(their["rmse"]), str(their["n"])] if their else ["–", "–"]
        return found

    table = [cells(row) for row in scores.rows()]
    table += [[""] * len(columns), *(cells(row) for row in scores.pooled())]
    beside = f" and {other.model}" if other is not None else ""
    print_table(columns, table, title=f"{scores.model}{beside}: change from baseline against published trials")


def _both(scores: Scores) -> list[dict[str, Any]]:
    return [*scores.rows(), *scores.pooled()]


def _write(scores: Scores, other: Scores | None, fractures: FractureScores, out: str) -> None:
    from pathlib import Path

    import pandas as pd

    from osteon import files
    from osteon.report.pages import score_page

    folder = Path(out)
    each = [scores] if other is None else [scores, other]
    rows = pd.concat([pd.DataFrame(one.rows()).assign(model=one.model) for one in each])
    if fractures.ratios:
        rows = pd.concat([rows, pd.DataFrame(fractures.rows()).assign(model=scores.model)])
    points = pd.concat([one.points.assign(model=one.model) for one in each])
    score_page(scores, folder / "scores.html", beside=other)
    for name, found in (("fracture_ratios", fractures.ratios), ("fracture_incidences", fractures.incidences)):
        if found:
            text = pd.DataFrame(found).to_csv(index=False, lineterminator="\n")
            files.write_whole(folder / f"{name}.csv", text)
    files.write_whole(folder / "points.csv", points.to_csv(index=False, lineterminator="\n"))
    files.write_whole(folder / "scores.csv", rows.to_csv(index=False, lineterminator="\n"))
    say(f"wrote scores.html, scores.csv, points.csv{' and tables of fractures' * bool(fractures.ratios)} to {folder}")
