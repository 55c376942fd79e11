"""heyoka: Taylor's method, compiled by LLVM, many people in the lanes of vector registers.

The equations are written so that few products of series remain: every rational term is one division, e.g.
s/(s_pC + s)·C* = C* − s_pC·(C*/(s_pC + s)), and estrogen enters as 1/(A + t). All coefficients are single parameters.
Denosumab's saturating effect is a closed form in time, romosozumab and alendronate are linear states. A channel that
is silent is left out, by a system of its own. States are scaled by their values at rest and by a factor, since the
step follows from the norm of all of them; both this factor and the tolerance (which sets the order) are tuned.
People are sorted, so that those who share a batch take like steps.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np

import scenarios
from engines.base import Levels, Piece, Setting, levels, menopause, pieces
from osteon.engine.cohort import Cohort

REST = {
    "pB": 216.0, "B": 107.0, "Y": 612.0, "pC": 1724.0, "C": 42.0, "s": 11093.0, "rho": 1.0, "c": 0.8,
    "bound": 11093.0, "romo": 3.0, "alen": 0.1,
}  # fmt: skip
"""What a state is near to."""
NAMES = list(REST)
FROM_X0 = {"pB": 0, "B": 1, "Y": 2, "pC": 3, "C": 4, "s": 5, "rho": 7, "c": 8, "bound": 6}
SILENT = {"romosozumab": 320.0, "denosumab": 800.0}
"""Days after the last dose from which an agent is left out: 20 half-lives of whoever eliminates it slowest."""


@dataclass
class System:
    """A compiled integrator for a set of agents, with the names of its states and parameters."""

    ta: Any
    states: list[str]
    pars: list[str]

    @property
    def rows(self) -> list[int]:
        return [NAMES.index(n) for n in self.states]


def equations(late: bool, agents: tuple[str, ...]) -> tuple[list[tuple[Any, Any]], list[str], list[str]]:
    """The equations after (`late`) or before the menopause, with their states' and parameters' names."""
    romo, deno, alen = (name in agents for name in ("romosozumab", "denosumab", "alendronate"))
    states = ["pB", "B", "Y", "pC", "C", "s", "rho"]
    states += ["c"] * (deno or alen) + ["bound", "romo"] * romo + ["alen"] * alen
    v: dict[str, Any] = dict(zip(states, hy.make_vars(*states), strict=True))
    known: dict[str, Any] = {}

    def par(name: str) -> Any:
        return known.setdefault(name, hy.par[len(known)])

    t = hy.time
    to_B = par("to_B") * (v["pB"] / (par("s_pB") + v["s"]))
    ready = v["pC"] - par("s_pC") * (v["pC"] / (par("s_pC") + v["s"]))
    own = v["C"] - par("r_C") + par("r_C²") / (par("r_C") + v["C"])
    if late:
        to_C = par("to_C") * ready - par("to_C e") * (ready / (par("e_pC") + t))
        own = par("own e") * (own / (par("e_C") + t))
        made = par("made") * v["Y"] - par("made e") * (v["Y"] / (par("e_s") + t))
    else:
        to_C, own, made = par("to_C 1") * ready, par("own 1") * own, par("made 1") * v["Y"]
    if deno:
        bound = 1.0 / (1.0 + hy.exp(par("k_deno") * t + par("l_deno")))
        to_C = to_C - par("beta_pC") * (to_C * bound)
    grown = (par("1+nu") * v["B"] - par("nu r") * (v["B"] / (par("r_Omega") + v["C"]))) / (par("s_Omega") + v["s"])
    rate = {
        "pB": par("in_pB") - to_B,
        "B": par("pB/B") * to_B - par("out_B") * v["B"],
        "Y": par("B/Y") * v["B"] - par("eta_Y") * v["Y"],
        "pC": par("in_pC") - to_C,
        "C": par("pC/C") * to_C - par("eta_C") * v["C"] - own,
        "s": made - par("kappa_s") * v["s"],
        "rho": par("lambda_B") * grown - par("lambda_C") * v["C"],
    }
    if alen:
        rate["C"] = rate["C"] - par("eta_bp") * (v["C"] - v["C"] / (1.0 + par("alen") * v["alen"]))
        rate["alen"] = par("in_alen") - par("k_alen") * v["alen"]
    if deno or alen:
        rate["c"] = par("in_c") - par("gamma") * v["c"] + (par("beta_b") * bound if deno else 0.0)
    if romo:
        caught = par("catch") * (v["romo"] * v["s"])
        rate["s"] = rate["s"] - caught + par("free") * v["bound"]
        rate["bound"] = par("s/bound") * caught - par("out_bound") * v["bound"]
        rate["romo"] = -par("k_romo") * v["romo"]
    return [(v[n], rate[n]) for n in states], states, list(known)


def coefficients(p: Any, S: dict[str, float]) -> dict[str, Any]:
    """Values of the equations' parameters, by name, for states in units of S; t in days from 65."""
    tau, kink = p.tau_e * scenarios.YEAR, (p.a_e - scenarios.DRUG_AGE) * scenarios.YEAR
    half = np.log(2.0)
    return {
        "to_B": p.omega_pB * p.s_pB / S["s"], "s_pB": p.s_pB / S["s"], "s_pC": p.s_pC / S["s"],
        "r_C": p.r_C / S["C"], "r_C²": (p.r_C / S["C"]) ** 2,
        "e_pC": (1 + p.e_pC) * tau / p.e_pC - kink, "e_s": (1 + p.e_s) * tau / p.e_s - kink,
        "e_C": (1 + p.e_C) * tau / p.e_C - kink,
        "to_C": p.omega_pC, "to_C e": p.omega_pC * tau / p.e_pC, "to_C 1": p.omega_pC * p.e_pC / (p.e_pC + 1),
        "own e": p.eta_C * p.nu_C * tau / p.e_C, "own 1": p.eta_C * p.nu_C / (p.e_C + 1),
        "made": S["Y"] / S["s"], "made e": S["Y"] / S["s"] * tau / p.e_s,
        "made 1": S["Y"] / S["s"] * p.e_s / (p.e_s + 1),
        "beta_pC": p.beta_pC_rAb, "1+nu": 1 + p.nu_Omega, "nu r": p.nu_Omega * p.r_Omega / S["C"],
        "r_Omega": p.r_Omega / S["C"], "s_Omega": p.s_Omega / S["s"],
        "lambda_B": p.lambda_B * p.s_Omega * S["B"] / S["s"] / S["rho"], "lambda_C": p.lambda_C * S["C"] / S["rho"],
        "in_pB": 1 / S["pB"], "pB/B": S["pB"] / S["B"], "out_B": p.eta_B + p.omega_B,
        "B/Y": p.omega_B * S["B"] / S["Y"], "eta_Y": p.eta_Y, "in_pC": 1 / S["pC"], "pC/C": S["pC"] / S["C"],
        "eta_C": p.eta_C, "kappa_s": p.kappa_s, "eta_bp": p.eta_C_bp, "alen": S["alen"],
        "in_c": p.gamma * p.c_0 / S["c"], "gamma": p.gamma, "beta_b": p.gamma * p.beta_b_rAb / S["c"],
        "catch": p.kappa_s * S["romo"], "free": p.delta_s * S["bound"] / S["s"], "s/bound": S["s"] / S["bound"],
        "out_bound": p.delta_s + p.kappa_s, "k_romo": half / p.T_romo, "k_alen": half / p.T_alen,
        "k_deno": half / p.T_deno, "l_deno": 0.0, "in_alen": 0.0,
    }  # fmt: skip


