"""Fractures: hazards from age, sex, bone and earlier fracture, competing death, event times, and what trials saw."""

from osteon.fractures.events import cumulative_incidence, events
from osteon.fractures.hazards import KINDS, SITES, hazard, trial_values
from osteon.fractures.incidence import expected_incidence, risk
from osteon.fractures.mortality import death_rate

__all__ = [
    "KINDS",
    "SITES",
    "cumulative_incidence",
    "death_rate",
    "events",
    "expected_incidence",
    "hazard",
    "risk",
    "trial_values",
]
