"""diffrax: people as a batch under vmap, compiled by XLA, in double precision on one thread.

A scan goes over the pieces between doses, outputs and the person's own kink; each is a solve of its own that starts
with the step that the one before took. People are sorted, so that those in a batch take like steps.
"""

from __future__ import annotations

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import scenarios
from engines import rhs
from engines.base import Setting, levels, menopause, pieces, tolerances
from engines.cvode import SCALE
from osteon.engine.cohort import Cohort

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
MOST = 64  # pieces
GROW = 1.2  # of the mean step of a piece, the first step of the next
P = {name: i for i, name in enumerate(rhs.FIELDS)}


def derivative(t: Any, y: Any, args: Any) -> Any:
    """Derivatives of the nine scaled states, at t in days from 65, in a piece (its levels and start)."""
    q, amplitude, plateau, decay, since, late = args
    psi = plateau + amplitude * jnp.exp(-decay * (t - since))
    pB, B, Y, pC, C, s, bound, _, c = (y[i] * SCALE[i] for i in range(9))

    def p(name: str) -> Any:
        return q[P[name]]

    e = 1.0 / (1.0 + late * (t - (p("a_e") - scenarios.DRUG_AGE) * scenarios.YEAR) / (p("tau_e") * scenarios.YEAR))
    rab, bp = psi[1] / (1.0 + psi[1]), psi[2] / (1.0 + psi[2])
    to_B = p("omega_pB") * p("s_pB") / (p("s_pB") + s) * pB
    to_C = p("omega_pC") * p("e_pC") * s / ((p("e_pC") + e) * (p("s_pC") + s)) * (1 - p("beta_pC_rAb") * rab) * pC
    own = p("nu_C") * e * C / ((p("e_C") + e) * (p("r_C") + C))
    rates = (
        1.0 - to_B,
        to_B - (p("eta_B") + p("omega_B")) * B,
        p("omega_B") * B - p("eta_Y") * Y,
        1.0 - to_C,
        to_C - p("eta_C") * (1.0 + own) * C - p("eta_C_bp") * bp * C,
        p("e_s") / (p("e_s") + e) * Y - p("kappa_s") * (1.0 + psi[0]) * s + p("delta_s") * bound,
        p("kappa_s") * psi[0] * s - (p("delta_s") + p("kappa_s")) * bound,
        p("lambda_B") * p("s_Omega") / (p("s_Omega") + s) * (1.0 + p("nu_Omega") * C / (p("r_Omega") + C)) * B
        - p("lambda_C") * C,
        p("gamma") * (p("c_0") + p("beta_b_rAb") * rab - c),
    )
    return tuple(r / float(SCALE[i]) for i, r in enumerate(rates))


class Waves:
    """diffrax with one of its solvers."""

    solver: Any = None
    label = ""
    people = 2048
    fewest = 1024
    quick_from = 0.00032
    first_step = 20.0

    def __init__(self) -> None:
        self.compiled: Any = None

    def version(self) -> str:
        return f"{diffrax.__version__}, jax {jax.__version__}"

    def ladder(self) -> list[float]:
        return tolerances(3e-3, 1e-6)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        batches = [self.fewest] if quick else sorted({256, self.fewest})
        return {
            f"batch {batch}": [{"batch": batch, "rtol": r, "atol": r} for r in self.ladder()] for batch in batches
        }

    def build(self, scenario: str, setting: Setting) -> None:
        self.solve(scenario, scenarios.people(setting["batch"]), setting)

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        n, batch = cohort.n, setting["batch"]
        who = np.lexsort((cohort.p.kappa_s, np.floor(cohort.p.a_e)))
        who = np.concatenate([who, np.repeat(who[-1:], -n % batch)])
        people = cohort.take(who)
        if self.compiled is None:
            self.compiled = jax.jit(jax.vmap(self.life, in_axes=(*(0,) * 7, None, None, None)))
        known, kink = levels(scenario, people), menopause(people)
        course = pieces(scenario)
        times = np.array(scenarios.OUTPUTS)
        fixed = np.unique(np.concatenate([times, [p.start for p in course]]))
        edges = np.sort(np.column_stack([np.tile(fixed, (people.n, 1)), kink]), axis=1)
        which = np.searchsorted(known.starts, edges[:, :-1], side="right") - 1
        q, x0 = rhs.numbers(people)[:, : rhs.N], (people.x0.T / SCALE)
        count = edges.shape[1] - 1
        # Padded to one shape, so that one compilation serves all scenarios and tolerances.
        edges = np.pad(edges, ((0, 0), (0, MOST - count)), mode="edge")
        which = np.pad(which, ((0, 0), (0, MOST - count)))
        spare = ((1, MOST - len(known.starts)), (0, 0), (0, 0))  # first, the time without drugs
        amplitude, plateau = (np.moveaxis(np.pad(v, spare), 2, 0) for v in (known.amplitude, known.plateau))
        starts = np.pad(known.starts, (1, MOST - len(known.starts)), constant_values=times[0])
        tol = (setting["rtol"], setting["atol"])
        found = np.empty((people.n, MOST))
        for first in range(0, people.n, batch):
            b = slice(first, first + batch)
            found[b] = self.compiled(
                x0[b], q[b], edges[b], which[b], known.decay.T[b], amplitude[b], plateau[b], starts, tol, count
            )
        out = np.empty((len(times), n))
        at = np.array([np.searchsorted(edges[i, : count + 1], times[1:]) - 1 for i in range(people.n)])
        out[0] = cohort.x0[7] * cohort.x0[8]
        out[1:, who] = np.take_along_axis(found, at, axis=1).T
        return out

    def life(
        self, x0: Any, q: Any, edges: Any, which: Any, decay: Any, amplitude: Any, plateau: Any, starts: Any,
        tol: Any, count: Any,
    ) -> Any:  # fmt: skip
        """One person through all pieces; BMD at the end of each."""
        kink = (q[P["a_e"]] - scenarios.DRUG_AGE) * scenarios.YEAR
        control = diffrax.PIDController(rtol=tol[0], atol=tol[1])
        term = diffrax.ODETerm(derivative)

        def piece(i: Any, carry: Any) -> Any:
            y, h, out = carry
            start, stop, k = edges[i], edges[i + 1], which[i] + 1
            late = jnp.where(start >= kink - 1e-3, 1.0, 0.0)
            sol = diffrax.diffeqsolve(
                term, self.solver(), start, stop, jnp.minimum(h, stop - start), y,
                (q, amplitude[k], plateau[k], decay, starts[k], late), stepsize_controller=control,
                saveat=diffrax.SaveAt(t1=True), max_steps=2_000, throw=False, adjoint=diffrax.ForwardMode(),
            )  # fmt: skip
            y = jax.tree.map(lambda v: v[0], sol.ys)
            steps = jnp.maximum(sol.stats["num_accepted_steps"], 1)
            return y, (stop - start) / steps * GROW, out.at[i].set(y[7] * y[8] * SCALE[8])

        carry = (tuple(x0[i] for i in range(9)), jnp.asarray(self.first_step), jnp.zeros(MOST))
        return jax.lax.fori_loop(0, count, piece, carry)[2]
