"""The right-hand side for engines that call one, compiled by numba; and a person's numbers for it as one array."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

import scenarios
from engines.base import LEVELS, Levels
from osteon.engine.cohort import Cohort

FIELDS = scenarios.MODEL.parameters()._fields
AT = {name: i for i, name in enumerate(FIELDS)}
N = len(FIELDS)
LEVEL = N  # amplitude, plateau, decay of each agent, then the piece's start
SIZE = N + 3 * len(LEVELS) + 1
BIRTHDAY = scenarios.DRUG_AGE * scenarios.YEAR

(S_PB, W_PB, E_PC, W_PC, S_PC, E_S, E_C, R_C, NU_C, ETA_B, W_B, ETA_Y, ETA_C, ETA_BP, KAPPA, DELTA, BETA_PC, BETA_B,
 GAMMA, C_0, L_B, L_C, S_O, R_O, NU_O, A_E, TAU) = (AT[n] for n in (
    "s_pB", "omega_pB", "e_pC", "omega_pC", "s_pC", "e_s", "e_C", "r_C", "nu_C", "eta_B", "omega_B", "eta_Y", "eta_C",
    "eta_C_bp", "kappa_s", "delta_s", "beta_pC_rAb", "beta_b_rAb", "gamma", "c_0", "lambda_B", "lambda_C", "s_Omega",
    "r_Omega", "nu_Omega", "a_e", "tau_e"))  # fmt: skip
YEAR = scenarios.YEAR


@njit(cache=False, error_model="numpy", fastmath=True)
def rates(t, x, d, q):
    """Derivatives of the nine states at t (days from 65) into d."""
    since = t - q[SIZE - 1]
    romo = deno = alen = 0.0
    if q[LEVEL] != 0.0:
        romo = q[LEVEL] * math.exp(-q[LEVEL + 6] * since)
    if q[LEVEL + 1] != 0.0:
        deno = q[LEVEL + 1] * math.exp(-q[LEVEL + 7] * since)
    alen = q[LEVEL + 5]
    if q[LEVEL + 2] != 0.0:
        alen += q[LEVEL + 2] * math.exp(-q[LEVEL + 8] * since)
    past = max((t + BIRTHDAY) / YEAR - q[A_E], 0.0)
    e = 1.0 / (1.0 + past / q[TAU])
    rab, bp = deno / (1.0 + deno), alen / (1.0 + alen)
    pB, B, Y, pC, C, s, bound, c = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[8]
    to_B = q[W_PB] * q[S_PB] / (q[S_PB] + s) * pB
    to_C = q[W_PC] * q[E_PC] * s / ((q[E_PC] + e) * (q[S_PC] + s)) * (1.0 - q[BETA_PC] * rab) * pC
    d[0] = 1.0 - to_B
    d[1] = to_B - (q[ETA_B] + q[W_B]) * B
    d[2] = q[W_B] * B - q[ETA_Y] * Y
    d[3] = 1.0 - to_C
    d[4] = to_C - q[ETA_C] * (1.0 + q[NU_C] * e * C / ((q[E_C] + e) * (q[R_C] + C))) * C - q[ETA_BP] * bp * C
    d[5] = q[E_S] / (q[E_S] + e) * Y - q[KAPPA] * (1.0 + romo) * s + q[DELTA] * bound
    d[6] = q[KAPPA] * romo * s - (q[DELTA] + q[KAPPA]) * bound
    d[7] = q[L_B] * q[S_O] / (q[S_O] + s) * (1.0 + q[NU_O] * C / (q[R_O] + C)) * B - q[L_C] * C
    d[8] = q[GAMMA] * (q[C_0] + q[BETA_B] * rab - c)


def numbers(cohort: Cohort) -> np.ndarray:
    """Parameters [person, SIZE], no drug on board."""
    q = np.zeros((cohort.n, SIZE))
    for i, value in enumerate(cohort.p):
        q[:, i] = value
    return q


def set_levels(q: np.ndarray, levels: Levels, piece: int, person: int) -> None:
    """Put the levels of a piece into one person's numbers; a level under 1e-12 of its plateau or alone is none."""
    if piece < 0:
        return
    amplitude = levels.amplitude[piece, :, person]
    q[N : N + 3] = np.where(np.abs(amplitude) < 1e-12, 0.0, amplitude)
    q[N + 3 : N + 6], q[N + 6 : N + 9] = levels.plateau[piece, :, person], levels.decay[:, person]
    q[SIZE - 1] = levels.starts[piece]
