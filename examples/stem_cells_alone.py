"""Are stem cells alone enough? A graft, a senolytic, both, and both with zoledronate, in a woman and in a mouse.

Runs examples/stem_cells_alone.yaml and stem_cells_alone_mouse.yaml in draws of the model, prints what each plan does
and what combining adds, and with `--out DIR` writes a picture and the tables as Markdown. `--update-docs` puts both
into docs/examples/stem-cells-alone.md, whose words are by hand.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

import osteon
from osteon import deciding, draws, files, parameters, uncertainty
from osteon.cli.common import NOTICE, decimals, print_table
from osteon.design import design_of
from osteon.errors import OsteonError
from osteon.factorial import ACCURACY, ADDITIVE, BETTER, EFFECT, by_draw
from osteon.report import figures
from osteon.skeleton import Osteon, OsteonMouse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from osteon.study import Study

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGE, PICTURE = DOCS / "examples" / "stem-cells-alone.md", DOCS / "img" / "stem-cells-alone.png"
BEGIN, END = "<!-- written by examples/stem_cells_alone.py -->", "<!-- end of what it wrote -->"
HOST = 0.3  # progenitors of the mouse that lacks them by a gene, relative to others (as in tests/test_mouse.py)
DRAWS, BINS = 400, 8
PLANS = ("graft", "homing graft", "senolytic", "graft + senolytic", "zoledronate", "graft + senolytic + zoledronate")
TOGETHER = ("graft + senolytic", "homing graft + senolytic", "graft + senolytic + zoledronate")
LABELS = {
    "lumbar_spine_bmd": "spine BMD", "total_hip_bmd": "hip BMD", "trabecular_bone_volume": "trabecular bone",
    "cortical_bone_volume": "cortical bone", "formation": "formation", "resorption": "resorption",
}  # fmt: skip
# What is not known, as one says it; the parameters that hold it; what would tell.
UNKNOWNS: dict[str, tuple[tuple[str, ...], str]] = {
    "what senescent cells do to bone": (
        ("senescence_formation", "senescence_formation_cortical", "senescence_resorption",
         "senescence_resorption_cortical"),
        "turnover markers, and bone biopsies, of women with many and with few p16+ cells, before and after a course",
    ),
    "how many senescent bone cells a course kills": (
        ("dq_kill", "senolytic_bone", "bystander_share"), "p16 in bone biopsies before and days after a course",
    ),
    "how fast senescent cells come back": (
        ("senescence_production", "senescence_removal", "senescence_scale", "senescence_half"),
        "p16 in biopsies one and four weeks after a course",
    ),
    "what dasatinib does by itself": (("dasatinib_direct",), "an arm of dasatinib where senescent cells are few"),
    "how many given cells settle in bone": (
        ("graft_engrafted", "graft_homing"), "tracking of labelled cells, and marrow aspirates within weeks",
    ),
    "how many progenitors the marrow has": (
        ("graft_host_cells", "progenitor_decline", "progenitor_quality_loss"), "colony counts of marrow aspirates",
    ),
    "how long a graft lives and grows": (
        ("graft_time", "graft_growth"), "donor DNA in repeated marrow aspirates, over months",
    ),
    "how much and how long a graft calms inflammation": (
        ("graft_calm", "graft_immune_rate", "graft_immune_excess", "graft_immune_time"),
        "TNF and IL-6 in marrow plasma before a graft and 1, 3 and 6 months after",
    ),
    "how much inflammation harms a graft": (
        ("graft_inflammation", "graft_inflammation_loss"), "labelled cells in hosts with and without TNF blocked",
    ),
    "how inflamed old marrow is, and what it does to progenitors": (
        ("inflammation_ageing", "progenitor_inflammation", "progenitor_time", "fat_young", "fat_ageing",
         "fat_estrogen", "fat_inflammation"),
        "cytokines and colony counts in the same aspirates, young and old; marrow fat by MRI",
    ),
    "how much bone more progenitors build": (
        ("progenitor_half",), "colony counts beside bone formation (labelled biopsies) in the same people",
    ),
}  # fmt: skip
FIT = "the rest: turnover, mineral, today's drugs"


@dataclass
class Answer:
    """A study with each of its contrasts by draw, at the last visit, and the draws of what acts in it."""

    study: Study
    values: dict[tuple[str, str], np.ndarray]
    drawn: dict[str, np.ndarray]
    made_with: str

    @property
    def bone(self) -> str:
        """The end point that the question is asked of."""
        return self.study.endpoints[0]

    def of(self, kind: str, plan: str, endpoint: str | None = None) -> np.ndarray:
        """A contrast of a plan [draw], in points of % change."""
        return self.values[f"{kind}: {plan}", endpoint or self.bone]

    def plans(self, among: tuple[str, ...]) -> list[str]:
        """Those plans that the study has."""
        return [plan for plan in among if (f"{EFFECT}: {plan}", self.bone) in self.values]


def answer(which: str, n: int = DRAWS) -> Answer:
    """One of the two studies ("woman", "mouse"), run in n draws."""
    mouse = which == "mouse"
    study = osteon.load_study(HERE / f"stem_cells_alone{'_mouse' if mouse else ''}.yaml")
    model = OsteonMouse(values={"progenitor_host": HOST}) if mouse else Osteon()
    result = osteon.run(study, model=model, draws=n)
    every = by_draw(result, study, design_of(study))
    values = {(name, endpoint): value for name, endpoint, month, value in every if month == study.visits[-1]}
    drawn = draws.of_result(model, result)
    acts = deciding.acting(model, model.of_person(study.people.mean_person()), drawn, study.therapies())
    made = f"{result.sizes['draw']} draws of {model.name}, fit {model.parameter_hash}"
    return Answer(study, values, {ident: x for ident, x in drawn.items() if ident in acts}, made)


def share(value: np.ndarray, x: np.ndarray) -> float:
    """Share of the variance of a value's ranks that goes with x, by means of bins of x, less what chance gives."""
    ranks = np.argsort(np.argsort(value)).astype(float)
    kinds, which = np.unique(x, return_inverse=True)
    if len(kinds) > BINS:
        which = np.argsort(np.argsort(x)) * BINS // len(x)
    count = np.bincount(which)
    means = np.bincount(which, weights=ranks) / count
    between = float((count * (means - ranks.mean()) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum())
    n, k = len(x), len(count)
    return 1.0 - (1.0 - between) * (n - 1) / (n - k)


def told_apart(n: int) -> float:
    """The share that one of a hundred unrelated numbers may reach by chance, about."""
    return (BINS - 1 + 3.5 * (2 * (BINS - 1)) ** 0.5) / n - (BINS - 1) / n


def unknowns(found: Answer, value: np.ndarray) -> dict[str, float]:
    """Share of what is open about a value that goes with each thing not known. Priors are independent, so that their
    shares add; numbers that the fit ties together, and those of one set, count by the largest."""
    least = told_apart(len(value))
    each = {ident: part for ident, x in found.drawn.items() if (part := share(value, x)) > least}
    whole = {}
    for name, (idents, _) in UNKNOWNS.items():
        parts = [each.pop(ident) for ident in idents if ident in each]
        whole[name] = max(parts, default=0.0) if "come back" in name else sum(parts)
    whole[FIT] = max(each.values(), default=0.0)
    return {name: part for name, part in sorted(whole.items(), key=lambda item: -item[1]) if part > 0}


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign; zero has none."""
    text = decimals(value, digits)
    return "0" if not text.strip("−0.") else text if text[0] in "−–" else f"+{text}"


def ranged(value: np.ndarray) -> str:
    """Mean with 5 to 95 % of the draws."""
    low, high = np.quantile(value, (uncertainty.LOWER, uncertainty.UPPER))
    return f"{signed(float(value.mean()))} ({signed(float(low))} to {signed(float(high))})"


def probability(value: np.ndarray, least: float = 0.0) -> str:
    """The share of draws in which a value is above `least`; what the engine cannot tell from none counts half."""
    none = np.abs(value) < ACCURACY if least == 0 else np.zeros(len(value), bool)
    p = float(np.mean((value > least) & ~none) + none.mean() / 2)
    return "over 0.99" if p > 0.99 else "under 0.01" if p < 0.01 else f"{p:.2f}"


def effects(found: Answer) -> tuple[list[str], list[list[str]]]:
    """Of each plan what it makes of each end point beside no treatment."""
    ends = found.study.endpoints
    rows = [[plan, *(ranged(found.of(EFFECT, plan, e)) for e in ends)] for plan in found.plans(PLANS)]
    return ["plan", *(LABELS[e] for e in ends)], rows


def gains(found: Answer) -> tuple[list[str], list[list[str]]]:
    """What combining adds to bone, with probabilities."""
    rows = []
    for plan in found.plans(TOGETHER):
        over, better = found.of(ADDITIVE, plan), found.of(BETTER, plan)
        rows.append([plan, ranged(over), probability(over), ranged(better), probability(better)])
    return ["combination", "over the sum of its parts", "P", "over the better single", "P"], rows


def values(found: Answer) -> dict[str, np.ndarray]:
    """The answers whose uncertainty is taken apart."""
    both = "graft + senolytic"
    return {
        "what a graft alone gives": found.of(EFFECT, "graft"),
        "what a senolytic alone gives": found.of(EFFECT, "senolytic"),
        "what both give over the sum": found.of(ADDITIVE, both),
    }


def worth(found: Answer) -> tuple[list[str], list[list[str]]]:
    """What is not known, its share in each answer, and what would tell."""
    parts = [unknowns(found, value) for value in values(found).values()]
    names = sorted({name for part in parts for name in part}, key=lambda name: -max(p.get(name, 0) for p in parts))
    rows = []
    for name in names:
        told = UNKNOWNS.get(name, ((), "fitted to trials in part; more of them"))[1]
        rows.append([name, *(f"{100 * p[name]:.0f} %" if name in p else "" for p in parts), told])
    return ["not known", *values(found), "what would tell"], rows


def told_by_scans(endpoint: str) -> float:
    """The change in % that two scans of one person tell from none, with 95 % certainty."""
    return 1.96 * 2**0.5 * parameters.load("observation")[f"precision_{endpoint}"].value


def first_sentence(woman: Answer, mouse: Answer) -> str:
    """The answer to the question."""
    graft, over = woman.of(EFFECT, "graft"), woman.of(ADDITIVE, "graft + senolytic")
    least, mice = told_by_scans(woman.bone), mouse.of(EFFECT, "graft")
    enough = float(np.mean(graft > least))
    verdict = "No, as far as this model can tell" if enough < 0.05 else "Hardly" if enough < 0.5 else "Perhaps"
    most = float(np.quantile(over, uncertainty.UPPER))
    around = "no synergy to speak of" if most < 0.1 * float(graft.mean()) else "which may or may not be synergy"
    return (
        f"**{verdict}:** one graft into a vein gives a woman of 70 {ranged(graft)} points of spine BMD in a year; "
        f"the probability that this is more than two scans can tell ({decimals(least, 1)} %) is "
        f"{probability(graft, least)}. A senolytic beside it gives {ranged(woman.of(BETTER, 'graft + senolytic'))} "
        f"points over the better of the two, and {ranged(over)} over their sum: {around}. In a mouse that lacks "
        f"progenitors the graft gives {ranged(mice)} points of trabecular bone in half a year. Whether a senolytic "
        "and a graft are more than their sum has never been tested in bone."
    )


def markdown(woman: Answer, mouse: Answer) -> str:
    """What the page holds of numbers."""
    parts = [first_sentence(woman, mouse)]
    for found in (woman, mouse):
        title, month = found.study.title, int(found.study.visits[-1])
        what = LABELS[found.bone]
        parts.append(f"### {title}: month {month}")
        parts.append(
            f"Each plan less no treatment, in points of % (5 to 95 % of the draws):\n\n{_table(*effects(found))}"
        )
        parts.append(
            f"What combining adds, {what}, and the probability that it is above 0:\n\n{_table(*gains(found))}"
        )
        parts.append(f"What decides it ({what}), by share of what is open:\n\n{_table(*worth(found))}")
    parts.append(f"Made with {woman.made_with}, and {mouse.made_with}.")
    return "\n\n".join(parts) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def picture(woman: Answer, mouse: Answer) -> Figure:
    """A row for each: what plans give, what both add over the sum, and what is not known of a graft alone."""
    with figures.style():
        figure = Figure(figsize=(12.5, 7.2), layout="constrained")
        for row, found in zip(figure.subplots(2, 3), (woman, mouse), strict=True):
            _plans(row[0], found)
            _over(row[1], found)
            _open(row[2], found)
        figure.suptitle("Points of % beside no treatment; bars: 5 to 95 % of draws", x=0.01, ha="left", fontsize=10)
    return figure


def _plans(ax: Axes, found: Answer) -> None:
    names = found.plans(PLANS)
    for y, plan in enumerate(names):
        value = found.of(EFFECT, plan)
        ax.plot(np.quantile(value, (uncertainty.LOWER, uncertainty.UPPER)), [y, y], color=figures.COLOURS[0], lw=2)
        ax.plot(value.mean(), y, "o", color=figures.COLOURS[0], mec=figures.INK)
    ax.axvline(0, color=figures.INK, lw=0.8)
    ax.set_yticks(range(len(names)), [name.replace("senolytic + zole", "senolytic\n+ zole") for name in names])
    ax.invert_yaxis()
    ax.set_title(f"{found.study.title}:\n{LABELS[found.bone]}, month {int(found.study.visits[-1])}")


def _over(ax: Axes, found: Answer) -> None:
    both = "graft + senolytic"
    for kind, label, colour in ((ADDITIVE, "over the sum", figures.COLOURS[1]),
                                (BETTER, "over the better single", figures.COLOURS[2])):  # fmt: skip
        value = np.sort(found.of(kind, both))
        ax.plot(value, np.arange(1, len(value) + 1) / len(value), color=colour, label=label, lw=1.8)
    ax.axvline(0, color=figures.INK, lw=0.8)
    ax.set_ylim(0, 1)
    ax.set_ylabel("share of draws below")
    ax.set_title("graft + senolytic:\nwhat combining adds, points")
    ax.legend(frameon=False, loc="lower right")


def _open(ax: Axes, found: Answer) -> None:
    parts = list(unknowns(found, found.of(EFFECT, "graft")).items())[:6]
    ax.barh(range(len(parts)), [100 * part for _, part in parts], color=figures.COLOURS[3])
    ax.set_yticks(range(len(parts)), [textwrap.fill(name, 30) for name, _ in parts], fontsize=7.5)
    ax.invert_yaxis()
    ax.set_xlim(0, 100)
    ax.set_title("A graft alone:\nwhat its uncertainty comes from, %")


def updated(page: str, content: str) -> str:
    """The page with what lies between its two marks replaced."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise OsteonError(f"{PAGE}: the lines {BEGIN!r} and {END!r} must stand in it once each, in this order")
    return page[: page.index(BEGIN)] + f"{BEGIN}\n\n{content}\n" + page[page.index(END) :]


def main(n: int, out: Path | None, update_docs: bool) -> None:
    woman, mouse = answer("woman", n), answer("mouse", n)
    for found in (woman, mouse):
        print(f"{found.study.title}, month {int(found.study.visits[-1])} ({found.made_with})\n")
        for heads, rows in (effects(found), gains(found), worth(found)):
            print_table([(head, index > 0) for index, head in enumerate(heads)], rows)
            print()
    text = markdown(woman, mouse)
    print(text.splitlines()[0])
    if out:
        figures.save(picture(woman, mouse), out / PICTURE.name)
        files.write_whole(out / PAGE.name, text)
        print(f"\nwrote {PICTURE.name} and {PAGE.name} to {out}")
    if update_docs:
        page = updated(files.read_text(PAGE), text)
        figures.save(picture(woman, mouse), PICTURE)
        files.write_whole(PAGE, page)
        print(f"\nwrote {PAGE} and {PICTURE}")
    print(f"\n{NOTICE}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"draws of the model to run (default {DRAWS})")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the picture and the tables")
    parser.add_argument("--update-docs", action="store_true", help="put both into docs/ (in a checkout)")
    given = parser.parse_args()
    try:
        main(given.draws, given.out, given.update_docs)
    except OsteonError as problem:
        parser.exit(2, f"error: {problem}\n")
