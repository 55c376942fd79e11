"""`osteon run`: all arms of a study file."""

from __future__ import annotations

import click

from osteon.cli.common import (
    chosen_model,
    close,
    decimals,
    draws_option,
    json_option,
    model_option,
    print_json,
    print_table,
    progress_bar,
    say,
    seed_option,
    told,
    without_option,
)
from osteon.units import number


@click.command("run")
@click.argument("study_file", metavar="STUDY")
@model_option
@click.option(
    "--out", "-o", metavar="DIR", help="Folder for the tables and the report. Default: STUDY's id + '-results'."
)
@without_option
@draws_option("Draws of the model's posterior to run; 0 for none. Default: 200, if the model has draws.")
@seed_option
@json_option
def command(
    study_file: str, model: str | None, out: str | None, without: tuple[str, ...], draws: int | None, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Run all arms of a study file (YAML).

    Writes summary.csv, summary.parquet, result.nc and report.html to the output folder.
    """
    from pathlib import Path

    from osteon import files
    from osteon import result as results
    from osteon.report.pages import course_page_text
    from osteon.simulation import run, run_fine
    from osteon.study import load_study
    from osteon.summary import csv_text, summarise

    study = load_study(study_file)
    chosen = chosen_model(model, without)
    with files.output_folder(Path(out) if out else Path(f"{study.id}-results")) as folder:
        with told(), progress_bar(study.id) as progress:
            result = run(study, model=chosen, seed=seed, draws=draws, progress=lambda share: progress(share / 2))
            fine = run_fine(study, model=chosen, draws=draws, progress=lambda share: progress(0.5 + share / 2))
        table = summarise(result, study)
        # All is made before anything is written, so that a failure leaves nothing behind.
        page = course_page_text(result, study.title or study.id, picture=fine, only=study.endpoints)
        netcdf = results.netcdf_bytes(result)
        files.write_whole(folder / "summary.parquet", lambda path: table.to_parquet(path, index=False))
        files.write_whole(folder / "result.nc", netcdf)
        files.write_whole(folder / "report.html", page)
        files.write_whole(folder / "summary.csv", csv_text(table))
    if as_json:
        rows = [
            {key: None if value != value else value for key, value in row.items()} for row in table.to_dict("records")
        ]
        print_json({"summary": rows, "provenance": results.provenance(result)})
        return
    columns = [("arm", False), ("end point", False), ("month", True), ("change, %", True), ("5 %", True),
               ("95 %", True), ("n", True)]  # fmt: skip
    shown = ("value", "lower", "upper")
    rows_text = [
        [str(r["arm"]), str(r["endpoint"]), number(r["month"]), *(decimals(r[k]) for k in shown), str(r["n"])]
        for r in table.to_dict("records")
    ]
    print_table(columns, rows_text, title=study.title or study.id)
    say(f"wrote summary.csv, summary.parquet, result.nc and report.html to {folder}")
    close(chosen, model)
