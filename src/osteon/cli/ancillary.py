"""`osteon ancillary`: host trials ranked by what they could teach about bone, explained and planned."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from osteon.cli.common import NOTICE, json_option, print_json, print_table, progress_bar, say, seed_option
from osteon.cli.registry import as_of_option

tables_option = click.option(
    "--tables",
    "tables_file",
    metavar="FILE",
    help="Your own costs, spreads, biases and priors (TOML), in place of the shipped.",
)
_PRIOR = (
    "priors come from osteon's virtual trials, which for cells and senolytics rest on assumed and animal numbers, "
    "and from what the model may miss; costs are assumed, see --tables"
)


@click.group("ancillary")
def command() -> None:
    """Trials run in other diseases that could carry bone end points: rank them, explain one, plan one."""


def _setting(as_of: str | None, tables_file: str | None) -> tuple[datetime.date, Any, Any]:
    from osteon.ancillary.tables import load
    from osteon.registry.store import Store

    return (datetime.date.fromisoformat(as_of) if as_of else datetime.date.today()), load(tables_file), Store()


def _warn(snapshot: str | None, at: datetime.date) -> str:
    from osteon.registry.store import stale

    return stale(snapshot, at)


@command.command("rank")
@as_of_option
@tables_option
@click.option(
    "--budget", type=click.FloatRange(min=0), metavar="AMOUNT", help="Also choose a set of hosts within it."
)
@click.option("--draws", type=click.IntRange(0, 100_000), default=1000, show_default=True, metavar="N",
              help="Draws of bias, spread and cost for the stability of ranks; 0 for none.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=25, show_default=True, help="Rows of the table.")
@click.option("--out", "-o", metavar="DIR", help="Write hosts.csv, excluded.csv and hosts.png there.")
@seed_option
@json_option
def rank_command(
    as_of: str | None,
    tables_file: str | None,
    budget: float | None,
    draws: int,
    limit: int,
    out: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """All records as hosts, best first by expected net benefit; the others with the gate that closed them."""
    from osteon.ancillary.rank import best_set, rank

    at, tables, store = _setting(as_of, tables_file)
    with progress_bar("ranking") as progress:
        records = store.records(at.isoformat(), progress)
        found = rank(records, at, tables=tables, draws=draws, seed=seed, progress=progress)
    chosen = best_set(found.hosts, tables, budget) if budget is not None else []
    old = _warn(max((r.snapshot or "" for r in records), default=None), at)
    if out:
        _write(found, out)
    if as_json:
        told: dict[str, Any] = {
            "hosts": [
                {**one.as_dict(), **({"stability": found.stability[i]} if found.stability else {})}
                for i, one in enumerate(found.hosts)
            ],
            "excluded": found.excluded, "as_of": at.isoformat(), "currency": tables.currency, "year": tables.year,
            "assumed": _PRIOR, "warnings": [old] if old else [],
        }  # fmt: skip
        if budget is not None:
            told["set"] = chosen
        print_json(told)
        return
    money = f"k{tables.currency}"
    columns = [
        ("study", False),
        (f"net {money}", True),
        ("value", True),
        ("cost", True),
        ("way", False),
        ("n", True),
        ("τ", True),
        ("rank 5–95 %", True),
        ("disease", False),
        ("title", False),
    ]
    rows = []
    for i, one in enumerate(found.hosts[:limit]):
        span = f"{found.stability[i]['low']:.0f}–{found.stability[i]['high']:.0f}" if found.stability else "–"
        rows.append(
            [
                one.host.nct,
                f"{one.enbs / 1e3:,.0f}",
                f"{one.evsi / 1e3:,.0f}",
                f"{one.mode.cost / 1e3:,.0f}",
                one.mode.name,
                f"{one.mode.treated + one.mode.control:.0f}",
                f"{one.host.tau:.1f}",
                span,
                one.host.disease,
                one.host.record.title[:60],
            ]
        )
    print_table(columns, rows, title=f"hosts at {at}, {tables.currency} of {tables.year}")
    gates: dict[str, int] = {}
    for row in found.excluded:
        gates[row["gate"]] = gates.get(row["gate"], 0) + 1
    say(
        f"{len(found.hosts)} hosts; left out {len(found.excluded)}: "
        + ", ".join(f"{name} {count}" for name, count in sorted(gates.items(), key=lambda g: -g[1]))
    )
    if budget is not None:
        print_table(
            [("set", False), ("adds", True), ("cost", True), ("spent", True), ("value of set", True)],
            [[r["nct"], *(f"{r[k] / 1e3:,.0f}" for k in ("adds", "cost", "spent", "evsi_of_set"))] for r in chosen],
            title=f"set within {budget:,.0f} {tables.currency}, in thousands",
        )
    for line in (_PRIOR, *([f"warning: {old}"] if old else []), NOTICE):
        say(line)


def _write(found: Any, out: str) -> None:
    import pandas as pd

    from osteon import files

    with files.output_folder(out) as folder:
        hosts = pd.DataFrame(
            [
                {
                    **c.as_dict(),
                    "why": "; ".join(c.why),
                    "tau": c.host.tau,
                    "disease": c.host.disease,
                    "title": c.host.record.title,
                    "snapshot": c.host.record.snapshot,
                }
                for c in found.hosts
            ]
        )
        excluded = pd.DataFrame([{**row, "why": "; ".join(row["why"])} for row in found.excluded])
        files.write_whole(folder / "hosts.csv", hosts.to_csv(index=False, lineterminator="\n"))
        files.write_whole(folder / "excluded.csv", excluded.to_csv(index=False, lineterminator="\n"))
        files.write_whole(folder / "hosts.png", lambda path: _picture(found).savefig(path, dpi=120))
    say(f"wrote hosts.csv, excluded.csv and hosts.png to {folder}")


def _picture(found: Any) -> Any:
    from matplotlib.figure import Figure

    top = found.hosts[:20][::-1]
    made = Figure(figsize=(8, 0.32 * len(top) + 1.4), layout="constrained")
    axes = made.add_subplot()
    names = [f"{c.host.nct} {c.host.disease}, n {c.mode.treated + c.mode.control:.0f}" for c in top]
    axes.barh(names, [c.enbs / 1e3 for c in top], color=["C0" if c.enbs > 0 else "0.7" for c in top])
    axes.set_xlabel(f"expected net benefit, thousand {found.tables.currency} ({found.tables.year}); at {found.at}")
    return made


def _one(nct: str, as_of: str | None, tables_file: str | None) -> tuple[Any, Any, datetime.date, Any]:
    from osteon.ancillary.prior import VirtualPrior
    from osteon.ancillary.rank import judge

    at, tables, store = _setting(as_of, tables_file)
    record = store.get(nct, at.isoformat())
    return record, judge(record, at, tables, VirtualPrior(tables)), at, tables


@command.command("explain")
@click.argument("nct", metavar="NCT")
@as_of_option
@tables_option
@json_option
def explain_command(nct: str, as_of: str | None, tables_file: str | None, as_json: bool) -> None:
    """Why a study is a host or not: gates, arms, transport bias, the ways open to it."""
    from osteon.ancillary.host import host
    from osteon.ancillary.rank import Choice
    from osteon.registry.extract import extract

    record, found, at, tables = _one(nct, as_of, tables_file)
    one = host(record, extract(record), at, tables)
    told: dict[str, Any] = {
        "nct": record.nct, "as_of": at.isoformat(), "snapshot": record.snapshot, "status": one.status,
        "treated": round(one.treated, 1), "control": round(one.control, 1), "randomised": one.randomised,
        "months": one.months, "disease": one.disease, "tau": round(one.tau, 3),
        "bias": {name: round(value, 3) for name, value in one.bias.items()}, "notes": one.notes,
    }  # fmt: skip
    if isinstance(found, Choice):
        told |= {"host": True, **found.as_dict(), "other_modes": dict(found.others)}
    else:
        told |= {"host": False, **found}
    if as_json:
        print_json(told)
        return
    say(f"{record.nct}: {record.title} ({record.link})")
    rows = [[key, _flat(value)] for key, value in told.items() if key not in ("nct", "why")]
    print_table([("what", False), ("value", False)], rows)
    for line in told["why"]:
        click.echo(f"- {line}")
    for line in (_PRIOR, *([f"warning: {old}"] if (old := _warn(record.snapshot, at)) else []), NOTICE):
        say(line)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:,.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items()) or "–"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


@command.command("plan")
@click.argument("nct", metavar="NCT")
@click.option(
    "--budget", type=click.FloatRange(min=0), metavar="AMOUNT", help="What may be spent; default: all participants."
)
@click.option("--out", "-o", metavar="DIR", help="The folder; default: the id + -plan.")
@as_of_option
@tables_option
@json_option
def plan_command(
    nct: str, budget: float | None, out: str | None, as_of: str | None, tables_file: str | None, as_json: bool
) -> None:
    """A one-page protocol sketch for a host's investigators, with a table and a plot."""
    import pandas as pd

    from osteon import files
    from osteon.ancillary import protocol
    from osteon.ancillary.rank import Choice
    from osteon.errors import InputError

    record, found, at, tables = _one(nct, as_of, tables_file)
    if not isinstance(found, Choice):
        raise InputError(f"{record.nct} cannot be a host at {at}: {found['gate']}: {found['why'][0]}")
    cut, share = protocol.within(found, tables, budget)
    if share <= 0:
        raise InputError(
            f"--budget {budget:g}: the fixed costs of {record.nct} alone are higher; the whole costs "
            f"{found.mode.cost:,.0f}"
        )
    table = protocol.rows(found, tables)
    with files.output_folder(out or f"{record.nct}-plan") as folder:
        files.write_whole(Path(folder) / "protocol.md", protocol.page(cut, tables, share))
        files.write_whole(Path(folder) / "plan.csv", pd.DataFrame(table).to_csv(index=False, lineterminator="\n"))
        files.write_whole(
            Path(folder) / "plan.png", lambda path: protocol.figure(found, tables).savefig(path, dpi=120)
        )
    if as_json:
        print_json({**cut.as_dict(), "share": round(share, 4), "rows": table, "folder": str(folder)})
        return
    print_table(
        [(name, True) for name in table[0]],
        [[_flat(v) if v is not None else "–" for v in row.values()] for row in table],
        title=f"{record.nct}, {found.mode.name}, {tables.currency} of {tables.year}",
    )
    say(f"wrote protocol.md, plan.csv and plan.png to {folder}")
    for line in (_PRIOR, *([f"warning: {old}"] if (old := _warn(record.snapshot, at)) else []), NOTICE):
        say(line)
