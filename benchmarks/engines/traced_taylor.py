"""heyoka on equations that come from a model's traced definition.

Drug levels are linear states of their own; a quotient is one division; what rests on parameters alone is a parameter.
States that BMD is read from count more in the step's size, by a factor that is tuned with the tolerance (which sets
the order). Where |x| has a kink that depends on the state, an event ends the step there and changes the sign
(`select`, which takes the branch of each step's start, is no faster and errs by 0.1 % and more).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np

import equations
import scenarios
from engines.base import Setting
from osteon.engine import trace
from osteon.engine.cohort import Cohort
from osteon.engine.trace import Graph, Node

N = len(scenarios.MODEL.states)


def seen_states() -> frozenset[int]:
    """States that BMD is read from."""
    graph = Graph()
    p = scenarios.MODEL.parameters()
    x = np.array([graph.leaf("x", i) for i in range(N)], object).reshape(1, N)
    nodes = trace.order(scenarios.density(x, p).ravel().tolist())
    return frozenset(n.tag[1] for n in nodes if n.op == "leaf" and n.tag[0] == "x")


@dataclass
class Compiled:
    """An integrator: its rows are the awake states, then the agents; its parameters the invariants, then rate and
    inflow of each agent, then those of the signs that are numbers, whose rows `signs` gives."""

    ta: Any
    system: equations.System
    scale: np.ndarray
    signs: dict[int, int]

    @property
    def first(self) -> int:
        """Where the agents' parameters begin."""
        return len(self.system.invariants)


class Flip:
    """What an event does: the sign changes to that of the derivative."""

    def __init__(self, row: int) -> None:
        self.row = row

    def __call__(self, ta: Any, slope: int, lane: int) -> bool:
        ta.pars[self.row, lane] = 1.0 if slope > 0 else -1.0
        return True


def expressions(nodes: list[Node], leaf: Any) -> list[Any]:
    """The nodes in heyoka's terms."""
    made: dict[int, Any] = {}
    for node in trace.order(nodes):
        if node.op == "const":
            made[node.index] = hy.expression(node.tag)
        elif node.op == "leaf":
            made[node.index] = leaf(node)
        else:
            made[node.index] = _one(node, made)
    return [made[n.index] for n in nodes]


def _plain(node: Node) -> bool:
    return node.op == "const" or (node.op == "leaf" and node.tag[0] in ("inv", "sign"))


def _one(node: Node, made: dict[int, Any]) -> Any:
    args = [made[a.index] for a in node.args]
    if node.op == "mul":
        for this, other in ((0, 1), (1, 0)):
            below = node.args[this]
            if below.op == "recip" and not _plain(node.args[other]):
                return args[other] / made[below.args[0].index]
        return args[0] * args[1]
    return {
        "add": lambda: args[0] + args[1], "sub": lambda: args[0] - args[1], "neg": lambda: -args[0],
        "recip": lambda: 1.0 / args[0],
    }[node.op]()  # fmt: skip


