"""The six orders of three drugs (Jörg et al. 2022, Fig. 3): does it matter which comes first?"""

from itertools import permutations

import osteon

YEAR_OF = {
    "A": "alendronate 70 mg PO weekly for 365 days",
    "R": "romosozumab 140 mg SC every 30 days for 365 days",
    "D": "denosumab 60 mg SC every 180 days for 365 days",
}
print("order   largest gain   at 82 years   (total hip BMD against age 67, %)")
for order in permutations("ARD"):
    plan = "; then ".join(YEAR_OF[drug] for drug in order)
    result = osteon.simulate(plan, age=67, until="15 years", every="1 day", model="jorg2022")
    hip = osteon.percent_change(result)["total_hip_bmd"].squeeze()
    print(f"{''.join(order)}     {float(hip.max()):+12.2f} {float(hip[-1]):+13.2f}")
