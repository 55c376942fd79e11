"""diffrax with Kvaerno3, an implicit method of order 3."""

from __future__ import annotations

import diffrax

from engines.waves import Waves


class Engine(Waves):
    """diffrax, implicit."""

    solver = diffrax.Kvaerno3
    label = "diffrax Kvaerno3 (vmapped)"
    people = 256
    fewest = 256
    quick_from = 3.2e-4