class Engine:
    """heyoka's batch integrator."""

    label = "heyoka (Taylor, batch)"
    people = 2048
    fewest = 2048

    def __init__(self) -> None:
        self.systems: dict[Any, System] = {}

    def version(self) -> str:
        return str(hy.__version__)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        """Batches, orders (by tolerance) and scales of the states."""
        wide = [(32, True)] if quick else [(32, False), (16, False), (32, True), (16, True), (8, False)]
        tols = [1e-3, 1e-4] if quick else [1e-3, 1e-4, 1e-5, 1e-2]
        scales = [0.002, 0.005, 0.02, 0.05] if quick else [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
        return {
            f"batch {lanes}, tol {tol:g}{', 512-bit' if wide_registers else ''}": [
                {"lanes": lanes, "tol": tol, "scale": s, "avx512": wide_registers} for s in scales
            ]
            for (lanes, wide_registers), tol in itertools.product(wide, tols)
        }

    def build(self, scenario: str, setting: Setting) -> None:
        for late, agents in self._plan(scenario):
            self._system(late, agents, setting)

    def _plan(self, scenario: str) -> list[tuple[bool, tuple[str, ...]]]:
        needed = [active(piece, pieces(scenario)) for piece in pieces(scenario)]
        return list(dict.fromkeys([(False, ()), (True, ()), *((True, agents) for agents in needed)]))

    def _system(self, late: bool, agents: tuple[str, ...], setting: Setting) -> System:
        key = (late, agents, setting["lanes"], setting["tol"], setting["avx512"])
        if key not in self.systems:
            system, states, pars = equations(late, agents)
            lanes = setting["lanes"]
            zeros = np.zeros((len(states), lanes)), np.zeros((len(pars), lanes))
            ta = hy.taylor_adaptive_batch(
                system, state=zeros[0], pars=zeros[1], tol=setting["tol"], fast_math=True, compact_mode=False,
                force_avx512=setting["avx512"],
            )  # fmt: skip
            self.systems[key] = System(ta, states, pars)
        return self.systems[key]

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        lanes, n = setting["lanes"], cohort.n
        who = np.lexsort((cohort.p.kappa_s, np.floor(cohort.p.a_e)))
        who = np.concatenate([who, np.repeat(who[-1:], -n % lanes)])
        found = Run(self, scenario, cohort.take(who), setting).all()
        out = np.empty((len(found), n))
        out[:, who] = found
        return out


@dataclass
class Doing:
    """What is set at the start of a piece: parameters by row, romosozumab's dose, the grid of its outputs."""

    pars: list[tuple[int, np.ndarray]]
    romo: np.ndarray | None
    grid: np.ndarray | None
    romo_row: int
    c_row: int


def active(piece: Piece, course: list[Piece]) -> tuple[str, ...]:
    """Agents that count in a piece."""
    last = {agent: p.start for p in course for agent in p.dose}
    return tuple(a for a in piece.given if a not in SILENT or piece.start < last[a] + SILENT[a])


class Run:
    """One cohort through the systems, batch by batch."""

    def __init__(self, engine: Engine, scenario: str, people: Cohort, setting: Setting) -> None:
        self.lanes = setting["lanes"]
        self.people, self.n = people, people.n
        # Scaled states are near `scale`, bone density near 1: the smaller the scale, the less the others weigh.
        self.S = {name: value / (1.0 if name == "rho" else setting["scale"]) for name, value in REST.items()}
        self.values = coefficients(people.p, self.S)
        course = pieces(scenario)
        self.course = [(piece, engine._system(True, active(piece, course), setting)) for piece in course]
        self.early, self.late = (engine._system(late, (), setting) for late in (False, True))
        self.tables: dict[int, np.ndarray] = {}
        for system in (self.early, self.late, *(s for _, s in self.course)):
            if id(system) not in self.tables:
                rows = [np.broadcast_to(self.values[name], self.n) for name in system.pars]
                self.tables[id(system)] = np.ascontiguousarray(rows)
        self.y = np.zeros((len(NAMES), self.n))
        for name, row in FROM_X0.items():
            self.y[NAMES.index(name)] = people.x0[row] / self.S[name]
        self.kink = menopause(people)
        self.times = np.array(scenarios.OUTPUTS)
        self.rows = {id(system): system.rows for system in (self.late, *(s for _, s in self.course))}
        known = levels(scenario, people)
        self.doings = [self._doing(k, piece, system, known) for k, (piece, system) in enumerate(self.course)]

    def _doing(self, k: int, piece: Piece, system: System, known: Levels) -> Doing:
        """All that does not change from batch to batch, and everyone's numbers for this piece."""
        pars: list[tuple[int, np.ndarray]] = []
        if "l_deno" in system.pars:
            log_psi = -np.log(known.amplitude[k, 1]) - known.decay[1] * piece.start
            pars.append((system.pars.index("l_deno"), log_psi))
        if "in_alen" in system.pars:
            pars.append((system.pars.index("in_alen"), known.plateau[k, 2] * known.decay[2] / self.S["alen"]))
        romo = None
        if "romosozumab" in piece.dose:
            romo = np.broadcast_to(self.people.p.E_romo * piece.dose["romosozumab"] / self.S["romo"], self.n)
        grid = None
        if piece.outputs:
            stops = [piece.start, *(self.times[i] for i in piece.outputs)]
            stops += [piece.stop] if stops[-1] < piece.stop else []
            grid = np.repeat(np.array(stops)[:, None], self.lanes, axis=1)
        row = {name: system.states.index(name) for name in ("romo", "c") if name in system.states}
        return Doing(pars, romo, grid, row.get("romo", -1), row.get("c", -1))

    def all(self) -> np.ndarray:
        """BMD[output, person]."""
        bmd = np.empty((len(self.times), self.n))
        bmd[0] = self.people.x0[7] * self.people.x0[8]
        c_0 = np.broadcast_to(self.people.p.c_0, self.n)
        for first in range(0, self.n, self.lanes):
            here = slice(first, first + self.lanes)
            self._before(here, bmd[:, here])
            bmd[1 : scenarios.REFERENCE + 1, here] *= c_0[here]
            self._after(here, bmd[:, here], c_0[here])
        return bmd

    def _enter(self, system: System, here: slice, time: Any, state: np.ndarray) -> Any:
        ta = system.ta
        ta.set_time(time)
        ta.state[:] = state
        ta.pars[:] = self.tables[id(system)][:, here]
        return ta

    def _before(self, here: slice, bmd: np.ndarray) -> None:
        """From 45 to 65. Each lane has its own kink, so its own number of outputs before it; where they differ within
        the batch, extra points fill the grid up."""
        kink, times = self.kink[here], self.times[: scenarios.REFERENCE + 1]
        counts = np.searchsorted(times, kink)
        early, late = _grids(times, kink, counts)
        ta = self._enter(self.early, here, times[0], self.y[self.early.rows, here])
        rho = ta.propagate_grid(early)[1][:, 6]
        _pick(bmd, rho, counts, first=True)
        ta = self._enter(self.late, here, kink, ta.state)
        rho = ta.propagate_grid(late)[1][:, 6]
        _pick(bmd, rho, counts, first=False)

    def _after(self, here: slice, bmd: np.ndarray, c_0: np.ndarray) -> None:
        """From 65 on, with the drugs."""
        y = self.y[:, here].copy()
        before = self.late
        for (piece, system), do in zip(self.course, self.doings, strict=True):
            ta = system.ta
            if system is not before:
                y[self.rows[id(before)]] = before.ta.state
                self._enter(system, here, piece.start, y[self.rows[id(system)]])
                before = system
            else:
                ta.set_time(piece.start)  # where it stands but for rounding
            for row, value in do.pars:
                ta.pars[row] = value[here]
            if do.romo is not None:
                ta.state[do.romo_row] += do.romo[here]
            if do.grid is None:
                ta.propagate_until(piece.stop)
                continue
            count = len(piece.outputs)
            found = ta.propagate_grid(do.grid)[1][1 : 1 + count]
            c = found[:, do.c_row] * self.S["c"] if do.c_row >= 0 else c_0
            first = piece.outputs[0]
            np.multiply(found[:, 6], c, out=bmd[first : first + count])


def _grids(times: np.ndarray, kink: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grids [point, lane] from the first output to the kink, and from there to the last output."""
    most, least = int(counts.max()), int(counts.min())
    early, late = np.empty((most + 1, len(kink))), np.empty((len(times) - least + 1, len(kink)))
    early[:most], late[1:] = times[:most, None], times[least:, None]
    early[-1] = late[0] = kink
    for j in np.flatnonzero((counts < most) | (counts > least)):
        count = counts[j]
        early[count - 1 : most, j] = np.linspace(times[count - 1], kink[j], most - count + 2)[:-1]
        late[: count - least + 1, j] = np.linspace(kink[j], times[count], count - least + 2)[:-1]
    return early, late


def _pick(bmd: np.ndarray, found: np.ndarray, counts: np.ndarray, *, first: bool) -> None:
    """Put a grid's outputs where they belong, without the points that filled it up."""
    last = scenarios.REFERENCE + 1
    for count in np.unique(counts):
        lanes = np.flatnonzero(counts == count) if len(counts) > 1 else slice(None)
        if first:
            bmd[1:count, lanes] = found[1:count, lanes]
        else:
            bmd[count:last, lanes] = found[len(found) - (last - count) :, lanes]
