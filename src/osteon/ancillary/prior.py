"""What is thought of a therapy's effect on bone before any host trial: draws of a BMD difference.

The planner asks a `Prior` and nothing else. `VirtualPrior` answers from osteon's own virtual trials (`virtual`), and
from the assumed table where osteon does not know the therapy.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Float

from osteon.ancillary.tables import Tables

if TYPE_CHECKING:
    from osteon.ancillary.virtual import Effect


@dataclass(frozen=True)
class Given:
    """What participants get, as the record says it: `dose` in cells in all or (`per_kg`) per kg of body weight,
    `senolytic` the name of the drug; None is not stated."""

    dose: float | None = None
    per_kg: bool = False
    route: str | None = None
    source: str | None = None
    tissue: str | None = None
    senolytic: str | None = None


@dataclass(frozen=True)
class People:
    """The participants of a host: mean age in years, `female`, `male` or `all`, what they suffer from and get."""

    age: float
    sex: str
    disease: str
    given: Given = field(default_factory=Given)


class Prior(Protocol):
    """Draws of the difference in spine BMD, therapy against control, in percentage points."""

    def __call__(self, therapy: str, people: People, months: float, n: int) -> Float[np.ndarray, " draw"]:
        """`n` draws for a therapy (`msc`, `senolytic`, `other_cells`) in such people after so many months."""


def _normal(mean: float, sd: float, n: int) -> Float[np.ndarray, " draw"]:
    """Quantiles in place of random draws: the same input gives the same numbers."""
    from scipy import stats

    draws = stats.norm.ppf((np.arange(n) + 0.5) / n)
    made: Float[np.ndarray, " draw"] = mean + sd * draws / draws.std()
    return made


@dataclass(frozen=True)
class AssumedPrior:
    """Normal draws from the table's assumed means and SDs at 12 months, the same whoever the people are.

    The effect is taken to grow in proportion until month 12 and to stand from then on (assumed).
    """

    tables: Tables

    def __call__(self, therapy: str, people: People, months: float, n: int) -> Float[np.ndarray, " draw"]:
        """See `Prior`."""
        mean, sd = self.tables("prior", f"{therapy}_mean"), self.tables("prior", f"{therapy}_sd")
        return _normal(mean, sd, n) * min(months / 12.0, 1.0)


@dataclass(frozen=True)
class VirtualPrior:
    """Normal draws with the mean and SD of osteon's own draws of that therapy in such people, and beside them what
    the model may miss (`structure_sd` of the table), squares added. Osteon's draws are skewed; as `structure_sd` is
    ten times their SD, matching two moments loses little. The part that the model may miss is taken to grow in
    proportion until month 12."""

    tables: Tables

    def __call__(self, therapy: str, people: People, months: float, n: int) -> Float[np.ndarray, " draw"]:
        """See `Prior`."""
        found = self.effect(therapy, people, months)
        if found is None:
            return AssumedPrior(self.tables)(therapy, people, months, n)
        spine = found["lumbar_spine_bmd"]
        grown = min(months / 12.0, 1.0)
        return _normal(spine["mean"], float(np.hypot(spine["sd"], grown * self.tables("prior", "structure_sd"))), n)

    def effect(self, therapy: str, people: People, months: float) -> Effect | None:
        """What osteon expects of all end points; None for what it does not know."""
        from osteon.ancillary import virtual

        name, _ = _product(therapy, people)
        if name is None:
            return None
        dose, young, _ = self._cells(people)
        return virtual.shipped().effect(name, age=people.age, sex=people.sex, months=months, dose=dose, young=young)

    def why(self, therapy: str, people: People, months: float) -> list[str]:
        """In words: what the prior is made of, and what osteon expects at the host's follow-up."""
        name, said = _product(therapy, people)
        if name is None:
            return [f"prior: assumed, {said}"]
        found = self.effect(therapy, people, months)
        assert found is not None
        notes = [*([said] if said else []), *(self._cells(people)[2] if therapy == "msc" else ()), *found.notes]
        spine, hip, ctx = found["lumbar_spine_bmd"], found["total_hip_bmd"], found["ctx"]
        return [
            f"prior: osteon's virtual trials of {name} in such people; at {months:.3g} months spine BMD "
            f"{spine['mean']:+.2f} points (5 to 95 % of draws {spine['low']:+.2f} to {spine['high']:+.2f}), hip "
            f"{hip['mean']:+.2f}, CTX {ctx['mean']:+.1f} %; rests on assumed and animal numbers",
            *(f"prior: {note}" for note in notes),
        ]

    def _cells(self, people: People) -> tuple[float, float, list[str]]:
        """Cells in all, the share that counts as of a young donor, and what had to be assumed."""
        given, notes = people.given, []
        if given.dose is None or given.dose <= 0:
            dose = self.tables("prior", "usual_cells")
            notes.append(f"the dose is not stated: {dose:.0e} cells are taken")
        else:
            dose = given.dose * (self.tables("prior", "weight") if given.per_kg else 1.0)
        if given.source not in ("autologous", "allogeneic", "both"):
            notes.append("whose cells is not stated: young donors are taken")
        return dose, _young(given, people.age), notes


def _product(therapy: str, people: People) -> tuple[str | None, str]:
    """The therapy's name in the table of virtual trials, or None, and what is to be said of it."""
    given = people.given
    if therapy == "senolytic":
        drug = (given.senolytic or "").casefold()
        if "fisetin" in drug:
            return "fisetin", "five courses every 28 days are taken, as in the trial of dasatinib and quercetin"
        if "navitoclax" in drug:
            return None, "navitoclax is not among the virtual trials"
        return "dasatinib+quercetin", "five courses every 28 days are taken, whatever the study gives"
    if therapy != "msc":
        return None, "osteon has no model of these cells"
    route = given.route or "unstated"
    if "IV" in route.split(" + "):
        return "msc IV", ""
    if route == "local" and people.disease == "bone":
        return "msc local", "osteon's cells at the site are in bone everywhere, which is an upper limit"
    if route in ("unstated", "intra-arterial"):
        return "msc IV", f"route {route}: taken as into a vein, transport bias stands for the rest"
    return (
        "msc IV",
        f"route {route}: osteon knows cells in bone or a vein; taken as into a vein, see transport bias",
    )


def _young(given: Given, age: float) -> float:
    """As `therapies.stem_cells.young_share` has it: donors are young; a person's own cells are as old as the person,
    those of marrow old."""
    if given.source not in ("autologous", "both") or given.tissue in ("umbilical cord", "placenta or amnion"):
        return 1.0
    from osteon.regimen import Course
    from osteon.therapies import stem_cells

    source = "adipose" if given.tissue == "adipose" else "marrow"
    course = Course("msc", 1.0, "cells", None, 0.0, 0.0, 0.0, 1, source=source, autologous=True)
    own = stem_cells.young_share(course, _values(), age * 365.25)
    return own if given.source == "autologous" else (1.0 + own) / 2


@functools.cache
def _values() -> Any:
    from osteon import models

    return models.get().parameters()
