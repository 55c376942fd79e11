"""How far the kernel on fine steps, the truth for large populations, is from the reference integrator."""

from __future__ import annotations

import json

import scenarios
import truth


def main() -> None:
    """Print the largest distance in each scenario, % of baseline BMD, as JSON."""
    people = scenarios.people(truth.PEOPLE)
    found = {}
    for scenario in scenarios.REGIMENS:
        got = scenarios.accuracy(truth.fine(scenario, people), truth.reference(scenario))
        found[scenario] = got.max_pct
    print(json.dumps({"people": truth.PEOPLE, "fine_kernel_max_pct": found}))


if __name__ == "__main__":
    main()
