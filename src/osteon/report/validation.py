"""The page docs/validation.md: models side by side against every published trial, what a fit without each trial and
each mechanism says, where the model is wrong, and a picture per trial. `make scores` writes it."""

from __future__ import annotations

import argparse
import csv
import re
import sys
import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from osteon import files, models
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError, OsteonWarning
from osteon.evidence.loader import load_trials
from osteon.evidence.score import Scores, score_points, validate
from osteon.fractures.score import FractureScores, score
from osteon.report import figures, fractures, scoreboard
from osteon.report.markdown import cell, decimal, table

MODELS = ("osteon", "jorg2022")
PAGE, PICTURES, PARTS = "validation.md", "img/validation", "parts"
INTRO, WRONG = "scores.md", "where-the-model-is-wrong.md"
USES = {"fit": "Trials that were fitted", "validate": "Trials that were not fitted"}
MEASURES = ("rmse", "bias", "slope", "coverage90")


def write(docs: Path, use: str | None = None) -> Path:
    """Score the models on all trials (or those of one `use`) and write the page and its pictures into `docs`; of all
    trials also the file of scores that the app shows."""
    trials = [t for t in load_trials().values() if use in (None, t.use)]
    parts = {name: _part(docs, name) for name in (INTRO, WRONG)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)  # what a model lacks is seen in the tables
        scores = [validate(name, trials) for name in MODELS]
        broken = score(models.get(MODELS[0]), trials, scores[0].lines)
    (docs / PICTURES).mkdir(parents=True, exist_ok=True)
    drawn = [t.id for t in trials if any((s.points["trial"] == t.id).any() for s in scores)]
    for old in (docs / PICTURES).glob("*.svg"):
        if old.stem not in (*drawn, fractures.PICTURE):
            old.unlink()
    for ident in drawn:
        files.write_whole(docs / PICTURES / f"{ident}.svg", small(figures.svg(figures.sheet(scores, ident))))
    if use is None:
        scoreboard.write(scores[0], parts)
    if broken.ratios:
        picture = docs / PICTURES / f"{fractures.PICTURE}.svg"
        files.write_whole(picture, small(figures.svg(fractures.figure(broken, scores[0].trials))))
    tables = {name: shipped(name) for name in ("leave_one_out", "ablation")}
    return files.write_whole(docs / PAGE, page(scores, drawn, parts, tables, use, broken))


def _part(docs: Path, name: str) -> str:
    path = docs / PARTS / name
    if not path.is_file():
        raise InputError(f"{path} is missing: this part of the page is written by hand")
    return path.read_text("utf-8").strip().replace("](../", "](")  # links lead on from the page's folder


def shipped(name: str) -> list[dict[str, str]]:
    """The rows of a table that `osteon fit` left beside the shipped fit; none when it was not made."""
    path = resources.files("osteon.parameters").joinpath("osteon", "fit", f"{name}.csv")
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.is_file() else []


