"""The references: references.bib for models and parameters, the trial files for the evidence."""

from __future__ import annotations

import functools
import importlib.metadata
import re
from dataclasses import dataclass, field
from importlib import resources

from osteon.errors import InputError, nearest

_ACCENTS = {'{\\"o}': "ö", '{\\"u}': "ü", '{\\"a}': "ä"}


@dataclass(frozen=True)
class Reference:
    """One reference: BibTeX fields, and how it reads."""

    key: str
    kind: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One line as in a reference list."""
        f = self.fields
        authors = f.get("author", "").replace(" and ", "; ")
        place = ", ".join(x for x in (f.get("journal", ""), f.get("volume", ""), f.get("pages", "")) if x)
        parts = [f"{authors} ({f['year']})" if authors else "", f.get("title", ""), place, f.get("note", "")]
        doi = f" doi:{f['doi']}" if "doi" in f else ""
        return ". ".join(p for p in parts if p) + "." + doi

    @property
    def bibtex(self) -> str:
        body = ",\n".join(f"  {key} = {{{value}}}" for key, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{body}\n}}"


@functools.cache
def references() -> dict[str, Reference]:
    """The entries of references.bib by key (its own simple layout: one field a line; `keywords` says whether the
    numbers taken from one are of people or of animals)."""
    text = resources.files("osteon.parameters").joinpath("references.bib").read_text("utf-8")
    found = {}
    for kind, key, body in re.findall(r"@(\w+)\{([^,]+),\n(.*?)\n\}", text, re.DOTALL):
        fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", body, re.MULTILINE))
        for tex, plain in _ACCENTS.items():
            fields = {name: value.replace(tex, plain) for name, value in fields.items()}
        fields = {name: value.removeprefix("{").removesuffix("}") for name, value in fields.items()}
        found[key] = Reference(key, kind, fields)
    found["osteon"].fields["version"] = importlib.metadata.version("osteon")
    return found


def cite(key: str) -> str:
    """The reference of that key as one line: of references.bib, a row of the shipped tables ("physiology:BIO-017"),
    a trial, or "assumed". Raises InputError."""
    if key == "assumed":
        return "assumed: no source"
    table, sign, row = key.partition(":")
    if sign:
        from osteon.evidence import load_tables

        rows = load_tables().get(table)
        column = None if rows is None else next((c for c in ("id", "row_id") if c in rows), None)
        found = rows[rows[column].astype(str) == row] if rows is not None and column else None
        if found is None or found.empty:
            raise InputError(f"there is no row {row!r} in a table {table!r}")
        return str(found["source" if "source" in found else "source_doi_pmid"].iloc[0])
    return "; ".join(dict.fromkeys(reference.text for reference in lookup(key)))


def lookup(what: str | None) -> list[Reference]:
    """References of a model, a trial or a key; osteon and its models for None."""
    from osteon import models
    from osteon.evidence import load_trial, trial_ids

    known = references()
    if what is None:
        keys = ["osteon", *(key for name in models.NAMES for key in models.get(name).citations)]
        return [known[key] for key in dict.fromkeys(keys)]
    key = models.ALIASES.get(what.casefold(), what.casefold())
    if key in known:
        return [known[key]]
    trials = {ident.casefold(): ident for ident in trial_ids()}
    if key in trials:
        trial = load_trial(trials[key])
        found = []
        for name, source in trial.sources.items():
            year = re.search(r"\b(19|20)\d\d\b", source.citation)
            fields = {"title": source.citation, "year": year.group() if year else str(trial.year)}
            if source.doi:
                fields["doi"] = source.doi
            if source.doi and not source.doi_checked:
                fields["note"] = "DOI not checked"
            found.append(Reference(name, "misc", fields))
        return found
    hint = nearest(what, [*known, *models.NAMES, *trials.values()], 0.4)
    raise InputError(f"unknown reference {what!r}{hint}; name a model, a trial or a key")
