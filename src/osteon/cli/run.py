"""`osteon run`: all arms of a study file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    say_evidence,
    seed_option,
    told,
    without_option,
)
from osteon.errors import shorten
from osteon.units import number

if TYPE_CHECKING:
    import pandas as pd

_MORE = 3  # visits shown before the last


@click.command("run")
@click.argument("study_file", metavar="STUDY")
@model_option
@click.option(
    "--out", "-o", metavar="DIR", help="Folder for the tables and the report. Default: STUDY's id + '-results'."
)
@without_option
@click.option("--trial", "each", is_flag=True, help="Run every person of each arm too, and write result_people.nc.")
@click.option("--people", metavar="FILE", help="With your own people (.csv or .parquet); goes with --trial.")
@draws_option("Draws of the model's posterior to run; 0 for none. Default: 200, if the model has draws.")
@seed_option
@json_option
def command(
    study_file: str, model: str | None, out: str | None, without: tuple[str, ...], each: bool, people: str | None,
    draws: int | None, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Run all arms of a study file (YAML).

    Writes summary.csv, summary.parquet, result.nc and report.html to the output folder. These are of the study's mean
    person; with --trial, true values of everyone go to result_people.nc.
    """
    from pathlib import Path

    from osteon import files
    from osteon import result as results
    from osteon.errors import InputError
    from osteon.population.people import read
    from osteon.report.pages import course_page_text
    from osteon.simulation import run, run_fine
    from osteon.study import load_study
    from osteon.summary import csv_text, summarise

    study = load_study(study_file)
    chosen = chosen_model(model, without)
    if people is not None and not each:
        raise InputError(f"--people {people}: people are run one by one; add --trial")
    mine = read(people) if people is not None else None
    with files.output_folder(Path(out) if out else Path(f"{study.id}-results")) as folder:
        with told(), progress_bar(study.id) as progress:
            result = run(study, model=chosen, seed=seed, draws=draws, progress=lambda share: progress(share / 2))
            fine = run_fine(study, model=chosen, draws=draws, progress=lambda share: progress(0.5 + share / 2))
        everyone = None
        if each:
            from osteon.trial.simulate import run_people

            with told(), progress_bar(f"{study.id}: people") as progress:
                everyone = results.netcdf_bytes(
                    run_people(study, model=chosen, seed=seed, people=mine, progress=progress)
                )
        table = summarise(result, study)
        # All is made before anything is written, so that a failure leaves nothing behind.
        page = course_page_text(result, study.title or study.id, picture=fine, only=study.endpoints)
        netcdf = results.netcdf_bytes(result)
        files.write_whole(folder / "summary.parquet", lambda path: table.to_parquet(path, index=False))
        files.write_whole(folder / "result.nc", netcdf)
        files.write_whole(folder / "report.html", page)
        if everyone is not None:
            files.write_whole(folder / "result_people.nc", everyone)
        files.write_whole(folder / "summary.csv", csv_text(table))
    if as_json:
        rows = [
            {key: None if value != value else value for key, value in row.items()} for row in table.to_dict("records")
        ]
        print_json({"summary": rows, "provenance": results.provenance(result)})
        return
    _print(table, study.title or study.id)
    if each:
        say("wrote true values of every person to result_people.nc: what a scanner would see of them is less close")
    say(f"wrote summary.csv, summary.parquet, result.nc and report.html to {folder}; summary.csv has every visit")
    say_evidence(study.therapies())
    close(chosen, model)


def _print(table: pd.DataFrame, title: str) -> None:
    """The last visit with intervals, and some visits before it; by end point, so that arms stand together."""
    cells = {(r["arm"], r["endpoint"], r["month"], str(r["statistic"]).split("_vs_")[0]): r
             for r in table.to_dict("records")}  # fmt: skip
    arms, months = list(dict.fromkeys(table["arm"])), list(dict.fromkeys(table["month"]))
    *before, last = [month for month in months if month > 0] or months
    if len(before) > _MORE:  # those nearest to a quarter, half and three quarters of the time
        parts = [last * (i + 1) / (_MORE + 1) for i in range(_MORE)]
        before = sorted({min(before, key=lambda month: abs(month - part)) for part in parts})
    t_scores, several = "mean_t_score" in set(table["statistic"]), len(arms) > 1
    columns = [("end point", False), ("arm", False), *((f"month {number(month)}", True) for month in before),
               (f"month {number(last)} (5 to 95 %)", True)]  # fmt: skip
    columns += [(f"vs {shorten(arms[0], 20)}", True)] * several + [("T-score", True)] * t_scores
    rows = []
    for name in dict.fromkeys(table["endpoint"]):
        for arm in arms:
            row = [str(name) if arm == arms[0] else "", str(arm)]
            row += [decimals(cells[arm, name, month, "mean_pct_change"]["value"]) for month in before]
            row.append(_with_interval(cells[arm, name, last, "mean_pct_change"]))
            row += [_with_interval(cells.get((arm, name, last, "difference")))] * several
            score = cells.get((arm, name, last, "mean_t_score"))
            row += [decimals(score["value"], 1) if score else ""] * t_scores
            rows.append(row)
    n = table["n"].iloc[0]
    people = "one person" if n == 1 else f"{n} people"
    print_table(columns, rows, title=f"{title}: change from month 0 in %, {people} per arm")


def _with_interval(row: dict[Any, Any] | None) -> str:
    if row is None:
        return ""
    value = decimals(row["value"])
    return (
        value if row["lower"] != row["lower"] else f"{value} ({decimals(row['lower'])} to {decimals(row['upper'])})"
    )
