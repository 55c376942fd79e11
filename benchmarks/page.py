"""Writes docs/benchmarks.md and its plots from benchmarks/results.json and results-osteon.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
INK, PALE = "#1f4e79", "#b5651d"
ORDER = (
    "osteon", "heyoka", "diffrax_tsit5", "diffrax_kvaerno3", "libroadrunner", "sundials", "scipy_lsoda",
    "scipy_published_style",
)  # fmt: skip
PLOTS = {
    "people": ("people", "people in the run", True),
    "states": ("states", "states of the model", False),
    "years": ("years", "years simulated per person", False),
    "doses": ("doses", "doses per person", False),
}
OD = "denosumab 60 mg every 180 days ×8, zoledronate 5 mg a year ×2, alendronate 10 mg daily for 1095 days"
DA = "denosumab 60 mg at day 0, 180, 360 and 540 after the age of 65, then alendronate 10 mg daily for 1095 days"
RDA = "romosozumab 210 mg every 30 days ×12, denosumab 60 mg every 180 days ×6, alendronate 10 mg daily for 1095 days"


def plot(name: str, rows: list[dict[str, Any]]) -> None:
    """One plot of cost per patient-year."""
    key, label, logarithmic = PLOTS[name]
    plt.rcParams.update({"svg.hashsalt": "osteon", "font.family": "sans-serif", "font.size": 9})
    figure, axes = plt.subplots(figsize=(4.4, 2.9), layout="constrained")
    for engine, colour in (("osteon", INK), ("heyoka", PALE)):
        points = [(row[key], row[engine]["ns"]) for row in rows if row.get(engine)]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, marker="o", markersize=3.5, linewidth=1.3)
            axes.annotate(engine, (x[-1], y[-1]), (5, 4), textcoords="offset points", color=colour)
    axes.set_xlabel(label)
    axes.set_ylabel("CPU ns per patient-year")
    axes.set_xscale("log" if logarithmic else "linear")
    axes.set_yscale("log" if name == "people" else "linear")
    if name == "people":
        ticks = [t for t in (50, 100, 200, 500, 1000, 2000, 5000) if axes.get_ylim()[0] <= t <= axes.get_ylim()[1]]
        axes.set_yticks(ticks, [f"{t:,}" for t in ticks])
        axes.minorticks_off()
    else:
        axes.set_ylim(bottom=0)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    (DOCS / "img").mkdir(parents=True, exist_ok=True)
    figure.savefig(DOCS / "img" / f"bench-{name}.svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def number(value: float | None, digits: int = 3) -> str:
    """A number to some digits, thousands apart; an em dash for none."""
    if value is None:
        return "—"
    if value >= 100:
        return f"{float(f'{value:.{digits}g}'):,.0f}"
    return f"{value:.{digits}g}"


def short(setting: dict[str, Any] | None) -> str:
    """A setting in a few words."""
    if not setting:
        return "—"
    if "target" in setting:
        return "as shipped"
    if "tol" in setting:
        wide = ", 512-bit" if setting["avx512"] else ""
        return f"tol {setting['tol']:g}, scale {setting['scale']:g}, batch {setting['lanes']}{wide}"
    words = [f"rtol {setting['rtol']:g}"]
    words += [setting["method"]] if "method" in setting else []
    words += ["BDF" if setting["stiff"] else "Adams"] if "stiff" in setting else []
    words += [f"batch {setting['batch']}"] if "batch" in setting else []
    return ", ".join(words)


def table(results: dict[str, Any]) -> list[str]:
    """Every engine's rates, ratios, settings and accuracy."""
    engines, own = results["engines"], results["engines"]["osteon"]
    a, b = results["ratios_by_scenario"]
    lines = [
        f"| engine | {a} | {b} | osteon is faster by | settings ({a}; {b}) | largest error, % | compile or load, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ORDER:
        facts = engines.get(name, {})
        if not facts and results.get("model") == "osteon":
            continue
        if "missing" in facts or not facts:
            lines.append(f"| {name} | not installed | | | | | |")
            continue
        each = [facts.get(s, {}) for s in (a, b)]
        rates = [f.get("patient_years_per_cpu_s") for f in each]
        mine = [own[s].get("patient_years_per_cpu_s") for s in (a, b)]
        by = [m / r if m and r else None for m, r in zip(mine, rates, strict=True)]
        worst = max((f.get("max_pct") or 0.0 for f in each), default=0.0)
        ratio = "" if name == "osteon" else f"{number(by[0], 2)}× / {number(by[1], 2)}×"
        chosen = "; ".join(dict.fromkeys(short(f.get("setting")) for f in each))
        build = max((f.get("build_s") or 0.0) for f in each)
        lines.append(
            f"| {facts['label']} {facts['version']} | {number(rates[0])} | {number(rates[1])} | {ratio} | {chosen} "
            f"| {number(worst, 2)} | {facts['load_s'] + build:.1f} |"
        )
    return lines


def growth(results: dict[str, Any]) -> list[str]:
    """The plots, and what they show in words."""
    found = results.get("growth")
    if not found:
        return []
    for name in PLOTS:
        plot(name, found[name])
    lines = ["## How cost grows", ""]
    lines += [f"![CPU time per patient-year against {PLOTS[n][1]}](img/bench-{n}.svg)" for n in PLOTS]
    first, last = (found["people"][i]["osteon"]["ns"] for i in (0, -1))
    small, large = found["states"][0], found["states"][-1]
    none, most = found["doses"][0], found["doses"][-1]
    both = [row for row in found["people"] if row.get("heyoka")]
    behind = [r["people"] for r in both if r["osteon"]["ns_with_setup"] > r["heyoka"]["ns"]]
    lines += [
        "",
        f"Scenario DA unless said otherwise. A run of {found['people'][0]['people']} people costs {number(first)} ns "
        f"per patient-year, one of {found['people'][-1]['people']:,} costs {number(last)} ns. From {small['states']} "
        f"to {large['states']} states the cost goes from {number(small['osteon']['ns'])} to "
        f"{number(large['osteon']['ns'])} ns (the further states are a saturating chain with rates of 0.002 to 0.2 "
        f"per day; steps: {small['osteon']['steps']} and {large['osteon']['steps']}). With {most['doses']} monthly "
        f"doses of romosozumab it is {number(most['osteon']['ns'])} ns against {number(none['osteon']['ns'])} ns "
        "without any: each dose is a break at which a step must end. heyoka runs at one setting that is accurate "
        "enough in all of these; it was not measured with further states.",
        "",
        "The choice of steps, once per arm, is not in the plots. With it osteon's cost per patient-year is "
        + ", ".join(f"{number(r['osteon']['ns_with_setup'])} ns for {r['people']:,}" for r in both)
        + " people, heyoka's, at a setting chosen beforehand, "
        + ", ".join(number(r["heyoka"]["ns"]) for r in both)
        + " ns"
        + (f": up to {max(behind):,} people heyoka is done first." if behind else "."),
        "",
    ]
    return lines


def composed(results: dict[str, Any]) -> list[str]:
    """The same on osteon's own model."""
    limit, accuracy, machine = results["arithmetic_limit"], results["accuracy"], results["machine"]
    a, b = results["ratios_by_scenario"]
    reference = max((results.get("reference") or {}).get("fine_kernel_max_pct", {"": None}).values())
    people, share = f"{accuracy['people']:,}", f"{100 * accuracy['share_below_0_01_pct']:.4g}"
    lines = [
        "## osteon's own model",
        "",
        f"Measured on {machine['cpu']} on {results['date']}, by `make bench-osteon`. Women of 66 who have lived "
        "untreated since 20, fourteen parameters and the age at menopause varying between them, yearly outputs for "
        f"ten years of drugs. **{a}**: {OD}. **{b}**: {RDA}. Patient-years count the years from 20 on.",
        "",
        *table(results),
        "",
        "The peers get the equations from the model's one definition: traced, shared parameters put in as numbers, "
        "what rests on parameters alone worked out once per person, states left out while they are 0, agents left "
        "out after 20 half-lives. heyoka restarts where sclerostin's |x| changes its branch (an event), and at each "
        "person's own kinks; CVODE is given |x|. Nothing was rewritten by hand for any of them. diffrax and SciPy "
        "are not measured on this model.",
        "",
        f"osteon: {people} people, {share} % within 0.01 %, the worst {number(accuracy['max_pct'], 2)} %; the truth "
        f"(the kernel on steps cut in 32) is within {number(reference, 2)} % of the reference on 256 people.",
        "",
    ]
    if limit:
        shares = " and ".join(
            f"{100 * limit[s]['kernel_share']:.0f} % ({s}, {limit[s]['steps']} steps)" for s in (a, b)
        )
        lines += [f"The kernel call reaches {shares} of its arithmetic limit (see below).", ""]
    return lines


def page(results: dict[str, Any], own_model: dict[str, Any] | None = None) -> str:
    """The page's text."""
    limit, first, accuracy = results["arithmetic_limit"], results["first_call_s"], results["accuracy"]
    ratios, machine, reference = results["ratios"], results["machine"], results.get("reference") or {}
    own = results["engines"]["osteon"]
    setup = " and ".join(number(own[s].get("setup_s"), 2) for s in ("DA", "RDA"))
    lines = [
        "# Benchmarks",
        "",
        f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"on {results['date']}, by `make bench`. Do not take the figures for another machine's: run it there "
        "(`make bench-quick` takes a few minutes).",
        "",
        f"heyoka is the honest comparison: it too keeps people in vector lanes, and osteon's kernel is "
        f"{number(ratios['heyoka'], 2)} times faster at the same accuracy. No faster engine that Python can install "
        "was found; that is not a claim that there is none.",
        "",
        "Patient-years per CPU-second, one core, double precision:",
        "",
        *table(results),
        "",
        "## How it is measured",
        "",
        "- **Model**: the published 9-state model, 15 parameters and the age at menopause varying between people, "
        "from 45 to 75, yearly outputs, no drugs until 65.",
        f"- **DA**: {DA}. **RDA**: {RDA}, one after the other.",
        "- **Accuracy**: 99.9 % of people within 0.01 % of their BMD at 65 at every output, nobody beyond 0.05 %. "
        "Every engine runs at the fastest of its settings that meets this, found anew in each run: on 65,536 people "
        "(osteon), 2,048 (heyoka, Tsit5) or 256 (the others).",
        f"- **osteon**: all {accuracy['people']:,} people; {100 * accuracy['share_below_0_01_pct']:.4g} % within "
        f"0.01 %, the worst {number(accuracy['max_pct'], 2)} %; error estimates and re-runs are in the time. "
        f"Choosing the steps ({setup} s of CPU per arm, whatever the number of people) and compilation are not, "
        "like the other engines' compilation and choice of tolerance.",
        "- **Truth**: DOP853 at rtol 1e-11 restarted at every break, on 256 people; for more people the kernel on "
        "steps cut in 32"
        + (
            f", which is within {number(max(reference['fine_kernel_max_pct'].values()), 2)} % of it there."
            if reference
            else "."
        ),
        f"- **Timing**: a process per engine, all on one core, which take turns (A B A B …), {results['repeats']} "
        "rounds; medians of CPU time. Slow engines are timed on fewer people.",
        "- **Peers** are used as one who knows them would: restarted at every dose, window edge and at the person's "
        "menopause; compiled right-hand sides where they take one; drug levels in closed form or as linear states; "
        "people sorted so that those in a batch take like steps; scales of states, methods and batch sizes tuned. "
        "Only the last row is as papers do it, with a right-hand side in plain Python. scikit-SUNDAE and SciPy call "
        "the right-hand side through Python each time, which costs them more than the arithmetic.",
        "",
        *(composed(own_model) if own_model else []),
        "## The arithmetic limit",
        "",
        f"The kernel call reaches {100 * limit['DA']['kernel_share']:.0f} % (DA) and "
        f"{100 * limit['RDA']['kernel_share']:.0f} % (RDA) of the speed that its counted operations would allow at "
        f"this core's measured peaks ({number(limit['peaks_per_s']['slots'] / 1e9)}·10⁹ fused multiply-adds and "
        f"{number(limit['peaks_per_s']['divisions'] / 1e9)}·10⁹ divisions per second); a whole run with "
        f"re-runs, chunks and summaries {100 * limit['DA']['run_share']:.0f} % and "
        f"{100 * limit['RDA']['run_share']:.0f} %. The count takes a fused pair as one operation and everything that "
        "is not arithmetic as nothing. Where a core adds beside its multiply-adds, the true limit lies higher.",
        "",
        "## The first call",
        "",
        f"`osteon simulate --model jorg2022 --people 1000 --vary omega_pC=0.2 …` from the start of the interpreter: "
        f"{first['cold']:.1f} s with an empty cache, of which most is compilation, then {first['cached']:.1f} s.",
        "",
        *growth(results),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    mpl.use("Agg")
    results = json.loads((HERE / "results.json").read_text("utf-8"))
    own = HERE / "results-osteon.json"
    own_model = json.loads(own.read_text("utf-8")) if own.exists() else None
    (DOCS / "benchmarks.md").write_text(page(results, own_model), "utf-8")


if __name__ == "__main__":
    main()
