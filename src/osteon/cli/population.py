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
@model_option
@seed_option
@json_option
def command(name: str, people: int, years: int, out: str | None, model: str | None, seed: int, as_json: bool) -> None:
    """People of a country with osteoporosis and low bone mass, by sex and age.

    NAME is us-50plus: the United States in 2010, 50 and older.
    """
    from osteon import models
    from osteon.errors import InputError
    from osteon.population import survey

    if years:
        raise InputError(f"--years {years}: osteon cannot look ahead yet; leave it at 0 for the start")
    chosen = models.get(model)
    if "sex" not in chosen.uses:
        raise InputError(f"{chosen.name} knows no men and no T-scores; take --model osteon")
    population = survey.sample(name, people, seed, chosen)
    rows = survey.shares(population)
    if out is not None:
        population.write(out)
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
    say("Their bone is fitted to this very survey (Wright 2014), so that this is no test of the model.")
    if out is not None:
        say(f"wrote {out}")
    say(NOTICE)


def _plain(name: str, population: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    whole = rows[0]
    return {
        "population": name, "people": round(population.each * len(population)), "sampled": len(population),
        "year": 2010, **{k: whole[k] for k in whole if k.endswith(("_pct", "_millions"))}, "groups": rows,
        "facts": dict(population.facts),
    }  # fmt: skip
