"""Jörg et al. 2022, *Modeling osteoporosis to design and optimize pharmacological therapies comprising
multiple drug types*, eLife 11:e76228, exactly as published (authors' exact parameters, not the rounded table).

States (dimensionless; time in days since birth; a year of this model is 365 d):
pre-osteoblasts B*, osteoblasts B, osteocytes Y, pre-osteoclasts C*, osteoclasts C, free sclerostin s,
antibody-bound sclerostin s*, bone density ρ, bone mineral content c. With g⁺(u) = u/(1+u), g⁻(u) = 1/(1+u),
estrogen e = 1/(1 + max(age − a_e, 0)/τ_e) and exposures Ψ to sclerostin antibody (s), RANKL antibody (r),
bisphosphonate (b) and PTH analogue (p):

    f_B = ω_B* g⁻(s/s_B*) B*                                   dB*/dt = 1 − f_B
    f_Y = ω_B B                                                dB/dt  = f_B − η_B [1 − β_B^pth g⁺(Ψ_p)] B − f_Y
    f_C = ω_C* g⁻(e/e_C*) g⁺(s/s_C*)                           dY/dt  = f_Y − η_Y Y
          · [1 − β_C^rAb g⁺(Ψ_r)] [1 + β_C^pth g⁺(Ψ_p)] C*     dC*/dt = 1 − f_C
    b⁺ = λ_B g⁻(s/s_Ω) [1 + ν_Ω g⁺(C/r_Ω)] B                   dC/dt  = f_C − η_C [1 + ν_C g⁺(e/e_C) g⁺(C/r_C)] C
    b⁻ = λ_C C                                                          − η_C^bp g⁺(Ψ_b) C
    ds/dt  = g⁻(e/e_s) Y − κ_s (1 + Ψ_s) s + δ_s s*            ds*/dt = κ_s Ψ_s s − (δ_s + κ_s) s*
    dρ/dt  = b⁺ − b⁻                                           dc/dt  = γ [c_0 + β_b^rAb g⁺(Ψ_r) − c]

BMD = ρ c, compared with total hip; CTX = (b⁻)^q, P1NP and BSAP = (b⁺)^q. Drugs of a class add their exposures.
The bisphosphonate term stands outside the bracket, as in the authors' code (the paper's Eq. 26 puts it inside;
the difference is at most 1.2e-4). Exposure has the exact closed form; the authors' own numerics for windows
(a 14-day grid that drops the last fortnight) are not repeated. The method is the subject of the published
patent application WO 2021/231374 A1, on which four of the authors are named as inventors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osteon import parameters
from osteon.engine.exposure import Kinetics

YEAR_DAYS = 365.0
REFERENCE_AGE = 25.0  # years; BMD is quoted relative to this age

SCLEROSTIN_ANTIBODY, RANKL_ANTIBODY, BISPHOSPHONATE, PTH_ANALOGUE = range(4)


class Jorg2022:
    """The published model in the form that osteon's engines run."""

    name = "jorg2022"
    title = "Jörg et al. 2022"
    citations: tuple[str, ...] = ("jorg2022",)
    year_days = age_days = YEAR_DAYS
    species: tuple[str, ...] = ("human",)
    age_range = (20.0, 100.0)
    states: tuple[str, ...] = ("pre_osteoblasts", "osteoblasts", "osteocytes", "pre_osteoclasts", "osteoclasts",
              "sclerostin", "bound_sclerostin", "bone_density", "mineral_content")  # fmt: skip
    channels: tuple[str, ...] = ("sclerostin antibody", "RANKL antibody", "bisphosphonate", "PTH analogue")
    endpoints: Mapping[str, str] = {
        "total_hip_bmd": "1",
        "ctx": "1",
        "p1np": "1",
        "bsap": "1",
        "formation": "1/day",
        "resorption": "1/day",
    }
    uses = frozenset({"age"})

    @property
    def parameter_hash(self) -> str:
        return parameters.load(self.name).hash

    def parameters(self, **changes: float) -> Any:
        return parameters.load(self.name).values_tuple(**changes)

    def traits(self, person: Any) -> dict[str, float]:
        """None: features of people are ignored."""
        return {}

    def of_person(self, person: Any) -> Any:
        """The one reference woman, whoever is asked for."""
        return self.parameters()

    def kinetics(self, p: Any) -> dict[str, Kinetics]:
        return {
            "romosozumab": Kinetics(SCLEROSTIN_ANTIBODY, p.E_romo, p.T_romo),
            "blosozumab": Kinetics(SCLEROSTIN_ANTIBODY, p.E_blo, p.T_blo),
            "denosumab": Kinetics(RANKL_ANTIBODY, p.E_deno, p.T_deno),
            "alendronate": Kinetics(BISPHOSPHONATE, p.E_alen, p.T_alen),
            "teriparatide": Kinetics(PTH_ANALOGUE, p.E_teri, p.T_teri),
        }

    def start(self, p: Any) -> tuple[float, list[float]]:
        """Birth: the drug-free fixed point at e = 1 with ρ = 1 and c = c_0, in closed form."""
        return 0.0, equilibrium(p)

    def rebalance(self, p: Any, excess: float | None = None) -> dict[str, Any]:
        """λ_C such that resorption exceeds formation at the equilibrium as in the published model (2.7 %), or by
        `excess` (0.02: two per cent)."""
        own = self.parameters()
        formation, resorption = turnover(equilibrium(own), own)
        ratio = resorption / formation if excess is None else 1.0 + excess
        formation, resorption = turnover(equilibrium(p), p)
        return {"lambda_C": p.lambda_C * ratio * formation / resorption}

    def kinks(self, p: Any) -> tuple[float, ...]:
        return (p.a_e * YEAR_DAYS,)

    def rates(self, x: Sequence[Any], exposure: Sequence[Any], t: Any, p: Any) -> tuple[list[Any], list[Any]]:
        return rates(x, exposure, t, p)

    def observe(self, x: Any, p: Any) -> dict[str, Any]:
        """BMD as a fraction of peak density, and the rates of formation and resorption."""
        formation, resorption = turnover(x, p)
        return {"total_hip_bmd": x[7] * x[8], "formation": formation, "resorption": resorption}

    def derive(self, observed: Mapping[str, Any], p: Any) -> dict[str, Any]:
        """BMD, markers and rates; every one positive."""
        formation, resorption = observed["formation"], observed["resorption"]
        return {
            "total_hip_bmd": observed["total_hip_bmd"],
            "ctx": resorption**p.q_CTX,
            "p1np": formation**p.q_P1NP,
            "bsap": formation**p.q_BSAP,
            "formation": formation,
            "resorption": resorption,
        }

    def read_out(self, x: Any, p: Any) -> dict[str, Any]:
        """End points from the states."""
        return self.derive(self.observe(x, p), p)