class Engine:
    """heyoka's batch integrator."""

    label = "heyoka (Taylor, batch)"
    people = 2048
    fewest = 2048

    def __init__(self) -> None:
        self.systems: dict[Any, Compiled] = {}
        self.seen = seen_states()

    def version(self) -> str:
        return str(hy.__version__)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        """Batches, orders (by tolerance) and scales of the states that BMD is read from."""
        wide = [(16, False)] if quick else [(32, False), (16, False), (32, True), (16, True), (8, True)]
        tols = [1e-4, 1e-3] if quick else [1e-3, 1e-4, 1e-2, 1e-5]
        scales = [0.0005, 0.005, 0.05] if quick else [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0]
        return {
            f"batch {lanes}, tol {tol:g}{', 512-bit' if zmm else ''}": [
                {"lanes": lanes, "tol": tol, "scale": s, "avx512": zmm} for s in scales
            ]
            for (lanes, zmm), tol in itertools.product(wide, tols)
        }

    def build(self, scenario: str, setting: Setting) -> None:
        for part in equations.parts(scenario, scenarios.people(64).varying):
            self.compiled(part.system, setting)

    def compiled(self, system: equations.System, setting: Setting) -> Compiled:
        """The integrator of a system, made once for a setting."""
        key = (id(system), *(v for _, v in sorted(setting.items())))
        if key in self.systems:
            return self.systems[key]
        names = [*(f"x{i}" for i in system.awake), *(f"u{a}" for a in range(len(system.agents)))]
        v = (
            dict(zip(names, hy.make_vars(*names), strict=True))
            if len(names) > 1
            else {names[0]: hy.make_vars(*names)}
        )
        scale = np.array(
            [setting["scale"] if i in self.seen else 1.0 for i in system.awake] + [10.0] * len(system.agents)
        )
        first = len(system.invariants)
        used = {n.tag[1] for n in trace.order([*system.rates.values()]) if n.op == "leaf" and n.tag[0] == "sign"}
        own = [k for k in used if k not in system.free]
        used |= {
            n.tag[1] for k in own for n in trace.order([system.signs[k]]) if n.op == "leaf" and n.tag[0] == "sign"
        }
        signs = {k: first + 2 * len(system.agents) + row for row, k in enumerate(sorted(used))}
        unit = dict(zip(names, scale.tolist(), strict=True))

        def leaf(node: Node) -> Any:
            kind, *rest = node.tag
            if kind == "t":
                return hy.time
            if kind == "inv":
                return hy.par[rest[0]]
            if kind == "sign":
                return hy.par[signs[rest[0]]]
            name = f"x{rest[0]}" if kind == "x" else f"u{system.agents.index(rest[0])}"
            return v[name] if unit[name] == 1.0 else unit[name] * v[name]

        flows = expressions([system.rates[i] for i in system.awake], leaf)
        rates = [(v[n], f if unit[n] == 1.0 else f / unit[n]) for n, f in zip(names, flows, strict=False)]
        rates += [
            (v[f"u{a}"], hy.par[first + 2 * a + 1] - hy.par[first + 2 * a] * v[f"u{a}"])
            for a in range(len(system.agents))
        ]
        events = [hy.t_event_batch(expressions([system.signs[k]], leaf)[0], callback=Flip(signs[k])) for k in own]
        lanes, count = setting["lanes"], first + 2 * len(system.agents) + len(signs)
        ta = hy.taylor_adaptive_batch(
            rates, state=np.ones((len(names), lanes)), pars=np.ones((count, lanes)), tol=setting["tol"],
            fast_math=True, compact_mode=False, force_avx512=setting["avx512"],
            **({"t_events": events} if events else {}),
        )  # fmt: skip
        self.systems[key] = Compiled(ta, system, scale, signs)
        return self.systems[key]

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        lanes, n = setting["lanes"], cohort.n
        who = equations.order(cohort)
        who = np.concatenate([who, np.repeat(who[-1:], -n % lanes)])
        people = cohort.take(who)
        out = np.empty((len(scenarios.OUTPUTS), n))
        out[:, who] = equations.density(Run(self, scenario, people, setting).all(), people)
        return out


