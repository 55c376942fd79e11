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

    from osteon.population.people import Population
    from osteon.study import Study
    from osteon.trial.run import TrialResult

_MORE = 3  # visits shown before the last


@click.command("run")
@click.argument("study_file", metavar="STUDY")
@model_option
@click.option(
    "--out", "-o", metavar="DIR", help="Folder for the tables and the report. Default: STUDY's id + '-results'."
)
@without_option
@click.option("--people", metavar="FILE", help="With your own people (.csv or .parquet); goes with --trial.")
@draws_option("Draws of the model's posterior to run; 0 for none. Default: 200, if the model has draws.")
@click.option(
    "--trial",
    "as_trial",
    is_flag=True,
    help="Also run the study as a virtual trial: people one by one, measured with error, analysed.",
)
@seed_option
@json_option
def command(
    study_file: str, model: str | None, out: str | None, without: tuple[str, ...], people: str | None,
    draws: int | None, as_trial: bool, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Run all arms of a study file (YAML).

    Writes summary.csv, summary.parquet, result.nc and report.html to the output folder; with --trial also trial.nc,
    result_people.nc, trial_summary.csv, trial_report.html and the folder adam.
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
    if people is not None and not as_trial:
        raise InputError(f"--people {people}: people are run one by one; add --trial")
    mine = read(people) if people is not None else None
    with files.output_folder(Path(out) if out else Path(f"{study.id}-results")) as folder:
        with told(), progress_bar(study.id) as progress:
            result = run(study, model=chosen, seed=seed, draws=draws, progress=lambda share: progress(share / 2))
            fine = run_fine(study, model=chosen, draws=draws, progress=lambda share: progress(0.5 + share / 2))
        table = summarise(result, study)
        # All is made before anything is written, so that a failure leaves nothing behind.
        page = course_page_text(result, study.title or study.id, picture=fine, only=study.endpoints)
        netcdf = results.netcdf_bytes(result)
        virtual = _virtual_trial(study, chosen, seed, mine) if as_trial else None
        if virtual is not None:
            from osteon.trial.run import write

            write(virtual, folder)
        files.write_whole(folder / "summary.parquet", lambda path: table.to_parquet(path, index=False))
        files.write_whole(folder / "result.nc", netcdf)
        files.write_whole(folder / "report.html", page)
        files.write_whole(folder / "summary.csv", csv_text(table))
    if as_json:
        rows = _rows_of(table)
        more = {} if virtual is None else {"trial_summary": _rows_of(virtual.findings.table)}
        print_json({"summary": rows, "provenance": results.provenance(result), **more})
        return
    _print(table, study.title or study.id)
    if virtual is not None:
        _print_trial(virtual)
    say(f"wrote summary.csv, summary.parquet, result.nc and report.html to {folder}; summary.csv has every visit")
    if virtual is not None:
        say(f"wrote the virtual trial to {folder}: trial.nc, trial_summary.csv, trial_report.html, adam")
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
            what = "mean_pct_change" if (arm, name, last, "mean_pct_change") in cells else "cumulative_incidence"
            row += [decimals(cells[arm, name, month, what]["value"]) for month in before]
            row.append(_with_interval(cells[arm, name, last, what]))
            row += [_with_interval(cells.get((arm, name, last, "difference")))] * several
            score = cells.get((arm, name, last, "mean_t_score"))
            row += [decimals(score["value"], 1) if score else ""] * t_scores
            rows.append(row)
    n = table["n"].iloc[0]
    people = "one person" if n == 1 else f"{n} people"
    fractures = "; fractures: % with a first one" if "cumulative_incidence" in set(table["statistic"]) else ""
    print_table(columns, rows, title=f"{title}: change from month 0 in %, {people} per arm{fractures}")


def _rows_of(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows for JSON, null where there is no number."""
    return [
        {key: None if value != value else value for key, value in row.items()} for row in table.to_dict("records")
    ]


def _virtual_trial(study: Study, model: Any, seed: int, people: Population | None) -> TrialResult:
    from osteon.trial.run import trial

    with told(), progress_bar(f"{study.id} trial") as progress:
        return trial(study, model, seed, people=people, progress=progress)


def _print_trial(found: TrialResult) -> None:
    """The comparisons of the primary end point at its month."""
    table, (name, month) = found.findings.table, found.findings.primary
    main = table[(table["endpoint"] == name) & (table["month"] == month) & table["statistic"].str.contains("_vs_")]
    columns = [("arm", False), ("statistic", False), ("value", True), ("interval", True), ("p", True), ("n", True)]
    rows = []
    for r in main.to_dict("records"):
        interval = f"{decimals(r['lower'])} to {decimals(r['upper'])}"
        p = "–" if r["p"] != r["p"] else f"{r['p']:.2g}"
        rows.append([str(r["arm"]), str(r["statistic"]), decimals(r["value"]), interval, p, str(r["n"])])
    print_table(columns, rows, title=f"Virtual trial: {name} at month {number(month)}")


def _with_interval(row: dict[Any, Any] | None) -> str:
    if row is None:
        return ""
    value = decimals(row["value"])
    return (
        value if row["lower"] != row["lower"] else f"{value} ({decimals(row['lower'])} to {decimals(row['upper'])})"
    )
