"""`osteon fit`: fit osteon's own model to the trials marked so, and sample its uncertainty."""

from __future__ import annotations

import click

from osteon.cli.common import (
    NOTICE,
    decimals,
    json_option,
    print_json,
    print_table,
    progress_bar,
    say,
    seed_option,
    told,
)


@click.command("fit")
@click.option("--rounds", type=click.IntRange(min=0), default=400, show_default=True, metavar="N",
              help="Rounds of sampling; 0 finds the most probable values only.")  # fmt: skip
@click.option(
    "--draws", type=click.IntRange(min=1), default=400, show_default=True, metavar="N", help="Draws to keep."
)
@click.option(
    "--out", "-o", default="osteon-fit", show_default=True, metavar="DIR", help="Write fit.json and draws.csv."
)
@seed_option
@json_option
def command(rounds: int, draws: int, out: str, seed: int, as_json: bool) -> None:
    """Fit osteon's own model to the trials marked `fit` and to natural history.

    Finds the most probable values from several starts, then draws a sample of what else fits.
    """
    from osteon import files, models
    from osteon.fit import run

    model = models.get("osteon")
    with files.output_folder(out) as folder:
        with told(), progress_bar("sampling") as progress:
            found = run.fit(model, rounds=rounds, draws=draws, seed=seed, progress=progress)
        run.write(found, folder)
    values, errors = found.values(), found.errors()
    if as_json:
        print_json({"misfit": found.best.cost, "starts": found.starts, "values": values, "errors": errors})
        return
    rows = [
        [r["id"], f"{r['prior']:.4g}", f"{r['value']:.4g}", decimals(r["sd"]), decimals(r["prior_sd"])]
        for r in values
    ]
    print_table([("parameter", False), ("prior", True), ("fitted", True), ("SD", True), ("prior SD", True)], rows)
    trials = [
        [r["trial"], r["endpoint"], "yes" if r["difference"] else "", str(r["n"]), decimals(r["rmse"])]
        for r in errors
    ]
    print_table(
        [("trial", False), ("end point", False), ("difference", False), ("n", True), ("RMSE", True)], trials,
        title="errors at the fitted values",
    )  # fmt: skip
    say(f"misfit {found.best.cost:.2f}; from other starts {', '.join(f'{c:.2f}' for c in found.starts)}")
    if found.posterior is not None:
        p = found.posterior
        say(f"R-hat at most {p.r_hat.max():.3f}, effective sample size at least {p.effective.min():.0f}")
    say(f"wrote {out}")
    say(NOTICE)