class Run:
    """One cohort through the systems, batch by batch."""

    def __init__(self, engine: Engine, scenario: str, people: Cohort, setting: Setting) -> None:
        self.people, self.lanes = people, setting["lanes"]
        parts = equations.parts(scenario, people.varying)
        self.parts = [(part.piece, engine.compiled(part.system, setting)) for part in parts]
        self.gains = equations.gains(scenario, people)
        self.kinks = equations.kinks(people)
        self.values: dict[int, np.ndarray] = {}
        for _, made in self.parts:
            if id(made) not in self.values:
                self.values[id(made)] = made.system.values(people)

    def all(self) -> np.ndarray:
        """States [output, state, person]."""
        found = np.zeros((len(scenarios.OUTPUTS), N, self.people.n))
        for first in range(0, self.people.n, self.lanes):
            self._batch(slice(first, first + self.lanes), found)
        return found

    def _batch(self, here: slice, found: np.ndarray) -> None:
        x = self.people.x0[:, here].copy()
        u = {agent: np.zeros(self.lanes) for agent in self.gains}
        piece, made = self.parts[0]
        time = np.full(self.lanes, piece.start)
        self._enter(made, here, time, x, u)
        for stop in [*self.kinks[:, here], np.zeros(self.lanes)]:
            self._signs(made, here, (time + stop) / 2, x, u)
            made.ta.propagate_until(stop)
            time = stop
            x[list(made.system.awake)] = made.ta.state[: len(made.system.awake)] * self._unit(made)
        for i, t in enumerate(scenarios.OUTPUTS):
            if t == 0:
                found[i, :, here] = x
        before = made
        for piece, made in self.parts[1:]:
            self._leave(before, x, u)
            for agent, dose in piece.dose.items():
                u[agent] = u[agent] + self.gains[agent][0][here] * dose
            self._enter(made, here, piece.start, x, u)
            self._inflow(made, here, piece.inflow)
            self._signs(made, here, piece.start, x, u, until=piece.stop)
            self._through(made, piece, here, found)
            before = made

    def _unit(self, made: Compiled) -> np.ndarray:
        return made.scale[: len(made.system.awake), None]

    def _leave(self, made: Compiled, x: np.ndarray, u: dict[str, np.ndarray]) -> None:
        awake = len(made.system.awake)
        x[list(made.system.awake)] = made.ta.state[:awake] * self._unit(made)
        for agent in u:
            u[agent] = np.zeros(self.lanes)
        for a, agent in enumerate(made.system.agents):
            u[agent] = made.ta.state[awake + a] * made.scale[awake + a]

    def _enter(self, made: Compiled, here: slice, time: Any, x: np.ndarray, u: dict[str, np.ndarray]) -> None:
        ta, system = made.ta, made.system
        ta.set_time(time)
        awake, first = len(system.awake), made.first
        ta.state[:awake] = x[list(system.awake)] / self._unit(made)
        ta.pars[:first] = self.values[id(made)][:, here]
        for a, agent in enumerate(system.agents):
            ta.state[awake + a] = u[agent] / made.scale[awake + a]
            ta.pars[first + 2 * a] = self.gains[agent][1][here]
            ta.pars[first + 2 * a + 1] = 0.0
        if ta.with_events:
            ta.reset_cooldowns()

    def _inflow(self, made: Compiled, here: slice, inflow: dict[str, float]) -> None:
        first = made.first
        for a, agent in enumerate(made.system.agents):
            rate = self.gains[agent][0][here] * inflow.get(agent, 0.0)
            made.ta.pars[first + 2 * a + 1] = rate / made.scale[len(made.system.awake) + a]

    def _signs(
        self,
        made: Compiled,
        here: slice,
        time: Any,
        x: np.ndarray,
        u: dict[str, np.ndarray],
        until: float | None = None,
    ) -> None:
        """Signs that rest on time as in the middle of the piece, others as at its start."""
        if not made.signs:
            return
        inv = self.values[id(made)][:, here]
        signs = made.system.sign(time, x, u, inv)
        if until is not None:
            middle = made.system.sign((time + until) / 2, x, u, inv)
            rows = sorted(made.system.free)
            signs[rows] = middle[rows]
        for k, row in made.signs.items():
            made.ta.pars[row] = signs[k]

    def _through(self, made: Compiled, piece: Any, here: slice, found: np.ndarray) -> None:
        if not piece.outputs:
            made.ta.propagate_until(piece.stop)
            return
        stops = [piece.start, *(scenarios.OUTPUTS[i] for i in piece.outputs)]
        stops += [piece.stop] if stops[-1] < piece.stop else []
        seen = made.ta.propagate_grid(np.repeat(np.array(stops)[:, None], self.lanes, axis=1))[1]
        awake = list(made.system.awake)
        for k, i in enumerate(piece.outputs):
            found[i, awake, here] = seen[1 + k, : len(awake)] * self._unit(made)
