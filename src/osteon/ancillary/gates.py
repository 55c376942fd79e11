"""Why a study cannot be a host: every gate that it fails, in order, each with its reason."""

from __future__ import annotations

import datetime

from osteon.ancillary.host import Host
from osteon.ancillary.tables import Tables
from osteon.registry.record import RUNNING


def failed(host: Host, tables: Tables, at: datetime.date) -> list[tuple[str, str]]:
    """(gate, reason) for each gate that is closed; the first is the one that is named."""
    drawn, found = host.drawn, []
    limit = tables("gates", "min_age")
    if host.record.registered and host.record.registered > at:
        found.append(("not-registered-yet", f"first registered on {host.record.registered}, after {at}"))
    if host.therapy is None:
        found.append(("therapy", "neither cells nor a senolytic are given"))
    if host.record.study_type == "EXPANDED_ACCESS":
        found.append(("design", "expanded access, not a study with measurements"))
    high = drawn["age_max"]
    if high is not None and high < limit:
        found.append(
            ("age", f"participants are at most {high:g} years old; bone in children and the young answers otherwise")
        )
    if host.control == 0 and drawn["bone_outcomes"]:
        found.append(
            (
                "already-measures-bone",
                f"already measures bone ({', '.join(drawn['bone_outcomes'][:2])}) without a control group: "
                f"nothing to add",
            )
        )
    if host.status == "COMPLETED" or host.status in ("TERMINATED", "ACTIVE_NOT_RECRUITING"):
        if host.status != "ACTIVE_NOT_RECRUITING" and not drawn["banked_serum"]:
            found.append(
                (
                    "closed",
                    f"{_said(host.status)} and no banked samples are mentioned: nobody can be measured; ask whether"
                    " serum is stored",
                )
            )
    elif host.status == "UNKNOWN":
        found.append(
            ("status-unknown", f"the sponsor has not confirmed the status since {host.record.verified or 'long ago'}")
        )
    elif host.status not in RUNNING:
        found.append(("closed", f"{_said(host.status)}"))
    if drawn["n"] is None:
        found.append(("size", "the number of participants is not stated"))
    elif host.n < tables("gates", "min_people"):
        found.append(
            ("size", f"{host.n:g} participants; fewer than {tables('gates', 'min_people'):g} teach next to nothing")
        )
    if host.months is not None and host.months < tables("gates", "min_months"):
        found.append(
            (
                "follow-up",
                f"{host.months:.1f} months of usable follow-up; bone needs {tables('gates', 'min_months'):g}",
            )
        )
    return found


def _said(status: str) -> str:
    return status.casefold().replace("_", " ")
