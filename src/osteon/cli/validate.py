"""`osteon validate`: score a model against the published trials."""

from __future__ import annotations

import contextlib

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
)


@click.command("validate")
@model_option
@click.option(
    "--trial", "trial_names", multiple=True, metavar="ID", help="Only this trial (or trial file); repeatable."
)
@click.option("--use", type=click.Choice(["fit", "validate"]), help="Only trials marked so.")
@click.option(
    "--out", "-o", metavar="DIR", help="Write scores.html (a plot per arm), scores.csv and points.csv there."
)
@json_option
def command(model: str | None, trial_names: tuple[str, ...], use: str | None, out: str | None, as_json: bool) -> None:
    """Score a model against published trials: change from baseline, curve by curve.

    RMSE, bias and slope per trial and end point; BMD in percentage points, markers on the log scale.
    """
    from osteon import files
    from osteon.endpoints import ENDPOINTS
    from osteon.errors import InputError
    from osteon.evidence import load_trial, load_trials
    from osteon.evidence.score import validate

    chosen = chosen_model(model)
    trials = [load_trial(name) for name in trial_names] if trial_names else list(load_trials().values())
    trials = list({id(trial): trial for trial in trials if use in (None, trial.use)}.values())
    names = [trial.id for trial in trials]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two trials have the id {name!r}; give your own file another id")
    if not trials:
        raise InputError(f"no trial left: none of {', '.join(trial_names)} is marked {use!r}")
    with files.output_folder(out) if out else contextlib.nullcontext():
        with progress_bar("scoring") as progress:
            scores = validate(chosen, trials, progress=progress)
        rows, pooled = scores.rows(), scores.pooled()
        if out:
            _write(scores, rows, out)
    if as_json:
        print_json({"rows": rows, "pooled": pooled, "skipped": scores.skipped, "provenance": scores.provenance})
        return
    columns = [("trial", False), ("use", False), ("end point", False), ("n", True), ("RMSE", True), ("bias", True),
               ("slope", True), ("cover 90 %", True)]  # fmt: skip

    def cells(row: dict[str, object], first: str) -> list[str]:
        values = [decimals(row[k]) for k in ("rmse", "bias", "slope", "coverage90")]  # type: ignore[arg-type]
        name = str(row["endpoint"])
        scale = " (ln)" if ENDPOINTS[name].kind == "marker" else ""
        return [first, str(row["use"]), name + scale, str(row["n"]), *values]

    table = [cells(row, str(row["trial"])) for row in rows]
    table += [[""] * len(columns), *(cells(row, "all") for row in pooled)]
    print_table(columns, table, title=f"{chosen.name}: change from baseline against published trials")
    if scores.skipped:
        say(f"{len(scores.skipped)} arms were left out (drug or end point not in {chosen.name}); --json lists them")
    close(chosen, model)


def _write(scores: object, rows: list[dict[str, object]], out: str) -> None:
    from pathlib import Path

    import pandas as pd

    from osteon import files
    from osteon.evidence.score import Scores
    from osteon.report.pages import score_page

    assert isinstance(scores, Scores)
    folder = Path(out)
    score_page(scores, folder / "scores.html")
    files.write_whole(folder / "points.csv", scores.points.to_csv(index=False, lineterminator="\n"))
    files.write_whole(folder / "scores.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    say(f"wrote scores.html, scores.csv and points.csv to {folder}")