def small(svg: str) -> str:
    """An SVG file on white, its coordinates with two decimals."""
    svg = re.sub(r'\bd="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m.group()), svg)
    return re.sub(r"(<svg[^>]*>)", r'\1<rect width="100%" height="100%" fill="white"/>', svg, count=1)


def page(
    scores: Sequence[Scores],
    drawn: Sequence[str],
    parts: dict[str, str],
    tables: dict[str, list[dict[str, str]]],
    use: str | None = None,
    broken: FractureScores | None = None,
) -> str:
    """The page as Markdown; `broken` holds the scores of fractures, by the first model."""
    found = [
        "# Scores",
        "<!-- Written by `make scores`; docs/parts/ holds what is written by hand. -->",
        parts[INTRO],
    ]
    if use is not None:
        found.append(f"**This page was made with trials marked `{use}` alone; the others are not on it.**")
    for kind, title in USES.items():
        pooled = [[r for r in s.pooled() if r["use"] == kind] for s in scores]
        if not any(pooled):
            continue
        found += [
            f"## {title} (`{kind}`)",
            "All trials that each model can simulate:",
            _side_by_side(scores, pooled, []),
        ]
        same = _same(scores, kind)
        if any(same):
            found += ["The same values for both, those that both can simulate:", _side_by_side(scores, same, [])]
        rows = [[r for r in s.rows() if r["use"] == kind] for s in scores]
        found += ["By trial:", _side_by_side(scores, rows, ["trial"])]
    if broken is not None and broken.ratios:
        found += fractures.section(broken, scores[0].trials, f"{PICTURES}/{fractures.PICTURE}.svg")
    found += ["## Trials left out one by one", _leave_one_out(tables["leave_one_out"])]
    found += ["## What each mechanism buys", _ablation(tables["ablation"])]
    found += ["## Where the model is wrong", parts[WRONG], "## Pictures", (
        "Published values with error bars as printed, and the lines of "
        + " and ".join(f"{s.model} ({colour})" for s, colour in zip(scores, figures.SHEET_NAMES, strict=False)) + "."
    )]  # fmt: skip
    for ident in drawn:
        trial = next(s.trials[ident] for s in scores if ident in s.trials)
        found += [
            f"### {ident}",
            f"{cell(trial.title)} Marked `{trial.use}`.",
            f"![{ident}]({PICTURES}/{ident}.svg)",
        ]
    made = "; ".join(f"{s.model} {s.provenance['parameters_hash']}" for s in scores)
    version = scores[0].provenance.get("osteon", "")
    found += ["## How it was made", f"`make scores` with osteon {version}; parameters by hash: {made}."]
    return "\n\n".join(found) + "\n"


def _same(scores: Sequence[Scores], use: str) -> list[list[dict[str, Any]]]:
    """Pooled scores by end point on the values that every model has."""
    keys = ["trial", "arm", "curve", "row", "month"]
    tables = [s.points[s.points["use"] == use] for s in scores]
    common = set.intersection(*(set(t[keys].itertuples(index=False, name=None)) for t in tables))
    return [
        [
            {"endpoint": e, **score_points(group)}
            for e, group in t[[tuple(k) in common for k in t[keys].itertuples(index=False, name=None)]].groupby(
                "endpoint"
            )
        ]
        if len(t) else []
        for t in tables
    ]  # fmt: skip


def _side_by_side(scores: Sequence[Scores], rows: Sequence[list[dict[str, Any]]], keys: list[str]) -> str:
    """A table with the measures of each model in a row, by keys and end point."""
    found: dict[tuple[str, ...], list[dict[str, Any] | None]] = {}
    for number, mine in enumerate(rows):
        for row in mine:
            where = (*(str(row[k]) for k in keys), str(row["endpoint"]))
            found.setdefault(where, [None] * len(rows))[number] = row
    order = list(ENDPOINTS)
    heads = [*keys, "end point"]
    for s in scores:
        heads += [f"{s.model}: n", "RMSE", "bias", "slope", "cover 90 %"]
    lines = []
    for where in sorted(found, key=lambda w: (*w[:-1], order.index(w[-1]))):
        cells = [*where[:-1], _endpoint(where[-1])]
        for one in found[where]:
            cells += ["", "", "", "", ""] if one is None else [str(one["n"]), *(decimal(one[k]) for k in MEASURES)]
        lines.append(cells)
    return table(heads, lines, left=len(keys) + 1)


def _leave_one_out(rows: list[dict[str, str]]) -> str:
    if not rows:
        return "Not made for the shipped fit: `osteon fit --leave-one-out`."
    text = (
        "RMSE on each trial by the whole fit, and by a fit that did not see it. Where a drug is in no other trial, "
        "what is left of it is its prior. Trials that publish differences between arms alone have no values to score."
    )
    measures = ("fitted", "held_out", "ratio")
    heads = ["left out", "end point", "n", "fitted", "held out", "ratio", "drug in no other trial"]
    lines = [
        [r["trial"], _endpoint(r["endpoint"]), r["n"], *(decimal(r[k]) for k in measures), r["alone"]] for r in rows
    ]  # fmt: skip
    return text + "\n\n" + table(heads, lines, left=2)


def _ablation(rows: list[dict[str, str]]) -> str:
    if not rows:
        return "Not made for the shipped fit: `osteon fit --ablate --score-validate`."
    text = (
        "The model fitted again without a mechanism, or with a part of one switched off: how much the misfit (half "
        "the sum of losses and priors) rises, and RMSE by end point, pooled."
    )
    columns = [k for k in rows[0] if k.startswith(("fit_", "validate_"))]
    names = [(k.split("_", 1)[0], ENDPOINTS[k.split("_", 1)[1]].short) for k in columns]
    heads = ["left out", "misfit", "more", *(f"{use} {short}" for use, short in names)]
    lines = [[r["left_out"], *(decimal(r[k]) for k in ("misfit", "more", *columns))] for r in rows]
    return text + "\n\n" + table(heads, lines, left=1)


def _endpoint(name: str) -> str:
    kind = ENDPOINTS[name]
    return kind.label + (" (ln)" if kind.kind == "marker" else "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page (`make scores`)."""
    parser = argparse.ArgumentParser(prog="python -m osteon.report.validation", description=main.__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="the folder of the page (docs)")
    parser.add_argument("--use", choices=tuple(USES), help="trials marked so alone")
    given = parser.parse_args(arguments)
    sys.stderr.write(f"wrote {write(given.docs, given.use)}\n")


if __name__ == "__main__":
    main()
