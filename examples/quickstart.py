"""The five lines of the README, and what to do with their result."""

import osteon

plan = "romosozumab 210 mg SC monthly x12; then denosumab 60 mg SC every 6 months for 24 months"
result = osteon.simulate(plan, age=67, until="5 years")
change = osteon.percent_change(result)
for years in (1, 3, 5):
    hip = float(change["total_hip_bmd"].sel(time=365 * years, method="nearest").squeeze())
    print(f"after {years} years: total hip BMD {hip:+.1f} %")
