"""Draws of parameters that no fit has touched, from the priors of their records.

    {scale = "log", sd}              value · exp(sd z), z standard normal
    {scale = "logit", sd}            the same on the scale of log(x/(1 - x))
    {scale = "normal", sd}           value + sd z
    {scale = "uniform", low, high}
    {scale = "set", of, values}      one of the values; records of the same set take the same place in their lists

with `fitted = false`. Each record has random numbers of its own, by its id, so that a new record changes no other's
draws. Draws are held to the bounds of the record."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import ModelError

if TYPE_CHECKING:
    from osteon.parameters.records import Record

SIDE = 1e-9  # how near to 0 or 1 a share may come on the logit scale


def is_fitted(record: Record) -> bool:
    """Whether a fit moves the record: it has a prior that does not say otherwise."""
    return record.prior is not None and bool(record.prior.get("fitted", True))


def is_sampled(record: Record) -> bool:
    """Whether draws come from the record's prior."""
    return record.prior is not None and not record.prior.get("fitted", True)


def sample(records: Mapping[str, Record], n: int) -> dict[str, np.ndarray]:
    """n draws [draw] by id of the records whose prior stands as it is."""
    return {ident: _draws(record, n) for ident, record in records.items() if is_sampled(record)}


def _draws(record: Record, n: int) -> np.ndarray:
    prior: Mapping[str, Any] = record.prior or {}
    scale, v = prior["scale"], record.value
    random = np.random.default_rng(zlib.crc32(str(prior.get("of", record.id)).encode()))
    if scale == "set":
        values = np.asarray(prior["values"], float)
        return np.asarray(values[random.permutation(np.arange(n) % len(values))])
    if scale == "uniform":
        found = random.uniform(prior["low"], prior["high"], n)
    else:
        z = prior["sd"] * random.standard_normal(n)
        if scale == "log":
            found = v * np.exp(z)
        elif scale == "logit":
            v = min(max(v, SIDE), 1 - SIDE)
            found = 1.0 / (1.0 + (1 - v) / v * np.exp(-z))
        elif scale == "normal":
            found = v + z
        else:
            raise ModelError(f"parameter {record.id}: a prior has no scale {scale!r}")
    return np.asarray(found if record.bounds is None else np.clip(found, *record.bounds))
