"""`osteon population`: the people of a country, how many of them have osteoporosis, and what policies may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from osteon.cli import projection
from osteon.cli.common import NOTICE, decimals, json_option, model_option, print_json, print_table, say, seed_option

if TYPE_CHECKING:
    from osteon.models import Model

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
@click.option("--describe", is_flag=True, help="Mean, SD and 5, 50, 95 % of the people's features instead, by sex.")
@model_option
@seed_option
@json_option
def command(
    name: str, people: int | None, years: int, policies: tuple[str, ...], draws: int | None, out: str | None,
    plot: str | None, describe: bool, model: str | None, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """People of a country with osteoporosis and low bone mass, now and in years to come.

    NAME is us-50plus: the United States in 2010, 50 and older; or a CSV file with the ages of another country's
    people: sex, age_lo, age_hi, count. With --years, everyone grows older, people turn 50 and die, and each --policy
    says who is treated.
    """
    from osteon import models
    from osteon.errors import InputError

    chosen = models.get(model)
    if "sex" not in chosen.uses:
        raise InputError(f"{chosen.name} knows no men and no T-scores; take --model osteon")
    if years:
        if describe or name.endswith(".csv"):
            raise InputError("--years looks ahead for us-50plus alone, without --describe")
        projection.ahead(name, people or AHEAD_PEOPLE, years, policies, draws, out, plot, chosen, seed, as_json)
    elif policies or plot or draws is not None:
        raise InputError("--policy, --plot and --draws are for years to come: add --years N")
    else:
        _start(name, people or START_PEOPLE, out, describe, chosen, seed, as_json)


def _start(name: str, people: int, out: str | None, describe: bool, model: Model, seed: int, as_json: bool) -> None:
    from pathlib import Path

    from osteon.population import ages, survey

    bands = ages.read(name) if name.endswith(".csv") else None
    name = name if bands is None else Path(name).stem
    population = survey.sample(name, people, seed, model, bands)
    if out is not None:
        population.write(out)
    if describe:
        _describe(population, as_json)
        return
    rows = survey.shares(population)
    if as_json:
        print_json(_plain(name, population, rows))
        return
    numbers = ("millions", "osteoporosis_pct", "osteoporosis_millions", "low_bone_mass_pct", "low_bone_mass_millions")
    cells = [[r["sex"], r["age"], *(decimals(r[name], 1) for name in numbers)] for r in rows]
    print_table(
        [("sex", False), ("age", False), ("people, millions", True), ("osteoporosis %", True), ("millions", True),
         ("low bone mass %", True), ("millions", True)],
        cells, title=f"{name}: the lower T-score of lumbar spine and femoral neck, by the WHO's definitions",
    )  # fmt: skip
    say(f"{len(population):,} virtual people, each standing for {population.each:,.0f}; seed {seed}")
    say("Their bone is that of people of their sex and age in the United States (Wright 2014); another country's may "
        "differ." if bands is not None else
        "Their bone is fitted to this very survey (Wright 2014), so that this is no test of the model.")  # fmt: skip
    if out is not None:
        say(f"wrote {out}")
    say(NOTICE)


def _describe(population: Any, as_json: bool) -> None:
    """Features of the people by sex."""
    table = population.describe()
    if as_json:
        print_json({"population": population.name, "sampled": len(population), "features": table.to_dict("records")})
        return
    numbers = ("mean", "sd", "p5", "p50", "p95")
    cells = [
        [r["sex"], r["feature"], str(r["n"]), *(decimals(r[k]) for k in numbers)] for r in table.to_dict("records")
    ]
    print_table(
        [("sex", False), ("feature", False), ("n", True), ("mean", True), ("SD", True), ("5 %", True), ("50 %", True),
         ("95 %", True)], cells, title=f"{population.name}: {len(population):,} virtual people",
    )  # fmt: skip
    say(NOTICE)


def _plain(name: str, population: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    whole = rows[0]
    year = {"year": 2010} if name == "us-50plus" else {}
    return {
        "population": name, "people": round(population.each * len(population)), "sampled": len(population), **year,
        **{k: whole[k] for k in whole if k.endswith(("_pct", "_millions"))}, "groups": rows,
        "facts": dict(population.facts),
    }  # fmt: skip
