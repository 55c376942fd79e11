"""`osteon simulate`: one person under one regimen."""

from __future__ import annotations

import warnings
from typing import Any

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
from osteon.errors import InputError, OsteonWarning

_TABLE_ROWS = 16
_PLOT_POINTS = 1500
MOST_PEOPLE = 10**9
_SUFFIXES = (".nc", ".parquet", ".csv")


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{what}: {text!r} is not a number") from None


@click.command("simulate")
@model_option
@click.option("--species", default="human", show_default=True, metavar="SPECIES", help="human or mouse.")
@click.option("--sex", default="female", show_default=True, metavar="SEX", help="female or male.")
@click.option("--age", required=True, metavar="YEARS", help="Age at month 0, in years; of a mouse in months.")
@click.option("--years-since-menopause", metavar="YEARS", help="Default: as usual at that age.")
@click.option(
    "--t-score", "t_scores", multiple=True, metavar="SITE=V", help="For instance total_hip=-2.5; repeatable."
)
@click.option("--weight", metavar="KG", help="Body weight.")
@click.option("--burden", metavar="X", help="Senescent cells relative to the usual number at that age.")
@click.option("--prior", metavar="TEXT", help="A regimen that ends at month 0.")
@click.option("--regimen", required=True, metavar="TEXT", help="For instance 'denosumab 60 mg SC every 6 months'.")
@click.option("--until", required=True, metavar="T", help="End, for instance '5475 days' or '15 years'.")
@click.option("--every", metavar="T", help="Spacing of the output times. Default: 1 month.")
@click.option("--people", metavar="N", help="Simulate N people who differ (with --vary); prints their mean.")
@click.option(
    "--vary", "spreads", multiple=True, metavar="ID=SD", help="Log-SD of a parameter between people; repeatable."
)
@click.option("--workers", metavar="KIND", help="With --people: threads of this machine (default) or dask.")
@click.option("--scheduler", metavar="ADDRESS", help="With --workers dask: its scheduler. Default: a local cluster.")
@click.option("--exact", is_flag=True, help="Use the reference integrator, also for many people.")
@without_option
@draws_option("Show 5 to 95 % of N draws of the model's posterior in --json and --plot. Default: none.")
@click.option(
    "--earlier-fracture/--no-earlier-fracture", default=None, help="Whether there is a vertebral fracture already."
)
@click.option("--fractures", is_flag=True, help="Also the chance of a first fracture of each kind, and of death.")
@click.option("--plot", metavar="FILE", help="Write a picture: .html, .png or .svg.")
@click.option(
    "--out", "-o", metavar="PATH", help="Write the result: .nc, .parquet or .csv; with --people, a folder of parts."
)
@seed_option
@json_option
def command(
    model: str | None, sex: str, age: str, years_since_menopause: str | None, t_scores: tuple[str, ...],
    weight: str | None, prior: str | None, regimen: str, until: str, every: str | None, exact: bool,
    without: tuple[str, ...], draws: int | None, plot: str | None, out: str | None, seed: int, as_json: bool,
    people: str | None, spreads: tuple[str, ...], workers: str | None, scheduler: str | None, species: str,
    burden: str | None, fractures: bool, earlier_fracture: bool | None,
) -> None:  # fmt: skip
    """Simulate one person under one regimen.

    Prints the % change from time 0 of everything the model reads out: BMD by site, turnover markers, rates.
    """
    from pathlib import Path

    from osteon import files, models, tscores
    from osteon import regimen as regimens
    from osteon import result as results
    from osteon.simulation import person_of, simulate

    chosen = chosen_model(model, without)
    features: dict[str, Any] = {"age": _number(age, "--age"), "sex": sex.casefold()}
    if years_since_menopause is not None:
        features["years_since_menopause"] = _number(years_since_menopause, "--years-since-menopause")
    if weight is not None:
        features["weight_kg"] = _number(weight, "--weight")
    if burden is not None:
        features["senescent_burden"] = _number(burden, "--burden")
    if earlier_fracture is not None:
        features["prior_vertebral_fracture"] = earlier_fracture
    if species.casefold() != "human":
        features["species"] = species.casefold()
        chosen = models.of_species(chosen, features["species"])
    if t_scores:
        features["t_score"] = _pairs(t_scores, "--t-score", "SITE=VALUE, for instance total_hip=-2.5")
    if (workers or scheduler) and people is None:
        raise InputError(f"--{'workers' if workers else 'scheduler'} is for many people: add --people N")
    if people is not None or spreads:
        if out and Path(out).suffix in _SUFFIXES:
            raise InputError(f"--out {out}: with --people, name a folder; each person's numbers are written there")
        if draws:
            raise InputError(
                "--draws is for one person: people differ, draws are uncertain; leave one of the two away"
            )
        if plot:
            raise InputError("--plot is for one person; --people prints means (use --json or --out DIR to keep them)")
        if fractures:
            raise InputError(
                "--fractures is for one person; a study file with fracture end points gives those of many"
            )
        place = {"workers": workers or "threads", "scheduler": scheduler, "out": out}
        _people(chosen, features, regimen, until, every, prior, seed, exact, as_json, people, spreads, model, place)
        return
    if draws and not (as_json or plot):
        raise InputError("--draws shows in --json and in --plot FILE: add one of them")
    options: dict[str, Any] = {
        "person": person_of(**features),
        "until": until,
        "prior": prior,
        "model": chosen,
        "seed": seed,
    }
    if plot:
        from osteon.report import figures

        figures.check_format(plot)
    if out:
        if Path(out).suffix not in _SUFFIXES:
            raise InputError(f"--out {out}: a result is written as .nc, .parquet or .csv")
        files.check_writable(Path(out).parent)
    schedule = regimens.parse_regimen(regimen)
    with told(), progress_bar("simulating") as progress:
        result = simulate(schedule, every=every, progress=progress, **options)
        band = simulate(schedule, every=every, draws=draws, **options) if draws and as_json else None
    change = results.percent_change(result)
    if plot:
        _plot(result, plot, simulate, schedule, options | {"draws": draws or 0})
    if out:
        _write(result, out)
    series = {f"{name}_pct": change[name].to_numpy().reshape(-1) for name in change.data_vars}
    days = result["time"].to_numpy()
    t_scores_found = {str(n): x.to_numpy().ravel().tolist() for n, x in tscores.t_score(result).data_vars.items()}
    chances = _chances(result) if fractures else {}
    if as_json:
        told_of = {"series": {name: values.tolist() for name, values in series.items()}}
        if chances:
            told_of["fracture_risk"] = {f"{name}_pct": (100 * x).tolist() for name, x in chances.items()}
        if band is not None:
            told_of |= _band(band)
        if t_scores_found:
            told_of["t_score"] = t_scores_found
        print_json({"time_days": days.tolist(), **told_of, "provenance": results.provenance(result)})
        return
    _table(days, series)
    if t_scores and t_scores_found:
        say("T-scores: " + ", ".join(f"{n} {decimals(t[0])} → {decimals(t[-1])}" for n, t in t_scores_found.items()))
    if chances:
        names = {name: name.replace("nonvertebral", "non-vertebral").replace("_", " ") for name in chances}
        risks = ", ".join(f"{names[name]} {decimals(100 * x[-1], 1)} %" for name, x in chances.items())
        say(f"chance since month 0: {risks} (people of the United States; a research tool, not medical advice)")
    say_evidence(schedule.therapies())
    close(chosen, model)


