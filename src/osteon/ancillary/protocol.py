"""One page for a host's investigators: what would be added, to whom, what it costs, what it could teach."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.ancillary.modes import PROSPECTIVE, Mode
from osteon.ancillary.rank import Choice, worth
from osteon.ancillary.tables import Tables
from osteon.ancillary.value import detectable, evpi, evsi

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def within(choice: Choice, tables: Tables, budget: float | None) -> tuple[Choice, float]:
    """The choice cut down to a budget, and the share of the participants that it pays for."""
    fixed = choice.mode.fixed
    if budget is None or budget >= choice.mode.cost:
        return choice, 1.0
    share = (budget - fixed) / (choice.mode.cost - fixed) if choice.mode.cost > fixed else 0.0
    if share <= 0:
        return choice, 0.0
    mode: Mode = replace(choice.mode, treated=choice.mode.treated * share, control=choice.mode.control * share,
                         noise=choice.mode.noise / share, cost=budget)  # fmt: skip
    gain = float(evsi(*choice.prior, tables("worth", "threshold"), mode.variance, worth(tables)))
    return replace(choice, mode=mode, evsi=gain, enbs=gain - mode.cost), share


def rows(choice: Choice, tables: Tables) -> list[dict[str, Any]]:
    """Cost and worth for a quarter, half and all of the participants."""
    found = []
    for share in (0.25, 0.5, 0.75, 1.0):
        noise = choice.mode.noise / share
        gain = float(evsi(*choice.prior, tables("worth", "threshold"), noise + choice.mode.bias, worth(tables)))
        cost = _cost(choice, share)
        smaller = min(choice.mode.treated, choice.mode.control or choice.mode.treated) * share
        found.append(
            {
                "share": share,
                "treated": round(choice.mode.treated * share),
                "control": round(choice.mode.control * share),
                "cost": round(cost),
                "evsi": round(gain),
                "enbs": round(gain - cost),
                "detectable": round(detectable(smaller, tables("spread", "bmd_sd")), 2) if smaller > 1 else None,
            }
        )
    return found


def _cost(choice: Choice, share: float) -> float:
    return choice.mode.fixed + (choice.mode.cost - choice.mode.fixed) * share


_WORDS = {"msc": "mesenchymal cells", "other_cells": "cells", "senolytic": "a senolytic"}
_STEPS = {
    "dxa+markers": (
        "DXA of spine and hip before the first treatment and at the last planned visit (for each participant "
        "two scans; the"
        " site's own physicist states the dose).",
        "Blood for P1NP at the same visits (any time of day); CTX only where the draw is fasted and in the morning.",
        "One phantom on every scanner; scans read centrally, blind to arm.",
    ),
    "data": (
        "No new scans: the bone measurements that you plan anyway, by participant and arm, when you unblind.",
        "Blood for P1NP at the same visits (any time of day); CTX only where the draw is fasted and in the morning.",
        "How the scanners were cross-calibrated, and who read the scans.",
    ),
    "banked-serum": (
        "P1NP on stored serum from before treatment and from the last visit, all samples in one batch, blind to arm.",
        "CTX only where the samples were drawn fasted.",
        "No new visit; arm codes are joined after the laboratory has reported.",
    ),
    "opportunistic-ct": (
        "Vertebral attenuation read from CT scans that the study takes anyway, before treatment and at the end.",
        "Same scanner and contrast phase for a participant, or left out; read centrally, blind to arm.",
        "No new scan and no added dose.",
    ),
}  # fmt: skip


def page(choice: Choice, tables: Tables, share: float = 1.0) -> str:
    """The protocol sketch, as Markdown."""
    record, mode, money = choice.host.record, choice.mode, tables.currency
    sponsor = record.text("sponsorCollaboratorsModule.leadSponsor.name") or "the sponsor"
    arms = [str(arm["label"]) for arm in record.arms if isinstance(arm.get("label"), str)][:8]
    burden = "none"
    if mode.name == PROSPECTIVE:
        scans = "" if choice.host.drawn["bone_outcomes"] else "two scans and "
        burden = f"{scans}two blood samples at visits that you plan anyway"
    shares_data = mode.name == PROSPECTIVE and bool(choice.host.drawn["bone_outcomes"])
    smaller = min(mode.treated, mode.control or mode.treated)
    gap = detectable(smaller, tables("spread", "bmd_sd")) if smaller > 1 else math.inf
    best = evpi(*choice.prior, tables("worth", "threshold"), worth(tables))
    lines = [
        f"# Bone end points in {record.nct}: a sketch for its investigators",
        "",
        f"To the investigators of **{record.title}** ({sponsor}), {record.link}.",
        "",
        f"*Registry as of {record.snapshot}; status {choice.host.status.casefold().replace('_', ' ')}. A sketch "
        f"made by osteon, a research"
        " tool, from the public record; not medical advice, not a protocol.*",
        "",
        "## The question",
        f"Does the therapy of your study ({_WORDS[str(choice.host.therapy)]},"
        f" {choice.host.drawn['route'] or 'as planned'}) change bone in your"
        " participants? Your study already has the arms and the follow-up that a study of bone would need.",
        "",
        "## What would be added",
        *(f"- {step}" for step in _STEPS["data" if shares_data else mode.name]),
        f"- Follow-up of {choice.host.months:.0f} months as you plan it; nothing is prolonged." if choice.host.months
        else "- Follow-up as you plan it (the record does not state how long).",
        "- Your objectives, arms, allocation and stopping rules stay as they are; bone results are held back "
        "until you unblind.",
        "",
        "## Who",
        f"About {mode.treated:.0f} treated and {mode.control:.0f} control participants"
        + (f" ({share:.0%} of those who could be measured, within the budget)" if share < 1 else "")
        + f". Arms in the record: {'; '.join(arms) or 'none listed'}.",
        "",
        "## Analysis",
        "Change of spine BMD (logarithm) between arms, adjusted for baseline, age and sex; markers as ratios. "
        + (
            f"With these numbers a difference of about {gap:.1f} percentage points would be seen with 80 % power; "
            if math.isfinite(gap)
            else ""
        )
        + "smaller effects need pooling with other hosts, for which individual data or mean, SD and n by arm "
          "are enough.",
        "",
        "## What it costs and what it could teach",
        f"- Cost about {mode.cost:,.0f} {money} ({tables.year} prices, assumed unit costs; the table can be edited).",
        f"- Value of the information {choice.evsi:,.0f} {money}, net {choice.enbs:,.0f} {money}; perfect "
        f"knowledge would be worth {best:,.0f}"
        f" {money}. Prior: {choice.prior[0]:.1f} ± {choice.prior[1]:.1f} points of spine BMD (osteon's virtual "
        f"trials, which rest on assumed and animal numbers, and an assumed share that they may miss).",
        f"- How far your participants are from women with osteoporosis: a bias of {choice.host.tau:.1f} points "
        f"(SD) is allowed for.",
        "",
        "## What we would ask of you",
        "- A letter of agreement, an amendment of consent and ethics, and the arm codes at the end.",
        f"- The burden on participants: {burden}.",
        f"- Approval takes time: {tables('gates', 'lag'):.0f} months are allowed for (assumed).",
        "",
        "## What the record leaves open",
        *(f"- {note}" for note in [*choice.host.notes, *mode.why] or ["nothing that matters here"]),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def figure(choice: Choice, tables: Tables) -> Figure:
    """Net benefit against the number of participants measured, with the cost."""
    from matplotlib.figure import Figure as NewFigure

    shares = np.linspace(0.05, 1.0, 40)
    gain = evsi(
        *choice.prior, tables("worth", "threshold"), choice.mode.noise / shares + choice.mode.bias, worth(tables)
    )
    cost = np.array([_cost(choice, float(s)) for s in shares])
    people = shares * (choice.mode.treated + choice.mode.control)
    made = NewFigure(figsize=(6.4, 4.0), layout="constrained")
    axes = made.add_subplot()
    axes.plot(people, gain / 1e3, label="value of information")
    axes.plot(people, cost / 1e3, label="cost")
    axes.plot(people, (gain - cost) / 1e3, label="net", linewidth=2)
    axes.axhline(0, color="0.7", linewidth=0.8)
    axes.set_xlabel("participants measured")
    axes.set_ylabel(f"thousand {tables.currency} ({tables.year})")
    axes.set_title(f"{choice.host.nct}: {choice.mode.name}")
    axes.legend(frameon=False)
    return made
