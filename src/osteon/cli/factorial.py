"""`osteon factorial`: all combinations of some factors, and what the combinations are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import pandas as pd


@click.command("factorial")
@click.argument("study_file", metavar="STUDY")
@model_option
@click.option(
    "--out", "-o", metavar="DIR",
    help="Folder for the tables, the picture and the page. Default: STUDY's id + '-factorial'.",
)  # fmt: skip
@without_option
@draws_option("Draws of the model's posterior to run; 0 for none. Default: 200, if the model has draws.")
@seed_option
@json_option
def command(
    study_file: str, model: str | None, out: str | None, without: tuple[str, ...], draws: int | None, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Run all cells of a study's factors and compare them, draw by draw.

    STUDY gives factors, or arms that are all cells of a design. Writes contrasts.csv, summary.csv, factorial.png and
    factorial.html to the output folder.
    """
    from pathlib import Path

    from osteon import deciding, files, models, parameters
    from osteon import result as results
    from osteon.design import design_of
    from osteon.draws import of_result
    from osteon.factorial import grounds, rests_on, table, words
    from osteon.report import factorial as report
    from osteon.report.figures import png
    from osteon.simulation import run
    from osteon.study import load_study
    from osteon.summary import csv_text, summarise
    from osteon.therapies import catalogue

    study = load_study(study_file)
    design = design_of(study)
    chosen = models.of_species(chosen_model(model, without), study.people.species)
    with files.output_folder(Path(out) if out else Path(f"{study.id}-factorial")) as folder:
        with told(), progress_bar(study.id) as progress:
            result = run(study, model=chosen, seed=seed, draws=draws, progress=progress)
        cells = summarise(result, study)
        found = table(result, study, design)
        last = study.visits[-1]
        drawn = of_result(chosen, result)
        decided = [
            row
            for name in study.endpoints
            for row in rests_on(result, study, design, deciding.acting_in(chosen, study, drawn, name), name)
        ]
        deciders = deciding.told((i for row in decided for i in row["parameters"]), parameters.load(chosen.name))
        said = [*words(found, last, decided), *filter(None, [grounds(deciders)])]
        grades = catalogue.grades(study.therapies())
        figure = report.figure(result, study, design, found)
        page = report.page(result, study, design, found, words=said, deciders=deciders, grades=grades)
        files.write_whole(folder / "contrasts.csv", csv_text(found))
        files.write_whole(folder / "factorial.png", png(figure))
        files.write_whole(folder / "factorial.html", page)
        files.write_whole(folder / "summary.csv", csv_text(cells))
    if as_json:
        rows = [
            {key: None if value != value else value for key, value in row.items()} for row in found.to_dict("records")
        ]
        print_json(
            {
                "contrasts": rows,
                "factors": {name: list(levels) for name, levels in design.factors},
                "cells": list(design.cells),
                "words": said,
                "decided_by": decided,
                "deciding": deciders,
                "evidence": grades,
                "provenance": results.provenance(result),
            }
        )
        return
    _print(found, study.title or study.id, last)
    click.echo("".join(f"\n{text}." for text in said))
    _print_deciders(deciders)
    for therapy, grade in grades.items():
        say(f"evidence for {therapy}: {grade}")
    say(f"wrote contrasts.csv, summary.csv, factorial.png and factorial.html to {folder}")
    say("contrasts.csv has every visit, and main effects and interactions too")
    close(chosen, model)


def _print_deciders(deciders: list[dict[str, str]]) -> None:
    """What the gains go with, in words, and what each of these numbers rests on."""
    if deciders:
        columns = [("decides", False), ("what it is", False), ("rests on", False), ("grade", False)]
        click.echo()
        print_table(columns, [[one["id"], one["name"], one["rests_on"], one["grade"]] for one in deciders])


def _print(found: pd.DataFrame, title: str, month: float) -> None:
    """What cells and combinations are worth at one visit; main effects and interactions are in the file."""
    columns = [("end point", False), ("contrast", False), ("%", True), ("5 %", True), ("95 %", True),
               ("P(> 0)", True)]  # fmt: skip
    rows, before = [], ""
    shown = found[(found["month"] == month) & found["name"].str.startswith(("effect", "excess"))]
    for row in shown.to_dict("records"):
        name = str(row["endpoint"])
        rows.append([name if name != before else "", str(row["name"]),
                     *(decimals(row[k]) for k in ("value", "lower", "upper", "p_positive"))])  # fmt: skip
        before = name
    print_table(columns, rows, title=f"{title}, month {number(month)}")
