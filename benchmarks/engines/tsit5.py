"""diffrax with Tsit5, an explicit method of order 5."""

from __future__ import annotations

import diffrax

from engines.waves import Waves


class Engine(Waves):
    """diffrax, explicit."""

    solver = diffrax.Tsit5
    label = "diffrax Tsit5 (vmapped)"