def _chances(result: Any) -> dict[str, Any]:
    """Chance (0 to 1) of a first fracture of each kind and of death [time] of the one person of a Result."""
    from osteon.fractures import risk

    return {str(name): x.to_numpy().ravel() for name, x in risk(result).data_vars.items()}


def _band(result: Any) -> dict[str, dict[str, list[float]]]:
    """5 and 95 % of the draws of each series."""
    from osteon.result import percent_change

    change = percent_change(result)
    return {
        name: {f"{n}_pct": change[n].quantile(share, "draw").to_numpy().ravel().tolist() for n in change.data_vars}
        for name, share in (("lower", 0.05), ("upper", 0.95))
    }


def _people(
    chosen: Any, features: dict[str, Any], regimen: str, until: str, every: str | None, prior: str | None, seed: int,
    exact: bool, as_json: bool, people: str | None, spreads: tuple[str, ...], asked: str | None,
    place: dict[str, Any],
) -> None:  # fmt: skip
    """Many people: their mean, the spread between them, and how right the numbers are."""
    from osteon.population.simulate import check_workers, simulate_people

    ignored = sorted(set(features) - {"age", "sex"} | ({"sex"} if features["sex"] != "female" else set()))
    if ignored:
        what = "people who vary are given by their age alone; ignored: "
        warnings.warn(what + ", ".join(ignored), OsteonWarning, stacklevel=2)
    count = _number(people or "1", "--people")
    if not 1 <= count <= MOST_PEOPLE or count != int(count):
        raise InputError(f"--people {people!r}: a whole number from 1 to {MOST_PEOPLE:,}")
    vary = _pairs(spreads, "--vary", "ID=SD, for instance turnover_trabecular=0.2")
    check_workers(exact=exact, **place)
    with told(), progress_bar("simulating") as progress:
        many = simulate_people(
            regimen, age=features["age"], people=int(count), vary=vary, until=until, every=every, prior=prior,
            model=chosen, seed=seed, exact=exact, progress=progress, **place,
        )  # fmt: skip
    names = many.moments.names
    mean = {f"{name}_pct": many.moments.mean_pct(name) for name in names}
    if as_json:
        spread = {f"{name}_pct": many.moments.sd_pct(name).tolist() for name in names}
        print_json(
            {
                "time_days": many.days.tolist(),
                "series": {name: values.tolist() for name, values in mean.items()},
                "sd_between_people": spread,
                "provenance": many.provenance,
            }
        )
        return
    _table(many.days, mean)
    if many.moments.failed:
        say(f"{many.moments.failed} of {int(count)} people failed and are left out of the means")
    if many.certificate is not None:
        c = many.certificate
        say(
            f"{int(count)} people; {c.sample} checked: {100 * c.sample_within:.1f} % within 0.01 % of BMD, "
            f"the worst {100 * c.sample_max:.4f} %"
        )
    close(chosen, asked)


