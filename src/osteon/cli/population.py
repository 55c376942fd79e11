"""`osteon population`: the people of a country, and how many of them have osteoporosis."""

from __future__ import annotations

from typing import Any

import click

from osteon.cli.common import NOTICE, decimals, json_option, model_option, print_json, print_table, say, seed_option


@click.command("population")
@click.argument("name", metavar="NAME", default="us-50plus")
@click.option("--people", type=click.IntRange(min=1), default=100_000, show_default=True, metavar="N",
              help="Virtual people, each of whom stands for as many.")  # fmt: skip
@click.option("--years", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
              help="Years to look ahead; only 0, the start, so far.")  # fmt: skip
@click.option("--out", "-o", metavar="FILE", help="Write the people to FILE (.csv or .parquet).")
@click.option("--describe", is_flag=True, help="Mean, SD and 5, 50, 95 % of the people's features instead, by sex.")
@model_option
@seed_option
@json_option
def command(
    name: str, people: int, years: int, out: str | None, describe: bool, model: str | None, seed: int, as_json: bool
) -> None:
    """People of a country with osteoporosis and low bone mass, by sex and age.

    NAME is us-50plus: the United States in 2010, 50 and older; or a CSV file with the ages of another country's
    people: sex, age_lo, age_hi, count.
    """
    from pathlib import Path

    from osteon import models
    from osteon.errors import InputError
    from osteon.population import ages, survey

    if years:
        raise InputError(f"--years {years}: osteon cannot look ahead yet; leave it at 0 for the start")
    chosen = models.get(model)
    if "sex" not in chosen.uses:
        raise InputError(f"{chosen.name} knows no men and no T-scores; take --model osteon")
    own = name.endswith(".csv")
    bands = ages.read(name) if own else None
    name = Path(name).stem if own else name
    population = survey.sample(name, people, seed, chosen, bands)
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
        "differ." if own else
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
