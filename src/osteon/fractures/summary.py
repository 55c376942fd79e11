"""Fractures in the summary of a study: the share of an arm with a first fracture by each visit, as a trial would see
it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osteon import tscores, uncertainty
from osteon.fractures.hazards import SITES, numbers, trial_values
from osteon.fractures.incidence import accumulate, expected_incidence
from osteon.fractures.people import YEAR_DAYS, courses, features
from osteon.fractures.relative import PLACES, terms
from osteon.person import Distribution

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

SAMPLES = 25  # trials drawn for each draw of the posterior


def incidence(result: xr.Dataset, study: Study, arm: str, kind: str) -> np.ndarray:
    """Share of an arm's people with a first fracture of a kind by each time [draw, time], death in competition.

    A Result of one person is taken for the mean of the study's people: ages and T-scores spread round it as the study
    says (T-scores by the usual SD of a trial where it says nothing), all on one course. Of several people it is the
    mean of their own chances. With several draws what treatment does to fractures is uncertain too."""
    values = trial_values()
    if result.sizes["person"] > 1:
        rates, deaths, fine, years = courses(result.sel(arm=[arm]), kind, values)
        chance = accumulate(rates, deaths, fine)[..., np.searchsorted(fine, years)]
        return np.asarray(chance[:, 0].mean(axis=1))
    one, years = result.sel(arm=arm), result["time"].to_numpy() / YEAR_DAYS
    age, male, _ = features(result)
    names = [f"{PLACES[kind]}_bmd", *(["ctx"] if "ctx" in result else [])]
    x = {name: one[name].to_numpy()[:, 0] for name in names}
    gain, drop = terms(kind, age[0], male[0], years, {name: row / row[:, :1] for name, row in x.items()}, values)
    luck = _normals(len(gain), 0) if len(gain) > 1 else np.zeros(1)
    bone = np.maximum(0.0, values[f"bone_effect_{kind}"] + values[f"bone_effect_sd_{kind}"] * luck)
    path = -bone[:, None] * gain - values[f"turnover_effect_{kind}"] * drop
    site = SITES[kind]
    mean, unit = tscores.references()[site]
    t = float((one[f"{site}_bmd"].isel(time=0).mean() - mean) / unit)
    asked = (study.people.t_score or {}).get(site)
    prior = study.people.prior_vertebral_fracture
    return expected_incidence(
        kind, years, float(age[0]), bool(male[0]), t, path,
        age_sd=study.people.age.sd or 0.0,
        t_sd=values["trial_t_sd"] if asked is None or asked.sd is None else asked.sd,
        prior=prior.mean if isinstance(prior, Distribution) else None if prior is None else float(prior),
        values=values,
    )  # fmt: skip


def interval(share: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """5 and 95 % of the share that a trial of n people would see, from each draw's [draw, time]: draws, how far the
    rate of a trial lies from what is expected, and who of n breaks a bone."""
    level = np.exp(numbers()["level_sd"] * _normals(len(share), 1))[:, None]
    chance = np.minimum(-np.expm1(np.log1p(-np.minimum(share, 0.999)) * level), 1.0)
    seen = np.random.default_rng(0).binomial(n, chance, (SAMPLES, *chance.shape)) / n
    low, high = (np.quantile(seen.reshape(-1, share.shape[1]), q, axis=0) for q in
                 (uncertainty.LOWER, uncertainty.UPPER))  # fmt: skip
    return low, high


def _normals(n: int, seed: int) -> np.ndarray:
    """n even quantiles of a normal distribution in an order of their own: the same each time."""
    from scipy.special import ndtri

    return np.asarray(np.random.default_rng([seed, 7]).permutation(ndtri((np.arange(n) + 0.5) / n)))
