"""`osteon fit`: fit osteon's own model to the trials marked so, and sample its uncertainty; leave out trials and
mechanisms one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
@click.option("--trial-effects/--no-trial-effects", "effects", default=None,
              help="Fit with differences between trials in response and drift as nuisances, or without.")  # fmt: skip
@click.option(
    "--leave-one-out", is_flag=True, help="Fit again without each trial, and score what it then says of it."
)
@click.option("--ablate", is_flag=True, help="Fit again without each mechanism, and with parts switched off.")
@click.option("--score-validate", is_flag=True, help="With --ablate: score the trials marked validate as well.")
@click.option(
    "--out", "-o", default="osteon-fit", show_default=True, metavar="DIR", help="Write fit.json and draws.csv."
)
@seed_option
@json_option
def command(
    rounds: int, draws: int, effects: bool | None, leave_one_out: bool, ablate: bool, score_validate: bool, out: str,
    seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Fit osteon's own model to the trials marked `fit` and to natural history.

    Finds the most probable values from several starts, then draws a sample of what else fits.
    """
    if score_validate and not ablate:
        raise click.UsageError("--score-validate goes with --ablate: it adds columns to that table")
    from osteon import files, models
    from osteon.fit import run

    model = models.get("osteon")
    more: dict[str, list[dict[str, Any]]] = {}
    with files.output_folder(out) as folder:
        with told(), progress_bar("sampling") as progress:
            found = run.fit(
                model, rounds=rounds, draws=draws, seed=seed, progress=progress,
                effects=run.EFFECTS if effects is None else effects,
            )  # fmt: skip
        run.write(found, folder)
        if leave_one_out:
            more["leave_one_out"] = _leave_one_out(found, folder)
        if ablate:
            more["ablation"] = _ablation(found, folder, score_validate)
    values, errors = found.values(), found.errors()
    if as_json:
        whole = {"misfit": found.best.cost, "starts": found.starts, "values": values, "errors": errors}
        print_json({**whole, "trial_effects": found.effects(), **more})
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
    if found.effects():
        print_table(
            [("trial", False), ("response ×", True), ("SD (ln)", True), ("drift, points", True), ("SD", True)],
            [[e["trial"], *(decimals(e[k]) for k in ("response", "response_log_sd", "drift", "drift_sd"))]
             for e in found.effects()],
            title="trial effects (nuisances; predictions are without them)",
        )  # fmt: skip
    _print_more(more)
    say(f"misfit {found.best.cost:.2f}; from other starts {', '.join(f'{c:.2f}' for c in found.starts)}")
    if found.posterior is not None:
        p = found.posterior
        say(f"R-hat at most {p.r_hat.max():.3f}, effective sample size at least {p.effective.min():.0f}")
    say(f"wrote {out}")
    say(NOTICE)


def _leave_one_out(found: Any, folder: Path) -> list[dict[str, Any]]:
    from osteon.fit import held_out

    with progress_bar("without") as progress:
        rows = held_out.leave_one_out(found.problem, found.best.z, progress=progress)
    held_out.write(rows, folder)
    return [row.plain() for row in rows]


def _ablation(found: Any, folder: Path, score_validate: bool) -> list[dict[str, Any]]:
    from osteon.fit import ablation

    some, lacking = ablation.cases()
    if lacking:
        say(f"not tried, for lack of their parameters: {', '.join(lacking)}")
    with told(), progress_bar("without") as progress:
        done = ablation.ablate(found.problem, found.best.z, some, score_validate=score_validate, progress=progress)
    ablation.write(done, folder)
    return [a.plain(done[0]) for a in done]


def _print_more(more: dict[str, list[dict[str, Any]]]) -> None:
    if rows := more.get("leave_one_out"):
        print_table(
            [("left out", False), ("end point", False), ("n", True), ("fitted", True), ("held out", True),
             ("ratio", True), ("alone with", False)],
            [[r["trial"], r["endpoint"], str(r["n"]), *(decimals(r[k]) for k in ("fitted", "held_out", "ratio")),
              r["alone"]] for r in rows],
            title="RMSE of each trial by the whole fit, and by a fit without it",
        )  # fmt: skip
    if rows := more.get("ablation"):
        keys = [k for k in rows[0] if k.startswith(("fit_", "validate_"))]
        print_table(
            [("left out", False), ("misfit", True), ("more", True), *((k.replace("_", " "), True) for k in keys)],
            [[r["left_out"], *(decimals(r.get(k)) for k in ("misfit", "more", *keys))] for r in rows],
            title="RMSE after a fit without it",
        )  # fmt: skip