def _pairs(items: tuple[str, ...], option: str, how: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign:
            raise InputError(f"{option} {item!r}: write {how}")
        if name.strip() in found:
            raise InputError(f"{option} {item!r}: {name.strip()} is given twice")
        found[name.strip()] = _number(value, f"{option} {name}")
    return found


def _write(result: Any, out: str) -> None:
    from pathlib import Path

    from osteon import files
    from osteon.result import percent_change, save, table_of

    if Path(out).suffix == ".csv":
        frame = table_of(percent_change(result))
        files.write_whole(out, frame.to_csv(index=False, lineterminator="\n"))
    else:
        save(result, out)
    say(f"wrote {out}")


def _plot(result: Any, plot: str, simulate: Any, schedule: Any, options: dict[str, Any]) -> None:
    """A picture on a grid of its own, fine enough to show what happens between doses."""
    from osteon.report import figures

    coarse, days = result, result["time"].to_numpy()
    fine = float(days[-1]) / _PLOT_POINTS
    if days.size < 2 or float(days[1]) > fine or options["draws"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = simulate(schedule, every=fine, **options)
    if plot.lower().endswith(".html"):
        from osteon.report.pages import course_page

        course_page(coarse, plot, picture=result)
    else:
        figures.save(figures.course(result, str(schedule)), plot)
    say(f"wrote {plot}")


def _table(days: Any, series: dict[str, Any]) -> None:
    from osteon.endpoints import ENDPOINTS
    from osteon.units import MONTH_DAYS

    step = max(1, -(-(len(days) - 1) // _TABLE_ROWS))
    at = sorted({*range(0, len(days), step), len(days) - 1})
    columns = [("month", True), *((ENDPOINTS[n.removesuffix("_pct")].short, True) for n in series)]
    rows = [[decimals(days[i] / MONTH_DAYS, 1), *(decimals(v[i]) for v in series.values())] for i in at]
    print_table(columns, rows, title="% change from month 0")
