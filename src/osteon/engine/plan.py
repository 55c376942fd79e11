"""What happens when: doses, windows, state jumps and outputs as one list of breaks, the same for all people.

Time is in days from month 0, on which every arm's doses and visits lie. A person's own clock (days since birth, say)
is `base + scale · time`: before month 0 each life is stretched to the same length, so that people of different age
share one step sequence; and if all have a kink there, at different ages, what lies before and after it is stretched
apart, so that the small steps round it serve everyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osteon.engine.exposure import agent, is_window
from osteon.regimen import Course

DOSE, INFLOW, TIMES, PLUS = range(4)
LASTING = 60.0  # half-lives after its last event for which an agent still counts (2^-60 of what was there)


@dataclass(frozen=True)
class Event:
    """Something that happens at a break: `kind`, the agent or state it touches, its size, whose factor it takes."""

    kind: int
    index: int
    value: float
    component: int = 0


@dataclass(frozen=True)
class Jump:
    """A jump of a state: times `factor`, then plus `amount`."""

    time: float
    state: int
    factor: float = 1.0
    amount: float = 0.0


@dataclass
class Plan:
    """Breaks in ascending order: events by time, spans in which an agent counts, output times.

    Phase 1 runs from `start` to `second` (0, or where the prior treatment begins), stretched for each person."""

    start: float
    second: float
    end: float
    agents: tuple[str, ...]
    channel: np.ndarray
    events: dict[float, list[Event]] = field(default_factory=dict)
    spans: list[list[tuple[float, float]]] = field(default_factory=list)
    outputs: tuple[float, ...] = ()
    components: int = 1
    kinks: list[tuple[float, float]] = field(default_factory=list)
    """When the kinks of all people lie: earliest and latest."""
    bent: int = -1
    """The model's kink at which everyone's phase 1 is bent, so that it lies at `bend` for all; -1 for none."""
    bend: float = np.inf

    @property
    def first_event(self) -> float:
        """When anything first happens; until then people are as nature made them."""
        return min(self.events, default=np.inf)

    @property
    def jumping(self) -> frozenset[int]:
        """States that jumps touch."""
        return frozenset(e.index for events in self.events.values() for e in events if e.kind in (TIMES, PLUS))

    def kinked(self, begin: float, end: float) -> bool:
        """Whether someone's kink may lie inside."""
        return any(low < end and begin < high for low, high in self.kinks)

    def breaks(self) -> list[float]:
        """All times at which a step must end or begin, from start to end."""
        inside = {t for t in self.events if self.start < t < self.end}
        inside |= {edge for spans in self.spans for span in spans for edge in span if self.start < edge < self.end}
        inside |= {t for t in self.outputs if self.start < t < self.end}
        if self.start < self.second < self.end:
            inside.add(self.second)
        if self.bent >= 0:
            inside.add(self.bend)
        return [self.start, *sorted(inside), self.end]

    def active(self, time: float) -> list[int]:
        """Agents that count just after `time`."""
        return [a for a, spans in enumerate(self.spans) if any(lo <= time < hi for lo, hi in spans)]

    def codes(self, active: list[int]) -> list[int]:
        """Active agents as the kernel takes them: twice the number, plus one for those not the first on a channel."""
        heard: set[int] = set()
        found = []
        for number in active:
            channel = int(self.channel[number])
            found.append(2 * number + (channel in heard))
            heard.add(channel)
        return found

    def key(self) -> Any:
        """What the plan is, for caches."""
        return (
            *(self.start, self.second, self.end, self.bent, self.bend, self.agents, tuple(self.channel.tolist())),
            *(self.outputs, tuple(self.kinks), str(self.spans)),
            tuple((t, tuple(e)) for t, e in sorted(self.events.items())),
        )


def make(
    courses: Sequence[Course],
    kinetics: Mapping[str, Any],
    *,
    start: float,
    second: float = 0.0,
    outputs: Sequence[float],
    jumps: Sequence[Jump] = (),
) -> Plan:
    """The plan of some courses (days from month 0), from `start` to the last output; `second` is where
    every life runs at its own pace (no event may lie before it).

    `kinetics` gives channel and half-life of each therapy (an array over people is taken at its longest). Each course
    is a component with a dose factor of its own, in the order given.
    """
    names = [agent(c, kinetics) for c in courses]
    agents = tuple(dict.fromkeys(names))
    plan = Plan(
        start, second, max(outputs), agents, np.array([kinetics[a].channel for a in agents], np.int64),
        outputs=tuple(sorted(outputs)), components=max(1, len(courses)),
    )  # fmt: skip
    for index, name in enumerate(agents):
        half_life = float(np.max(kinetics[name].half_life))
        mine = [(number, course) for number, course in enumerate(courses) if names[number] == name]
        edges: dict[float, Event] = {}
        reach: list[tuple[float, float]] = []
        for number, course in sorted(mine, key=lambda item: item[1].start):
            if is_window(course):
                edges[course.start] = Event(INFLOW, index, course.dose / course.interval, number)
                edges[course.stop] = Event(INFLOW, index, 0.0, number)
                reach.append((course.start, course.stop + LASTING * half_life))
            else:
                for time in course.times.tolist():
                    plan.events.setdefault(time, []).append(Event(DOSE, index, course.dose, number))
                    reach.append((time, time + LASTING * half_life))
        for time, event in edges.items():
            plan.events.setdefault(time, []).append(event)
        plan.spans.append(_union(reach))
    for jump in jumps:
        if jump.factor != 1.0:
            plan.events.setdefault(jump.time, []).append(Event(TIMES, jump.state, jump.factor))
        if jump.amount != 0.0:
            plan.events.setdefault(jump.time, []).append(Event(PLUS, jump.state, jump.amount))
    before = [t for t in plan.events if t < second]
    if before:
        raise ValueError(f"an event at day {min(before):g} lies before the second phase at day {second:g}")
    return plan


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged
