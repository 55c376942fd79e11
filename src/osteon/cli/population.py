"""`osteon population`: the people of a country, how many of them have osteoporosis, and what policies may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from osteon.cli.common import (
    NOTICE,
    decimals,
    json_option,
    model_option,
    print_json,
    print_table,
    progress_bar,
    say,
    say_evidence,
    seed_option,
    told,
)

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.population.project import Projection

START_PEOPLE, AHEAD_PEOPLE = 100_000, 20_000


@click.command("population")
@click.argument("name", metavar="NAME", default="us-50plus")
@click.option("--people", type=click.IntRange(min=1), metavar="N",
              help="Virtual people, each of whom stands for as many. "
                   "Default: 100,000, or 20,000 for a look ahead.")  # fmt: skip
@click.option("--years", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
              help="Years to look ahead; 0 is the start.")  # fmt: skip
@click.option("--policy", "policies", multiple=True, metavar="POLICY",
              help="Who is treated with what in the years ahead: none, threshold, denosumab, senolytic, combination, "
                   "or a .yaml file; repeatable, and the first is what the others are set beside. "
                   "Default: none and threshold.")  # fmt: skip
@click.option(
    "--draws",
    type=click.IntRange(min=0),
    metavar="N",
    help="Draws of the model's posterior for the intervals of a look ahead; 0 for none. Default: 50.",
)
@click.option("--out", "-o", metavar="FILE",
              help="Write the people of the start, or with --years every year's numbers, to FILE (.csv or "
                   ".parquet).")  # fmt: skip
@click.option("--plot", metavar="FILE", help="With --years: draw the years to FILE (.png or .svg).")
@model_option
@seed_option
@json_option
def command(
    name: str, people: int | None, years: int, policies: tuple[str, ...], draws: int | None, out: str | None,
    plot: str | None, model: str | None, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """People of a country with osteoporosis and low bone mass, now and in years to come.

    NAME is us-50plus: the United States in 2010, 50 and older. With --years, everyone grows older, people turn 50 and
    die, and each --policy says who is treated.
    """
    from osteon import models
    from osteon.errors import InputError

    chosen = models.get(model)
    if "sex" not in chosen.uses:
        raise InputError(f"{chosen.name} knows no men and no T-scores; take --model osteon")
    if years:
        _ahead(name, people or AHEAD_PEOPLE, years, policies, draws, out, plot, chosen, seed, as_json)
    elif policies or plot or draws is not None:
        raise InputError("--policy, --plot and --draws are for years to come: add --years N")
    else:
        _start(name, people or START_PEOPLE, out, chosen, seed, as_json)


def _start(name: str, people: int, out: str | None, model: Model, seed: int, as_json: bool) -> None:
    from osteon.population import survey

    population = survey.sample(name, people, seed, model)
    rows = survey.shares(population)
    if out is not None:
        population.write(out)
    if as_json:
        whole = rows[0]
        print_json({
            "population": name, "people": round(population.each * len(population)), "sampled": len(population),
            "year": 2010, **{k: whole[k] for k in whole if k.endswith(("_pct", "_millions"))}, "groups": rows,
            "facts": dict(population.facts),
        })  # fmt: skip
        return
    numbers = ("millions", "osteoporosis_pct", "osteoporosis_millions", "low_bone_mass_pct", "low_bone_mass_millions")
    cells = [[r["sex"], r["age"], *(decimals(r[name], 1) for name in numbers)] for r in rows]
    print_table(
        [("sex", False), ("age", False), ("people, millions", True), ("osteoporosis %", True), ("millions", True),
         ("low bone mass %", True), ("millions", True)],
        cells, title=f"{name}: the lower T-score of lumbar spine and femoral neck, by the WHO's definitions",
    )  # fmt: skip
    say(f"{len(population):,} virtual people, each standing for {population.each:,.0f}; seed {seed}")
    say("Their bone is fitted to this very survey (Wright 2014), so that this is no test of the model.")
    if out is not None:
        say(f"wrote {out}")
    say(NOTICE)


def _ahead(
    name: str, people: int, years: int, asked: tuple[str, ...], draws: int | None, out: str | None,
    plot: str | None, model: Model, seed: int, as_json: bool,
) -> None:  # fmt: skip
    from pathlib import Path

    from osteon import draws as posterior
    from osteon import files
    from osteon.errors import InputError
    from osteon.population import policies, project

    chosen = [policies.get(policy) for policy in asked or ("none", "threshold")]
    n_draws = posterior.count(model, project.DRAWS if draws is None else draws)
    if out is not None and Path(out).suffix not in (".csv", ".parquet"):
        raise InputError(f"{out}: the years' numbers are written as .csv or .parquet")
    if plot is not None:
        from osteon.report import figures

        if figures.check_format(plot).suffix.lower() == ".html":
            raise InputError(f"{plot}: this picture is drawn as .png or .svg")
    with told(), progress_bar(f"{years} years") as progress:
        found = project.project(
            name, chosen, years, n=people, seed=seed, model=model, draws=n_draws, progress=progress
        )
    table = found.table()
    if plot is not None:
        from osteon.report import figures
        from osteon.report.projection import figure

        figures.save(figure(found), plot)
    if out is not None:
        if Path(out).suffix == ".csv":
            files.write_whole(Path(out), table.to_csv(index=False, lineterminator="\n"))
        else:
            files.write_whole(Path(out), lambda path: table.to_parquet(path, index=False))
    if as_json:
        print_json(_plain(found))
        return
    _print(found, years)
    say(f"{people:,} virtual people at the start, {n_draws} draws; seed {seed}")
    say("Not in it: deaths from fractures, lapses of treatment, people who come or leave, bone of later births.")
    for policy in chosen:
        if policy.hypothetical:
            grade = found.grade(policy)
            say(f"{policy.name}: hypothetical; nobody is treated so, and its effect rests on grade {grade}")
    say_evidence([name for policy in chosen for name in policy.schedule.therapies()])
    for path in (out, plot):
        if path is not None:
            say(f"wrote {path}")
    say(NOTICE)


def _print(found: Projection, years: int) -> None:
    first, last = found.policies[0].name, found.years[-1]
    rows = []
    for policy in found.policies:
        at = {name: found.counts[policy.name][name] for name in ("osteoporosis", "low_bone_mass", "on_treatment")}
        averted = _with_interval(*found.averted(policy.name)) if policy.name != first else ""
        rows.append([
            policy.name, *(decimals(at[name][0, -1] / 1e6, 1) for name in at),
            *(_with_interval(*found.total(policy.name, kind)) for kind in ("fractures", "hip_fracture")), averted,
            found.grade(policy) or "–",
        ])  # fmt: skip
    print_table(
        [("policy", False), (f"osteoporosis {last}, millions", True), ("low bone mass", True), ("on treatment", True),
         (f"fractures in {years} years, millions (5 to 95 %)", True), ("hip", True), (f"fewer than {first}", True),
         ("evidence", False)],
        rows, title=f"{found.facts['population']}: {found.years[0]} to {last}; fractures are non-vertebral and "
                    "vertebral (also unnoticed ones)",
    )  # fmt: skip


def _with_interval(value: float, lower: float, upper: float) -> str:
    text = decimals(value / 1e6, 1)
    return text if lower != lower else f"{text} ({decimals(lower / 1e6, 1)} to {decimals(upper / 1e6, 1)})"


def _plain(found: Projection) -> dict[str, Any]:
    """Without numbers that are not finite: a limit of an interval is null when there are no draws."""
    rows = [{k: None if v != v else v for k, v in row.items()} for row in found.table().to_dict("records")]
    policies = [
        {
            "name": p.name, "title": p.title, "regimen": p.regimen, "hypothetical": p.hypothetical,
            "evidence": found.grade(p) or None,
            "rows": [{k: v for k, v in row.items() if k != "policy"} for row in rows if row["policy"] == p.name],
        }
        for p in found.policies
    ]  # fmt: skip
    start = {
        m: float(found.counts[found.policies[0].name][m][0, 0]) for m in ("people", "osteoporosis", "low_bone_mass")
    }
    return {
        "population": found.facts["population"], "years": len(found.years), "sampled": found.sampled,
        "draws": found.draws, "osteoporosis_pct": 100 * start["osteoporosis"] / start["people"],
        "low_bone_mass_pct": 100 * start["low_bone_mass"] / start["people"], "policies": policies,
        "facts": found.facts, "notice": NOTICE,
    }  # fmt: skip
