"""Ranks hosts by expected net benefit of sampling (ENBS), chooses sets under a budget, tells how stable ranks are."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osteon.ancillary.gates import failed
from osteon.ancillary.host import Host, host
from osteon.ancillary.modes import Mode, modes
from osteon.ancillary.prior import Prior, VirtualPrior
from osteon.ancillary.tables import Tables, load
from osteon.ancillary.value import evsi, pooled
from osteon.registry.extract import extract
from osteon.registry.record import Record

DRAWS = 1000


@dataclass(frozen=True)
class Choice:
    """A host with its best way: EVSI and ENBS in currency, the prior's mean and SD in points."""

    host: Host
    mode: Mode
    evsi: float
    enbs: float
    prior: tuple[float, float]
    why: list[str]
    others: list[tuple[str, float]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What `ancillary rank --json` prints for a host."""
        return {"nct": self.host.nct, "enbs": round(self.enbs, 2), "evsi": round(self.evsi, 2),
                "cost": round(self.mode.cost, 2), "mode": self.mode.name, "why": self.why}  # fmt: skip


@dataclass(frozen=True)
class Ranking:
    """Hosts, best first, and the excluded with gate and reasons; `stability` is per host, in the same order."""

    at: datetime.date
    hosts: list[Choice]
    excluded: list[dict[str, Any]]
    tables: Tables
    stability: list[dict[str, float]] = field(default_factory=list)


def worth(tables: Tables) -> float:
    """Currency per percentage point of mean effect above the threshold, over all who would be treated."""
    return tables("worth", "per_point") * tables("worth", "people")


def choose(one: Host, tables: Tables, prior: Prior) -> tuple[Choice | None, list[tuple[str, str]]]:
    """The way with the largest ENBS, or the gates that are closed for all."""
    ways, shut = modes(one, tables)
    if not ways or one.therapy is None:
        return None, shut
    draws = prior(one.therapy, one.subjects, 12.0, DRAWS)
    mean, sd = float(np.mean(draws)), float(np.std(draws))
    scored = []
    for way in ways:
        gain = float(evsi(mean, sd, tables("worth", "threshold"), way.variance, worth(tables)))
        scored.append((gain - way.cost, gain, way))
    net, gain, best = max(scored, key=lambda s: s[0])
    parts = sorted(one.bias.items(), key=lambda p: -p[1])
    why = [
        f"{best.treated:.0f} treated and {best.control:.0f} control participants measured",
        f"{one.therapy}, {one.drawn['route'] if one.therapy != 'senolytic' else 'by mouth or as stated'}, "
        f"{one.disease}",
        f"transport bias {one.tau:.1f} points: "
        + ", ".join(f"{name.replace('_', ' ')} {value:.1f}" for name, value in parts[:4]),
        *best.why,
        *one.notes,
        *(prior.why(one.therapy, one.subjects, one.months or 12.0) if isinstance(prior, VirtualPrior) else ()),
    ]
    return Choice(one, best, gain, net, (mean, sd), why, [(w.name, n) for n, _, w in scored if w is not best]), []


def judge(record: Record, at: datetime.date, tables: Tables, prior: Prior) -> Choice | dict[str, Any]:
    """One record at a day: a choice, or `{"nct", "gate", "why"}` with every closed gate in `why`."""
    one = host(record, extract(record), at, tables)
    gates = failed(one, tables, at)
    choice = None
    if not gates:
        choice, gates = choose(one, tables, prior)
    if choice is not None:
        return choice
    return {"nct": one.nct, "gate": gates[0][0] if gates else "no-way", "why": [reason for _, reason in gates]}


def rank(
    records: Iterable[Record],
    at: datetime.date,
    *,
    tables: Tables | None = None,
    prior: Prior | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Ranking:
    """Rank all records at a day; `draws` of bias, spread and cost tell how stable the ranks are (0 for none)."""
    tables = tables or load()
    prior = prior or VirtualPrior(tables)
    every = [record for record in records if record.nct]
    hosts: list[Choice] = []
    excluded = []
    for index, record in enumerate(every):
        found = judge(record, at, tables, prior)
        if isinstance(found, Choice):
            hosts.append(found)
        else:
            excluded.append(found)
        if progress and index % 50 == 0:
            progress(index / len(every))
    hosts.sort(key=lambda c: (-c.enbs, c.host.nct))
    return Ranking(at, hosts, excluded, tables, stability(hosts, tables, draws, seed) if draws else [])


def stability(hosts: list[Choice], tables: Tables, draws: int, seed: int) -> list[dict[str, float]]:
    """Ranks over draws of each host's τ (factor, SD of its logarithm 0.35), the SD between people (3 to 4.5 for 4,
    shared) and its cost (factor, SD of its logarithm 0.3): median rank, 5 and 95 %, share of draws in the first ten.
    """
    if not hosts:
        return []
    rng = np.random.default_rng(seed)
    shape = (draws, len(hosts))
    bias = np.array([c.mode.bias for c in hosts]) * np.exp(rng.normal(0, 0.7, shape))
    noise = np.array([c.mode.noise for c in hosts]) * rng.uniform(0.75, 1.125, (draws, 1)) ** 2
    cost = np.array([c.mode.cost for c in hosts]) * np.exp(rng.normal(0, 0.3, shape))
    gain = np.empty(shape)
    for j, choice in enumerate(hosts):
        gain[:, j] = evsi(*choice.prior, tables("worth", "threshold"), noise[:, j] + bias[:, j], worth(tables))
    ranks = (-(gain - cost)).argsort(axis=1).argsort(axis=1) + 1
    low, middle, high = np.percentile(ranks, [5, 50, 95], axis=0)
    return [
        {
            "rank": float(middle[j]),
            "low": float(low[j]),
            "high": float(high[j]),
            "in_ten": float((ranks[:, j] <= 10).mean()),
        }
        for j in range(len(hosts))
    ]


def best_set(hosts: list[Choice], tables: Tables, budget: float) -> list[dict[str, Any]]:
    """Hosts chosen one after another by ENBS gained per cost, within a budget; stops where none gains.

    Precisions add within a therapy, whose prior is the mean of its hosts' (their doses and people differ); hosts of
    one disease share a part of their bias. Each row tells what the set is worth after it, so that diminishing
    returns show.
    """
    share = tables("bias", "shared")
    priors = {
        therapy: tuple(np.mean([c.prior for c in hosts if c.host.therapy == therapy], axis=0))
        for therapy in {c.host.therapy for c in hosts}
    }
    chosen: list[Choice] = []
    rows: list[dict[str, Any]] = []
    spent = total = 0.0
    while True:
        best: tuple[float, float, Choice] | None = None
        for choice in hosts:
            if choice in chosen or spent + choice.mode.cost > budget:
                continue
            gain = _worth_of([*chosen, choice], priors, tables, share) - total
            net = gain - choice.mode.cost
            if net > 0 and (best is None or net / choice.mode.cost > best[0]):
                best = (net / choice.mode.cost, gain, choice)
        if best is None:
            return rows
        _, gain, choice = best
        chosen.append(choice)
        spent, total = spent + choice.mode.cost, total + gain
        rows.append({"nct": choice.host.nct, "adds": round(gain, 2), "cost": round(choice.mode.cost, 2),
                     "spent": round(spent, 2), "evsi_of_set": round(total, 2)})  # fmt: skip


def _worth_of(chosen: list[Choice], priors: dict[Any, tuple[float, ...]], tables: Tables, share: float) -> float:
    total = 0.0
    for therapy in {c.host.therapy for c in chosen}:
        own = [c for c in chosen if c.host.therapy == therapy]
        classes = [c.host.disease for c in own]
        shared = {
            name: share * float(np.mean([c.host.tau**2 for c in own if c.host.disease == name]))
            for name in set(classes)
        }
        parts = [max(c.mode.variance - share * c.host.tau**2, 1e-9) for c in own]
        mean, sd = priors[therapy]
        total += float(evsi(mean, sd, tables("worth", "threshold"), pooled(parts, shared, classes), worth(tables)))
    return total
