"""`osteon run`: all arms of a study file."""

from __future__ import annotations

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
    seed_option,
)


@click.command("run")
@click.argument("study_file", metavar="STUDY")
@model_option
@click.option(
    "--out", "-o", metavar="DIR", help="Folder for the tables and the report. Default: STUDY's id + '-results'."
)
@seed_option
@json_option
def command(study_file: str, model: str | None, out: str | None, seed: int, as_json: bool) -> None:
    """Run all arms of a study file (YAML).

    Writes summary.csv, summary.parquet, result.nc and report.html to the output folder.
    """
    from pathlib import Path

    from osteon import files
    from osteon import result as results
    from osteon.simulation import run
    from osteon.study import load_study
    from osteon.summary import summarise

    study = load_study(study_file)
    chosen = chosen_model(model)
    folder = files.check_writable(Path(out) if out else Path(f"{study.id}-results"))
    with progress_bar(study.id) as progress:
        result = run(study, model=chosen, seed=seed, progress=progress)
    table = summarise(result, study)
    from osteon.report.pages import course_page

    course_page(result, folder / "report.html", title=study.title or study.id)
    results.save(result, folder / "result.nc")
    files.write_whole(folder / "summary.parquet", lambda path: table.to_parquet(path, index=False))
    files.write_whole(folder / "summary.csv", table.to_csv(index=False, lineterminator="\n"))
    if as_json:
        rows = [
            {key: None if value != value else value for key, value in row.items()} for row in table.to_dict("records")
        ]
        print_json({"summary": rows, "provenance": results.provenance(result)})
        return
    columns = [("arm", False), ("end point", False), ("month", True), ("change, %", True), ("n", True)]
    rows_text = [
        [str(r["arm"]), str(r["endpoint"]), str(r["month"]), decimals(r["value"]), str(r["n"])]
        for r in table.to_dict("records")
    ]
    print_table(columns, rows_text, title=study.title or study.id)
    say(f"wrote summary.csv, summary.parquet, result.nc and report.html to {folder}")
    close(chosen, model)
