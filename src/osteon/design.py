"""Which arms make up a factorial design: the cells of some factors, and the factors of arms that are all cells.

A factor has levels, each a regimen; its reference is the level without treatment, or else the first one. A cell takes
one level of each factor, all given at the same time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osteon.errors import RegimenError, StudyError
from osteon.regimen import parse_regimen, together
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from osteon.regimen import Course
    from osteon.study import Study

MAX_CELLS = 64
Factors = Mapping[str, Mapping[str, str]]
_SAY_NOTHING = frozenset({"yes", "on", "true", "with", "1", "given", "active"})  # names of levels


@dataclass(frozen=True)
class Design:
    """`factors` are names with the labels of their levels, the reference first; `cells` the arms' names in the order
    of all combinations (the last factor changes first)."""

    factors: tuple[tuple[str, tuple[str, ...]], ...]
    cells: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each factor."""
        return tuple(len(levels) for _, levels in self.factors)

    def cell(self, at: Sequence[int]) -> str:
        """The name of the cell with these levels."""
        index = 0
        for level, levels in zip(at, self.shape, strict=True):
            index = index * levels + level
        return self.cells[index]


def ordered(levels: Mapping[str, str]) -> dict[str, str]:
    """The levels of a factor, its reference first."""
    return dict(sorted(levels.items(), key=lambda item: bool(parse_regimen(item[1]).therapies())))


def check(factors: Factors) -> None:
    """Raises ValueError when factors make no design."""
    for name, levels in factors.items():
        if len(levels) < 2:
            raise ValueError(
                f"factors: {name} needs two levels or more, for instance {{none: none, {name}: REGIMEN}}"
            )
        seen: dict[str, str] = {}
        for level, text in levels.items():
            same = seen.setdefault(str(parse_regimen(text)), level)
            if same != level:
                raise ValueError(f"factors: {name}: the levels {same!r} and {level!r} are the same treatment")
    count = math.prod(len(levels) for levels in factors.values())
    if not factors:
        raise ValueError("factors: there is no factor; give for instance {drug: {none: none, drug: REGIMEN}}")
    if count > MAX_CELLS:
        raise ValueError(f"factors: they have {count} cells; {MAX_CELLS} can be run, so leave factors or levels out")


def labels(factors: Factors) -> dict[str, tuple[str, ...]]:
    """What each factor's levels are called in the names of cells: by their own name where that says enough."""
    own = [level.casefold() for levels in factors.values() for level in list(levels)[1:]]
    found = {}
    for name, (reference, *levels) in factors.items():
        plain = all(own.count(level.casefold()) == 1 and level.casefold() not in _SAY_NOTHING for level in levels)
        called = levels if plain else [name] if len(levels) == 1 else [f"{name} {level}" for level in levels]
        found[name] = (reference, *called)
    return found


def cells(factors: Factors) -> list[tuple[str, str]]:
    """Name and regimen text of each cell, the last factor changing first; raises ValueError where two levels cannot
    be given together."""
    called = labels(factors)
    references = {next(iter(levels)) for levels in factors.values()}
    untreated = references.pop() if len(references) == 1 else "none"
    each = [list(zip(called[name], levels.values(), strict=True)) for name, levels in factors.items()]
    found: list[tuple[str, str]] = []
    for chosen in itertools.product(*each):
        given = [(label, text) for label, text in chosen if parse_regimen(text).therapies()]
        name = " + ".join(label for label, _ in given) or untreated
        text = given[0][1] if len(given) == 1 else str(together([parse_regimen(text) for _, text in given]))
        try:
            parse_regimen(text)
        except RegimenError as error:
            raise ValueError(f"factors: the cell {name!r} cannot be given: {error.problem}") from None
        found.append((name, text))
    return found


def design_of(study: Study) -> Design:
    """The design of a study: of its `factors`, or of arms that are laid out as all cells; raises StudyError."""
    if study.visits[-1] <= 0:
        raise StudyError(f"{study.id}: visits: to compare cells needs a visit after month 0")
    if study.factors:
        called = labels(study.factors)
        return Design(tuple(called.items()), tuple(arm.name for arm in study.arms))
    return _laid_out(study)


Arms = frozenset[int]


def _laid_out(study: Study) -> Design:
    """The factors of arms: what is always given together is one level, what is never given together are levels of one
    factor, and what all have is no factor."""
    until = study.visits[-1] * MONTH_DAYS
    weight = study.people.mean_person().weight_kg or 1.0  # whichever: doses are only told apart
    given = [frozenset(arm.schedule.courses(until, weight_kg=weight)) for arm in study.arms]
    names = [arm.name for arm in study.arms]
    for a, b in itertools.combinations(range(len(names)), 2):
        if given[a] == given[b]:
            raise StudyError(f"{study.id}: arms: {names[a]!r} and {names[b]!r} have the same treatment; give it once")
    levels_of = _factors([arm.schedule.courses(until, weight_kg=weight) for arm in study.arms])
    if any(a & b for levels in levels_of for a, b in itertools.combinations(levels, 2)):
        raise StudyError(
            f"{study.id}: arms: they are not all cells of a design: some treatments are combined and others are not; "
            f"add the arms that are missing, {_INSTEAD}"
        )
    if len(levels_of) < 2:
        raise StudyError(
            f"{study.id}: arms: no arm combines what other arms give apart; add the arms that do, {_INSTEAD}"
        )
    found: list[str] = []
    for chosen in itertools.product(*levels_of):
        inside = frozenset.intersection(*chosen)
        if len(inside) != 1:
            parts = [repr(names[min(level, key=lambda arm: len(given[arm]))]) for level in chosen]
            raise StudyError(
                f"{study.id}: arms: they are not all cells of a design: no arm combines "
                f"{' and '.join(dict.fromkeys(parts))}; add it, {_INSTEAD}"
            )
        found.append(names[min(inside)])
    plain = Design(tuple(("", ("",) * len(levels)) for levels in levels_of), tuple(found))
    called = []
    for f, levels in enumerate(levels_of):
        alone = [plain.cell([i if one == f else 0 for one in range(len(levels_of))]) for i in range(len(levels))]
        called.append((" or ".join(alone[1:]), tuple(alone)))
    return Design(tuple(called), tuple(found))


_INSTEAD = "or give factors in place of arms"


def _factors(given: Sequence[Sequence[Course]]) -> list[list[Arms]]:
    """Factors as lists of levels, the reference first, each level as the arms that have it."""
    everyone = frozenset(range(len(given)))
    courses = dict.fromkeys(itertools.chain(*given))
    groups = dict.fromkeys(frozenset(i for i in everyone if course in given[i]) for course in courses)
    factors: list[list[Arms]] = []
    for group in groups:
        if group == everyone:
            continue
        apart = [factor for factor in factors if any(not group & level for level in factor)]
        factors = [factor for factor in factors if factor not in apart]
        factors.append([*itertools.chain(*apart), group])
    found = []
    for levels in factors:
        without = everyone.difference(*levels)
        # Where no arm is without, the level of the first arm is what the others are compared with.
        found.append([without, *levels] if without else sorted(levels, key=lambda level: 0 not in level))
    return found
