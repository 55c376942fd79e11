"""`osteon power`: how likely a study's trial is to find what the model says is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from osteon.cli.common import (
    NOTICE,
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
from osteon.errors import InputError, nearest
from osteon.units import number

if TYPE_CHECKING:
    from osteon.power.designs import Answer
    from osteon.study import Study

_DESIGN = {"endpoint": "end point", "month": "month", "design": "design"}
_CALCULATOR = ("difference", "sd", "hazard_ratio", "risk")


@click.command("power")
@click.argument("study_file", metavar="[STUDY]", required=False)
@click.option("--endpoint", "--endpoints", "endpoints", multiple=True, metavar="NAMES",
              help="End points, with commas; repeatable. Default: the study's first.")  # fmt: skip
@click.option("--month", "--months", "months", multiple=True, metavar="MONTHS",
              help="Months of the comparison, with commas. Default: the last visit.")  # fmt: skip
@click.option("--arm", "--arms", "arms", multiple=True, metavar="NAMES",
              help="Arms to compare with the first; with commas, repeatable. Default: all others.")  # fmt: skip
@click.option("--n", "n", multiple=True, metavar="NUMBERS", help="People per arm, with commas. Default: n_per_arm.")
@click.option("--target", type=float, default=0.9, show_default=True, help="Power to find a sample size for.")
@click.option("--alpha", type=float, help="Two-sided error of the first kind. Default: the study's, else 0.05.")
@click.option("--replicates", type=int, default=1000, show_default=True, metavar="N", help="Trials to simulate.")
@click.option("--pool", "people", type=int, default=5_000, show_default=True, metavar="N",
              help="People to simulate, from whom trials are drawn.")  # fmt: skip
@click.option("--t-score-max", multiple=True, metavar="SITE=V", help="Also enrol only T-scores up to V; repeatable.")
@click.option("--burden-min", type=float, metavar="X", help="Also enrol only a senescent burden from X on.")
@click.option("--difference", type=float, help="Without STUDY: the difference of two means.")
@click.option("--sd", type=float, help="Without STUDY: the standard deviation in each arm.")
@click.option("--hazard-ratio", type=float, help="Without STUDY: the hazard ratio of an event.")
@click.option("--risk", type=float, help="Without STUDY: the share of the untreated who have the event.")
@click.option("--out", "-o", metavar="DIR", help="Folder for power.csv, sample_size.csv and power.png.")
@model_option
@without_option
@draws_option("Draws of the parameters for assurance; 0 for none. Default: 200, if the model has draws.")
@seed_option
@json_option
def command(study_file: str | None, as_json: bool, **asked: Any) -> None:
    """Power, sample size and detectable difference of a study (YAML), each arm against the first.

    Without STUDY a calculator: --difference and --sd for means, --hazard-ratio and --risk for events.
    """
    given = [name for name in _CALCULATOR if asked[name] is not None]
    if study_file is None:
        _calculate(asked, given, as_json)
        return
    if given:
        raise InputError(
            f"--{given[0].replace('_', '-')} is for the calculator, which takes no study; leave one away"
        )
    _simulate(study_file, asked, as_json)


def _simulate(study_file: str, asked: dict[str, Any], as_json: bool) -> None:
    from osteon import files, models
    from osteon.power.designs import Options, power_of
    from osteon.report.figures import png
    from osteon.study import load_study

    study = load_study(study_file)
    options = Options(
        endpoints=_words(asked["endpoints"]), months=_numbers("--month", asked["months"]),
        arms=_arms(asked["arms"], study), n=_numbers("--n", asked["n"]), target=asked["target"], alpha=asked["alpha"],
        replicates=asked["replicates"], people=asked["people"], draws=asked["draws"],
        t_score_max=_limits(asked["t_score_max"]), burden_min=asked["burden_min"],
    )  # fmt: skip
    chosen = models.of_species(chosen_model(asked["model"], asked["without"]), study.people.species)
    out = asked["out"]

    def run() -> Answer:
        with told(), progress_bar(study.id) as progress:
            return power_of(study, options, model=chosen, seed=asked["seed"], progress=progress)

    if out is None:
        answer = run()
    else:
        import pandas as pd

        from osteon.power.figure import figure
        from osteon.summary import csv_text

        with files.output_folder(out) as folder:
            answer = run()
            picture = png(figure(answer.curves, options.target, study.title or study.id))
            whole = ["n_per_arm", "lower", "upper", "screened_per_arm"]
            sizes = pd.DataFrame(answer.sizes).astype(dict.fromkeys(whole, "Int64"))
            files.write_whole(folder / "power.png", picture)
            files.write_whole(folder / "sample_size.csv", csv_text(sizes))
            files.write_whole(folder / "power.csv", csv_text(pd.DataFrame(answer.power)))
    if as_json:
        print_json(_plain(answer, study, options, chosen, asked["seed"]))
        return
    _print(answer, study, options.target)
    if out is not None:
        say(f"wrote power.csv, sample_size.csv and power.png to {out}")
    say_evidence(study.therapies())
    close(chosen, asked["model"])


def _plain(answer: Answer, study: Study, options: Any, model: Any, seed: int) -> dict[str, Any]:
    from osteon.result import platform_facts

    return {
        "power": answer.power, "sample_size": answer.sizes[0]["n_per_arm"], "mde": answer.power[0]["mde"],
        "sample_sizes": answer.sizes,
        "provenance": {
            **platform_facts(), "model": model.name, "parameters_hash": model.parameter_hash, "seed": seed,
            "study": study.model_dump(exclude_none=True), "target": options.target, "alpha": answer.alpha,
            "pool": options.people, "draws": answer.draws, "notice": NOTICE,
        },
    }  # fmt: skip


def _print(answer: Answer, study: Study, target: float) -> None:
    """Power at the n asked for, then sample sizes; what is the same in all rows stands in the title."""
    first = answer.power[0]
    lead = [name for name in _DESIGN if len({row[name] for row in answer.power}) > 1]
    title = f"{study.title or study.id}: power against {first['reference']}"
    title += "".join(f", {_cell(first[name], name)}" for name in _DESIGN if name not in lead)
    heads = [("arm", False), *((_DESIGN[name], False) for name in lead)]
    assured = [("assurance %", True)] * (first["assurance"] is not None)
    columns = [*heads, ("n per arm", True), ("power % (95 %)", True), *assured, ("difference %", True), ("SD", True)]
    rows = []
    for row in answer.power:
        cells = [row["arm"], *(_cell(row[name]) for name in lead), f"{row['n_per_arm']:,}", _percents(row)]
        cells += [_percent(row["assurance"])] if assured else []
        rows.append([*cells, decimals(row["effect"]), decimals(row["sd"]), decimals(row["mde"])])
    print_table([*columns, (f"found with {100 * target:g} %", True)], rows, title=title)
    click.echo()
    rows = []
    for row in answer.sizes:
        n = "–" if row["n_per_arm"] is None else f"{row['n_per_arm']:,}"
        rows.append([row["arm"], *(_cell(row[name]) for name in lead), n, _span(row), row["why"]])
    print_table([*heads, (f"n per arm for {100 * target:g} %", True), ("95 %", True), ("", False)], rows)
    say("The 95 % are the error of finitely many simulated trials; what the model is unsure of is in the assurance.")


def _cell(value: Any, name: str = "") -> str:
    lead = "month " if name == "month" else ""
    return lead + (number(value) if isinstance(value, int | float) else str(value))


def _percent(value: float) -> str:
    return decimals(100.0 * value, 1)


def _percents(row: dict[str, Any]) -> str:
    return f"{_percent(row['power'])} ({_percent(row['lower'])} to {_percent(row['upper'])})"


def _span(row: dict[str, Any]) -> str:
    return f"{row['lower']:,} to {row['upper']:,}" if row["lower"] is not None and row["upper"] is not None else ""


def _calculate(asked: dict[str, Any], given: list[str], as_json: bool) -> None:
    """The closed formulas, without a study."""
    from osteon.power import formula

    if not given:
        raise InputError("give a study file; or --difference and --sd, or --hazard-ratio and --risk, without one")
    numbers = _numbers("--n", asked["n"])
    n = [formula.check_n(x, "--n") for x in numbers or []]
    alpha = formula.check_share("--alpha", 0.05 if asked["alpha"] is None else asked["alpha"])
    target = formula.check_share("--target", asked["target"], alpha)
    means = {"difference", "sd"}
    if set(given) not in (means, {"hazard_ratio", "risk"}):
        raise InputError("the calculator takes --difference and --sd, or --hazard-ratio and --risk, both of a pair")
    found: dict[str, Any]
    if set(given) == means:
        difference, sd = asked["difference"], formula.check_positive("--sd", asked["sd"])
        sizes = {
            m: formula.sample_size(difference, sd, target=target, alpha=alpha, method=m) for m in formula.METHODS
        }
        lines = [
            f"{sizes['normal']:,} per arm (normal formula), {sizes['t']:,} (t) for a power of {100 * target:g} %"
        ]
        rows = [
            {"n_per_arm": k, "power": formula.power(difference, sd, k, alpha=alpha),
             "mde": formula.detectable(sd, k, target=target, alpha=alpha)}
            for k in n or [sizes["normal"]]
        ]  # fmt: skip
        found = {"sample_size": sizes["normal"], "sample_size_t": sizes["t"], "mde": rows[0]["mde"]}
    else:
        ratio, risk = asked["hazard_ratio"], asked["risk"]
        size = formula.logrank_sample_size(ratio, risk, target=target, alpha=alpha)
        events = formula.events_needed(ratio, target=target, alpha=alpha)
        lines = [f"{size:,} per arm, {events:,.0f} events in both, for a power of {100 * target:g} % (log-rank)"]
        rows = [{"n_per_arm": k, "power": formula.logrank_power(ratio, risk, k, alpha=alpha)} for k in n or [size]]
        found = {"sample_size": size, "events": events, "mde": None}
    if as_json:
        print_json({"power": rows, **found})
        return
    for row in rows if n else []:
        least = f"; it finds {decimals(row['mde'])} with {100 * target:g} %" if "mde" in row else ""
        lines.append(f"{row['n_per_arm']:,} per arm: power {_percent(row['power'])} %{least}")
    click.echo("\n".join(lines))
    say(NOTICE)


def _words(given: tuple[str, ...]) -> list[str] | None:
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    return words or None


def _arms(given: tuple[str, ...], study: Study) -> list[str] | None:
    """Names of arms, which may themselves hold commas."""
    names = {arm.name for arm in study.arms}
    return [one for text in given for one in ([text] if text in names else _words((text,)) or [text])] or None


def _numbers(option: str, given: tuple[str, ...]) -> list[float] | None:
    words = _words(given)
    try:
        return None if words is None else [float(word) for word in words]
    except ValueError:
        raise InputError(
            f"{option} takes numbers with commas, such as 50,100, not {', '.join(words or [])!r}"
        ) from None


def _limits(given: tuple[str, ...]) -> dict[str, float]:
    from osteon.endpoints import SITES

    found = {}
    for text in given:
        site, _, value = text.partition("=")
        if site not in SITES:
            raise InputError(f"--t-score-max: unknown site {site!r}{nearest(site, SITES, 0)}")
        try:
            found[site] = float(value)
        except ValueError:
            raise InputError(f"--t-score-max takes SITE=V, such as lumbar_spine=-2.5, not {text!r}") from None
    return found
