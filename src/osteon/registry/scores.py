"""Precision and recall of the extraction against hand labels: `python -m osteon.registry.scores LABELS RECORDS…`.

Labels are a CSV with nct, split, field, value, words: `value` may list several that count as right ("a|b"), `-` is
none stated; `words` are those of the record that decide it.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from osteon.registry.extract import Extraction, extract
from osteon.registry.files import read
from osteon.registry.record import Record

ABSTAIN = {
    "route": "unstated",
    "source": "undeclared",
    "dose": None,
    "per_kg": None,
    "cell_therapy": False,
    "control": None,
}


def right(field: str, got: Any, label: str) -> bool:
    """Whether a value is one that the label allows."""
    options = label.split("|")
    if "-" in options and (got is None or (field == "control" and got == "none")):
        return True  # nothing to state and nothing stated, whatever the field; without arms no control is none
    if field == "dose":
        return got is not None and any(
            option != "-" and abs(got - float(option)) <= 0.02 * float(option) for option in options
        )
    if field == "route":
        return any(set(str(got).split(" + ")) == set(option.split(" + ")) for option in options)
    return (str(got).casefold() if isinstance(got, bool) else str(got)) in options


def score(labels: Iterable[Mapping[str, str]], found: Mapping[str, Extraction]) -> list[dict[str, Any]]:
    """Rows of split, field, n, precision, recall, accuracy and the ids that are wrong.

    Precision counts values that say something (not `unstated`, `undeclared`, none or, for cell therapy, False);
    recall those labels that do.
    """
    groups: dict[tuple[str, str], list[tuple[str, Any, str]]] = defaultdict(list)
    for row in labels:
        if row["nct"] in found:
            groups[row["split"], row["field"]].append((row["nct"], found[row["nct"]][row["field"]], row["value"]))
    rows = []
    for (split, field), cases in sorted(groups.items()):
        silent = ABSTAIN.get(field)
        if field == "control":
            said, stated = cases, cases
        else:
            said = [case for case in cases if case[1] != silent]
            stated = [
                case for case in cases if not {"-", str(silent).casefold()} & set(case[2].casefold().split("|"))
            ]
        ok = [case for case in cases if right(field, case[1], case[2])]
        wrong = [case for case in cases if case not in ok]
        rows.append({
            "split": split, "field": field, "n": len(cases),
            "precision": _share(sum(c in ok for c in said), len(said)),
            "recall": _share(sum(c in ok for c in stated), len(stated)),
            "accuracy": _share(len(ok), len(cases)),
            "wrong": [f"{nct}: {got!r}, label {label}" for nct, got, label in wrong],
        })  # fmt: skip
    return rows


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def measure(labels: Path, records: Iterable[Path]) -> list[dict[str, Any]]:
    """Scores of the labels in a file against the records in files (the first version of an id counts)."""
    with labels.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wanted, found = {row["nct"] for row in rows}, dict[str, Extraction]()
    for path in records:
        for item in read(path):
            record = Record(item.study or {})
            if record.nct and record.nct in wanted and record.nct not in found:
                found[record.nct] = extract(record)
    return score(rows, found)


def main(args: list[str]) -> int:
    """Print the table; `-v` lists what is wrong, `--split NAME` shows one half only."""
    verbose = "-v" in args
    split = args[args.index("--split") + 1] if "--split" in args else None
    paths = [Path(a) for a in args if not a.startswith("-") and a != split]
    print(f"{'split':12} {'field':13} {'n':>4} {'precision':>9} {'recall':>7} {'accuracy':>8}")
    for row in measure(paths[0], paths[1:]):
        if split in (None, row["split"]):
            shares = [f"{row[k]:.3f}" if row[k] is not None else "–" for k in ("precision", "recall", "accuracy")]
            print(f"{row['split']:12} {row['field']:13} {row['n']:4} {shares[0]:>9} {shares[1]:>7} {shares[2]:>8}")
            if verbose:
                print(*(f"    {line}" for line in row["wrong"]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
