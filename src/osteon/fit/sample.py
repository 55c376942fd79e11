"""A sample of the posterior by emcee: some ensembles of walkers side by side, in coordinates y in which the posterior
is near N(0, 1) at its top. Most moves are those of the preconditioned Crank-Nicolson scheme,

    y' = sqrt(1 - b²) y + b n,   n ~ N(0, 1),   accepted by how far the posterior departs from N(0, 1),

whose steps need not shrink with the number of coordinates; the rest are differential evolution, for where the
posterior is not round. Convergence is told by R-hat between the ensembles and by the effective sample size. Trial
effects are integrated out, so that they cost no dimension. The ensembles go in step, so that one call of the model
does for all of them; each has random numbers of its own, and the sample is that of one after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from osteon.errors import InputError
from osteon.fit.optimise import Found
from osteon.fit.problem import Problem

ENSEMBLES = 4
WARM_UP = 0.4  # of the rounds, left out
STEPS = {0.15: 0.2, 0.35: 0.3, 0.6: 0.3}  # b of the moves and how often: wide and narrow, as y is not quite N(0, 1)
START = 0.9  # spread of the walkers at the start, in posterior widths by the Jacobian
CAP = 8.0  # widths from the top beyond which nothing is thought probable


@dataclass
class Posterior:
    """Draws [draw, coordinate] and how far the sample has converged, coordinate by coordinate."""

    z: np.ndarray
    r_hat: np.ndarray
    effective: np.ndarray
    accepted: float


def sample(
    problem: Problem,
    found: Found,
    *,
    rounds: int,
    draws: int,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Posterior:
    """Draws from the posterior round a fit. Needs emcee (`pip install "osteon[fit]"`)."""
    try:
        import emcee
    except ImportError:
        raise InputError('a posterior sample needs emcee; install it with: pip install "osteon[fit]"') from None

    d = problem.count
    top = found.z[:d]
    widths = np.linalg.cholesky(np.linalg.inv(found.jacobian.T @ found.jacobian)[:d, :d])
    walkers = 2 * (d + 2)

    def log_probability(y: np.ndarray) -> np.ndarray:
        misfit = problem.misfit(top + y @ widths.T)
        far = (np.abs(y) > CAP * 3).any(axis=1) | ~np.isfinite(misfit)
        return np.where(far, -np.inf, -misfit)

    together = Together(log_probability, ENSEMBLES)

    def run(ensemble: int) -> tuple[np.ndarray, float]:
        rng = np.random.default_rng([seed, ensemble])
        moves = [(emcee.moves.MHMove(crank_nicolson(b)), share) for b, share in STEPS.items()]
        moves += [(emcee.moves.DEMove(), 1 - sum(STEPS.values()))]
        sampler = emcee.EnsembleSampler(walkers, d, together, moves=moves, vectorize=True)
        sampler.random_state = np.random.RandomState(int(rng.integers(2**31))).get_state()
        state = START * rng.standard_normal((walkers, d))
        with together:
            for i, _ in enumerate(sampler.sample(state, iterations=rounds)):
                if progress is not None and ensemble == 0:  # they go side by side
                    progress((i + 1) / rounds)
        return sampler.get_chain(discard=int(WARM_UP * rounds)), float(np.mean(sampler.acceptance_fraction))

    with ThreadPoolExecutor(ENSEMBLES) as pool:
        kept, accepted = zip(*pool.map(run, range(ENSEMBLES)), strict=True)
    chains = np.array(kept)  # [ensemble, round, walker, coordinate]
    tau = np.mean([_time(c) for c in chains], axis=0)
    whole = chains.reshape(-1, d)
    pick = np.random.default_rng(seed).choice(len(whole), size=min(draws, len(whole)), replace=False)
    return Posterior(top + whole[np.sort(pick)] @ widths.T, r_hat(chains), len(whole) / tau, float(np.mean(accepted)))


class Together:
    """A function of rows [row, column] that several threads call, each of which enters it as a context: it waits
    until all of them ask, and answers them at once, which costs little more than to answer one."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], threads: int) -> None:
        self._function, self._active, self._round = function, threads, 0
        self._asked: list[np.ndarray] = []
        self._answers: list[np.ndarray] = []
        self._failed: BaseException | None = None
        self._turn = threading.Condition()

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._active -= 1
            self._answer()

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        with self._turn:
            place, mine = len(self._asked), self._round
            self._asked.append(rows)
            self._answer()
            while self._round == mine:
                self._turn.wait()
            if self._failed is not None:
                raise self._failed
            return self._answers[place]

    def _answer(self) -> None:
        """Answer when all ask who still do. No answer is lost: the next round needs all to ask again."""
        if not self._asked or len(self._asked) < self._active:
            return
        try:
            ends = np.cumsum([len(rows) for rows in self._asked])[:-1]
            self._answers = np.split(self._function(np.concatenate(self._asked)), ends)
        except BaseException as problem:
            self._failed = problem
        self._asked, self._round = [], self._round + 1
        self._turn.notify_all()


def crank_nicolson(
    b: float,
) -> Callable[[np.ndarray, np.random.RandomState], tuple[np.ndarray, np.ndarray]]:
    """A proposal of emcee: from walkers [walker, coordinate] to new ones, and the logarithm of how much more often
    the way back is proposed than the way there."""

    def propose(y: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        new = np.sqrt(1 - b**2) * y + b * rng.standard_normal(y.shape)
        return new, 0.5 * ((new**2).sum(axis=1) - (y**2).sum(axis=1))

    return propose


def _time(chain: np.ndarray) -> np.ndarray:
    """Integrated autocorrelation time per coordinate; emcee's remark on short chains is for `effective` to tell."""
    import emcee

    log = logging.getLogger()
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with np.errstate(invalid="ignore"):
            return np.asarray(emcee.autocorr.integrated_time(chain, quiet=True))
    finally:
        log.setLevel(before)


def r_hat(chains: np.ndarray) -> np.ndarray:
    """Split R-hat of Gelman and Rubin per coordinate: every half of every ensemble's run is one chain."""
    half = chains.shape[1] // 2
    parts = [part.reshape(-1, chains.shape[-1]) for c in chains for part in (c[:half], c[half : 2 * half])]
    n = len(parts[0])
    within = np.mean([p.var(axis=0, ddof=1) for p in parts], axis=0)
    between = n * np.var([p.mean(axis=0) for p in parts], axis=0, ddof=1)
    return np.asarray(np.sqrt(((n - 1) / n * within + between / n) / within))
