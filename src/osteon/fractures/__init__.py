"""Fractures: hazards from age, sex, bone and earlier fracture, competing death, event times, and what trials saw."""

from osteon.fractures.hazards import KINDS, SITES, hazard
from osteon.fractures.mortality import death_rate

__all__ = ["KINDS", "SITES", "death_rate", "hazard"]