def estrogen(t: Any, p: Any) -> Any:
    """Estrogen relative to before the menopause; t in days since birth."""
    past = t / YEAR_DAYS - p.a_e
    past = (past + abs(past)) / 2  # max(past, 0) in plain arithmetic
    return 1.0 / (1.0 + past / p.tau_e)


def turnover(x: Sequence[Any], p: Any) -> tuple[Any, Any]:
    """Formation b⁺ and resorption b⁻ (1/d)."""
    B, C, s = x[1], x[4], x[5]
    coupling = 1.0 + p.nu_Omega * C / (p.r_Omega + C)
    return p.lambda_B * p.s_Omega / (p.s_Omega + s) * coupling * B, p.lambda_C * C


def rates(x: Sequence[Any], exposure: Sequence[Any], t: Any, p: Any) -> tuple[list[Any], list[Any]]:
    """Production and loss of the nine states: dx/dt = production − loss · x."""
    pB, B, Y, pC, C, s, bound, _, _ = x
    psi_s, psi_r, psi_b, psi_p = exposure
    e = estrogen(t, p)
    rab = psi_r / (1.0 + psi_r)
    pth = psi_p / (1.0 + psi_p)
    bp = psi_b / (1.0 + psi_b)

    to_B = p.omega_pB * p.s_pB / (p.s_pB + s)
    to_C = p.omega_pC * p.e_pC / (p.e_pC + e) * s / (p.s_pC + s)
    to_C = to_C * (1.0 - p.beta_pC_rAb * rab) * (1.0 + p.beta_pC_pth * pth)
    # Above Ψ_p = 3.3 the published death rate of osteoblasts turns negative; that part is production.
    death_B = p.eta_B * (1.0 - p.beta_B_pth * pth)
    growth_B = (abs(death_B) - death_B) / 2
    death_C = p.eta_C * (1.0 + p.nu_C * e / (p.e_C + e) * C / (p.r_C + C)) + p.eta_C_bp * bp
    formation, resorption = turnover(x, p)

    production = [
        1.0,
        to_B * pB + growth_B * B,
        p.omega_B * B,
        1.0,
        to_C * pC,
        p.e_s / (p.e_s + e) * Y + p.delta_s * bound,
        p.kappa_s * psi_s * s,
        formation - resorption,
        p.gamma * (p.c_0 + p.beta_b_rAb * rab),
    ]
    loss = [
        to_B,
        death_B + growth_B + p.omega_B,
        p.eta_Y,
        to_C,
        death_C,
        p.kappa_s * (1.0 + psi_s),
        p.delta_s + p.kappa_s,
        0.0,
        p.gamma,
    ]
    return production, loss


def equilibrium(p: Any) -> list[float]:
    """The fixed point without drugs at e = 1, ρ = 1, c = c_0."""
    B = 1.0 / (p.eta_B + p.omega_B)
    Y = p.omega_B * B / p.eta_Y
    s = p.e_s / (p.e_s + 1.0) * Y / p.kappa_s
    pB = (p.s_pB + s) / (p.omega_pB * p.s_pB)
    pC = (p.e_pC + 1.0) / p.e_pC * (p.s_pC + s) / s / p.omega_pC
    v = p.nu_C / (p.e_C + 1.0)
    a, b, c = p.eta_C * (1.0 + v), p.eta_C * p.r_C - 1.0, -p.r_C
    C = (-b + (b * b - 4.0 * a * c) ** 0.5) / (2.0 * a)
    return [pB, B, Y, pC, C, s, 0.0, 1.0, p.c_0]
