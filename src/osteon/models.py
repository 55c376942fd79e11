"""What a model must offer to be run, and the models there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from osteon.engine.exposure import Kinetics
from osteon.errors import InputError, ModelError, nearest

NAMES = ("osteon", "jorg2022")
ALIASES = {"joerg2022": "jorg2022", "jörg2022": "jorg2022", "mouse": "osteon_mouse"}
DEFAULT = "osteon"
BESIDE = "jorg2022"  # the published model that the default one is scored beside


class Model(Protocol):
    """A model of bone: states that are made and lost, `dx/dt = production - loss · x`, time in days.

    `rates` is the one definition of the model: plain arithmetic on scalars or arrays, nothing negative in
    `loss`. Its time is the model's own clock, days since `birth` at age 0 of the model's calendar.
    """

    name: str
    citations: tuple[str, ...]
    year_days: float
    age_days: float
    """Days per unit of age: a year, of mice a month."""
    species: tuple[str, ...]
    age_range: tuple[float, float]
    states: tuple[str, ...]
    channels: tuple[str, ...]
    endpoints: Mapping[str, str]
    uses: frozenset[str]
    """People features that the model takes account of (of age, sex, t_score …)."""

    @property
    def title(self) -> str: ...

    @property
    def parameter_hash(self) -> str: ...

    def parameters(self) -> Any:
        """Parameter values as a named tuple."""

    def traits(self, person: Any) -> dict[str, float]:
        """Values of the parameters, by id, that a person's features fix; they hold in every draw."""

    def of_person(self, person: Any) -> Any:
        """Parameter values for one person, with the features that the model uses."""

    def kinetics(self, p: Any) -> Mapping[str, Kinetics]:
        """How each therapy that the model knows drives its channels."""

    def start(self, p: Any) -> tuple[float, list[float]]:
        """Time (d) and state from which every life begins."""

    def rebalance(self, p: Any) -> dict[str, Any]:
        """Changes that give people with parameters `p` the model's own balance of formation and resorption at the
        start of life; without them a spread of rates would spread bone loss beyond anything seen."""

    def kinks(self, p: Any) -> tuple[float, ...]:
        """Times (d) at which the right-hand side has a kink of its own."""

    def rates(self, x: Sequence[Any], exposure: Sequence[Any], t: Any, p: Any) -> tuple[list[Any], list[Any]]:
        """Production and loss of each state."""

    def observe(self, x: Any, p: Any) -> dict[str, Any]:
        """What end points are computed from, BMD end points among it, from the states in plain arithmetic."""

    def derive(self, observed: Mapping[str, Any], p: Any) -> dict[str, Any]:
        """The end points, from what was observed."""

    def read_out(self, x: Any, p: Any) -> dict[str, Any]:
        """The end points, from the states; same shape as one state."""


def get(name: str | None = None, without: Collection[str] = ()) -> Model:
    """The model of that name (case does not matter), the default one for None, `without` some of its mechanisms;
    raises ModelError or InputError."""
    key = (name or DEFAULT).casefold()
    key = ALIASES.get(key, key)
    if key == "jorg2022":
        from osteon.published.jorg2022 import Jorg2022

        if without:
            raise InputError(f"without {next(iter(without))}: jorg2022 has no mechanism that can be left out")
        return Jorg2022()
    if key == "osteon":
        from osteon.skeleton import Osteon

        return Osteon(without)
    if key == "osteon_mouse":
        from osteon.skeleton import OsteonMouse

        return OsteonMouse(without)
    raise ModelError(f"unknown model {name!r}{nearest(key, [*NAMES, *ALIASES], 0.3)}")


def of_species(model: Model, species: str) -> Model:
    """The model itself, or osteon's own with the records of another species, and the same mechanisms left out."""
    if species not in ("human", "mouse") or species in model.species or model.name not in ("osteon", "osteon_mouse"):
        return model
    from osteon.skeleton import Osteon, OsteonMouse

    kind = OsteonMouse if species == "mouse" else Osteon
    known = {m.name for m in kind.parts}
    left = [name for name in getattr(model, "without", ()) if name in known]
    return kind(left, getattr(model, "values", None))
