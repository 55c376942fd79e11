"""`osteon rerun`: a saved run again, and whether it gives the same numbers."""

from __future__ import annotations

import click

from osteon.cli.common import NOTICE, json_option, print_json, progress_bar, say, told


@click.command("rerun")
@click.argument("result_file", metavar="RESULT")
@click.option(
    "--out",
    "-o",
    metavar="DIR",
    help="Write the new run to DIR: result.nc and summary.csv, or trial.nc and trial_summary.csv.",
)
@json_option
def command(result_file: str, out: str | None, as_json: bool) -> int:
    """Run the study of RESULT (the result.nc or trial.nc that `osteon run` wrote) again and compare.

    Ends with status 0 when every number is the same, bit for bit, and 1 when not.
    """
    from osteon import files, rerun
    from osteon import result as results
    from osteon.summary import csv_text, summarise

    before = results.load(result_file)
    with told(), progress_bar("rerun") as progress:
        found, study, changed = rerun.again(before, progress=progress)
    apart = rerun.differences(before, found)
    names = ("result.nc", "summary.csv")
    if out is not None:
        if found.attrs.get("osteon_kind") == rerun.TRIAL:
            from osteon.trial.run import summary_of

            names, table = ("trial.nc", "trial_summary.csv"), summary_of(found, study)
        else:
            table = csv_text(summarise(found, study))
        netcdf = results.netcdf_bytes(found)
        with files.output_folder(out) as folder:
            files.write_whole(folder / names[0], netcdf)
            files.write_whole(folder / names[1], table)
    if as_json:
        largest = {name: None if x == float("inf") else x for name, x in apart.items()}
        print_json({"same": not apart, "differences": largest, "changed": changed, "study": study.id})
        return int(bool(apart))
    if apart:
        worst = max(apart, key=lambda name: apart[name])
        click.echo(f"not the same: {len(apart)} end points differ, most {worst}, by {apart[worst]:.2g} (relative)")
    else:
        click.echo(f"the same, bit for bit: {len(found.data_vars)} end points of {study.id}")
    if changed:
        say(f"otherwise than when it was made: {'; '.join(changed)}")
    if out is not None:
        say(f"wrote {names[1]} and {names[0]} to {out}")
    say(NOTICE)
    return int(bool(apart))
