"""What a kernel is made for, and where things stand in its arrays."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

LANES = 32  # people in a block
FEW = 4  # in a block for one or two people
ROOM = 24_576  # bytes that a block may take, or it has half as many people: a step's numbers stay in the first cache
STAGES = 3  # exposures at the start, the middle and the end of a step


@dataclass(frozen=True)
class Layout:
    """Where things stand, generated from the model: rows of a block's array, places in the shared array."""

    states: int
    channels: tuple[int, ...]  # those of the model's channels that are used
    varying: tuple[str, ...]  # parameters that differ between people
    shared: tuple[str, ...]  # parameters that are the same for all
    invariants: int
    shared_invariants: int
    outputs: tuple[str, ...]
    now: int  # values that rest on the start of a step alone, carried over from the end of the one before
    lengths: int  # values that rest on a step's length alone
    few: bool = False

    def row(self, name: str) -> int:
        """First row of a part of the block's array; "end" is the number of rows."""
        return self._rows[name]

    @functools.cached_property
    def _rows(self) -> dict[str, int]:
        sizes = {
            "x": self.states, "last": 1, "sixth": 1, "error": 1, "base": 1, "scale": 1,
            "now": self.now, "p": len(self.varying), "u": len(self.channels) * STAGES, "inv": self.invariants,
            "len": self.lengths, "out": len(self.outputs), "end": 0,
        }  # fmt: skip
        firsts = itertools.accumulate(sizes.values(), initial=0)
        return dict(zip(sizes, firsts, strict=False))

    @functools.cached_property
    def lanes(self) -> int:
        """People in a block; nobody's numbers depend on it."""
        if self.few:
            return FEW
        return LANES if self.row("end") * LANES * 8 <= ROOM else LANES // 2

    def place(self, name: str) -> int:
        """First place of a part of the shared array: parameters "s", invariants "inv", error weights "w"."""
        return {"s": 0, "inv": len(self.shared), "w": len(self.shared) + self.shared_invariants}.get(
            name, len(self.shared) + self.shared_invariants + self.states
        )


@dataclass(frozen=True)
class Use:
    """What a kernel is made for; it leaves out what that does not need. The same use, the same bits."""

    varying: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    """Drug channels that are ever heard."""
    zero: frozenset[int] = frozenset()
    """States that are 0 at everyone's start, and that no jump touches."""
    raw: bool = False
    """Whether outputs are the states themselves and not what the model observes."""
    short: bool = False
    """Whether steps without drugs take those with drugs once something has happened: less code to compile."""
    few: bool = False
    """Whether blocks are small: for one or two people at a time, who would leave a large one empty."""
