"""HTML pages in one file each, that need no network: the score page, and the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from osteon import files
from osteon.endpoints import ENDPOINTS
from osteon.report import figures
from osteon.result import percent_change, provenance
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.evidence.score import Scores

NOTICE = "osteon is a research tool. Nothing here is medical advice; treatment belongs with a doctor."
_MAX_ROWS = 40


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("osteon.report"),
        autoescape=select_autoescape(["html", "jinja"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["f2"] = lambda v: "–" if v is None or v != v else f"{v:.2f}"
    env.filters["month"] = number
    env.globals.update(notice=NOTICE, endpoints=ENDPOINTS)
    return env


def render(template: str, **values: Any) -> str:
    """The text of a page from its template."""
    return _environment().get_template(template).render(**values)


def _write(template: str, path: str | Path, **values: Any) -> Path:
    return files.write_whole(path, render(template, **values))


def score_page(scores: Scores, path: str | Path, title: str = "", *, beside: Scores | None = None) -> Path:
    """The scoreboard, with another model's errors on the same values `beside`, and for every arm its regimen and a
    small plot per end point."""
    sections = []
    for ident in dict.fromkeys(row["trial"] for row in scores.rows()):
        arms = [
            {"line": line, "svg": figures.svg(figures.arm(scores, ident, arm), inline=True)}
            for (trial, arm), line in scores.lines.items()
            if trial == ident
        ]
        rows = [row for row in scores.rows() if row["trial"] == ident]
        sections.append({"trial": scores.trials[str(ident)], "arms": arms, "rows": rows})
    return _write(
        "scores.html.jinja",
        path,
        title=title or f"{scores.model} against published trials",
        scores=scores,
        rows=scores.rows(),
        pooled=scores.pooled(),
        other=beside and beside.model,
        theirs=_by_key(beside),
        sections=sections,
    )


def _by_key(scores: Scores | None) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Rows of scores by trial (or "all"), use and end point."""
    rows = [*scores.rows(), *scores.pooled()] if scores is not None else []
    return {(str(row.get("trial", "all")), row["use"], row["endpoint"]): row for row in rows}


def trial_page(scores: Scores, trial_id: str, path: str | Path) -> Path:
    """One trial: the picture, and the table of model against published values."""
    picture = figures.svg(figures.trial(scores, trial_id), inline=True)
    table = scores.points[scores.points["trial"] == trial_id].sort_values(["arm", "endpoint", "month"])
    return _write(
        "trial.html.jinja",
        path,
        title=f"{scores.trials[trial_id].title} and {scores.model}",
        trial=scores.trials[trial_id],
        scores=scores,
        rows=[row for row in scores.rows() if row["trial"] == trial_id],
        points=table.to_dict("records"),
        arms={a: line.arm for (t, a), line in scores.lines.items() if t == trial_id},
        picture=picture,
    )


def course_page(result: xr.Dataset, path: str | Path, title: str = "", picture: xr.Dataset | None = None) -> Path:
    """A simulation as a page: the picture (of `picture`, on a finer grid, if given), numbers and provenance."""
    return files.write_whole(path, course_page_text(result, title, picture=picture))


def course_page_text(
    result: xr.Dataset,
    title: str = "",
    *,
    picture: xr.Dataset | None = None,
    only: Sequence[str] | None = None,
) -> str:
    """The page of `course_page`; `only` keeps some end points."""
    facts = provenance(result)
    change = percent_change(result)
    names = [str(n) for n in change.data_vars if only is None or n in only]
    days = result["time"].to_numpy()
    step = max(1, -(-(len(days) - 1) // _MAX_ROWS))
    at = sorted({*range(0, len(days), step), len(days) - 1})
    rows = [
        (str(arm), days[i] / MONTH_DAYS, [float(change[n].sel(arm=arm).mean(("draw", "person"))[i]) for n in names])
        for arm in result["arm"].to_numpy()
        for i in at
    ]
    drawn = result if picture is None else picture
    shown = figures.svg(figures.course(drawn[names] if names else drawn), inline=True)
    page = _environment().get_template("course.html.jinja")
    return page.render(
        title=title or f"Simulation with {facts['model']}",
        facts=facts,
        picture=shown,
        names=names,
        rows=rows,
        draws=drawn.sizes["draw"],
    )
