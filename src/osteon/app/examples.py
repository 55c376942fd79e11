"""Studies to begin with."""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "Teriparatide, then denosumab": """\
id: switch
title: Teriparatide, then denosumab
people: {species: human, sex: female, age: 66, years_since_menopause: 16,
         t_score: {lumbar_spine: -2.5, total_hip: -1.9}, n_per_arm: 50}
arms:
  - {name: no treatment, regimen: none}
  - name: switch
    regimen: "teriparatide 20 ug SC daily for 24 months; then denosumab 60 mg SC every 6 months for 24 months"
visits: [0, 6, 12, 24, 36, 48]
endpoints: [lumbar_spine_bmd, total_hip_bmd, femoral_neck_bmd, p1np, ctx]
""",
    "What happens when denosumab stops": """\
id: stopping-denosumab
title: Denosumab for two years, then nothing or zoledronate
people: {species: human, sex: female, age: 70, t_score: {lumbar_spine: -2.8, total_hip: -2.2}, n_per_arm: 100}
arms:
  - {name: nothing after, regimen: "denosumab 60 mg SC every 6 months for 24 months; then none for 24 months"}
  - name: zoledronate after
    regimen: "denosumab 60 mg SC every 6 months for 24 months; then zoledronate 5 mg IV once"
visits: [0, 6, 12, 24, 27, 30, 36, 48]
endpoints: [lumbar_spine_bmd, total_hip_bmd, ctx, p1np]
""",
    "A virtual trial with fractures": """\
id: fractures
title: Denosumab or nothing for three years, 1,000 women in each arm
people: {species: human, sex: female, age: 72, t_score: {lumbar_spine: -2.8, total_hip: -1.9}, n_per_arm: 1000}
arms:
  - {name: no treatment, regimen: none}
  - {name: denosumab, regimen: denosumab 60 mg SC every 6 months}
visits: [0, 12, 24, 36]
endpoints: [lumbar_spine_bmd, total_hip_bmd, ctx, vertebral_fracture, nonvertebral_fracture, hip_fracture]
""",
    "All combinations of three treatments": """\
id: combinations
title: Teriparatide, zoledronate, exercise
people: {species: human, sex: female, age: 68, years_since_menopause: 18,
         t_score: {lumbar_spine: -2.8, total_hip: -2.2}, n_per_arm: 50}
factors:
  teriparatide: teriparatide 20 ug SC daily for 12 months
  zoledronate: zoledronate 5 mg IV once
  exercise: exercise every 3.5 days
visits: [0, 6, 12, 24]
endpoints: [lumbar_spine_bmd, total_hip_bmd, ctx, p1np]
""",
}
