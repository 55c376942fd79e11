"""What `osteon population --years` prints and writes: a population under policies of treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osteon.cli.common import NOTICE, decimals, print_json, print_table, progress_bar, say, say_evidence, told

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.population.project import Projection


def ahead(
    name: str, people: int, years: int, asked: tuple[str, ...], draws: int | None, out: str | None,
    plot: str | None, model: Model, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Run the policies, write what was asked for, print."""
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
