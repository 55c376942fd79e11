"""The report of a virtual trial: one HTML page that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.report import figures, pages
from osteon.result import provenance
from osteon.therapies import catalogue
from osteon.trial import measure
from osteon.trial.analyse.plan import plan_of, stacked
from osteon.trial.settings import Measurement
from osteon.units import MONTH_DAYS, YEAR_DAYS, number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study
    from osteon.trial.analyse.plan import Findings

_COLUMNS = 2
_FEATURES = {
    "age": ("Age, years", 1), "weight_kg": ("Weight, kg", 1), "years_since_menopause": ("Years since menopause", 1),
    "t_lumbar_spine": ("T-score, lumbar spine", 2), "t_total_hip": ("T-score, total hip", 2),
    "t_femoral_neck": ("T-score, femoral neck", 2), "senescent_burden": ("Senescent burden, relative", 2),
}  # fmt: skip
_METHODS = {
    "ancova": "analysis of covariance at each visit, adjusted for the value at month 0",
    "mmrm": "mixed model for repeated measures with an unstructured covariance (REML, Satterthwaite's degrees of "
    "freedom), adjusted for the value at month 0 at each visit",
}
_MISSING = {
    "observed": "values that are missing are left out", "locf": "the last value is carried forward",
    "baseline": "the value at month 0 is carried forward", "multiple": "values that are missing are imputed",
}  # fmt: skip


def changes(findings: Findings, study: Study) -> Figure | None:
    """Adjusted mean change with its limits by visit, a panel per end point and a line per arm; None without any."""
    table = findings.table[findings.table["statistic"] == "mean_pct_change"]
    names = [name for name in study.endpoints if name in set(table["endpoint"])]
    if not names:
        return None
    rows = -(-len(names) // _COLUMNS)
    with figures.style():
        figure = Figure(figsize=(9, 0.8 + 2.5 * rows), layout="constrained")
        axes = np.atleast_1d(figure.subplots(rows, min(_COLUMNS, len(names)), squeeze=False)).ravel()
        last = max(study.visits)
        for ax, name in zip(axes, names, strict=False):
            for place, arm in enumerate(study.arms):
                part = table[(table["endpoint"] == name) & (table["arm"] == arm.name)]
                apart = last * 0.006 * (place - (len(study.arms) - 1) / 2)  # so that bars do not hide each other
                numbers = part[["month", "value", "lower", "upper"]].to_numpy(float)
                x, y, low, high = np.vstack([np.zeros(4), numbers]).T
                x[1:] += apart
                ax.errorbar(
                    x, y, yerr=[y - low, high - y], color=_colour(place), lw=1.6, elinewidth=0.9, capsize=2,
                    marker="o", ms=3.5, label=_plain(arm.name),
                )  # fmt: skip
            ax.axhline(0, color=figures.FAINT, lw=0.8)
            ax.set_title(ENDPOINTS[name].label)
            ax.set_ylabel("% change")
            ax.set_xlabel("months")
        for ax in axes[len(names) :]:
            ax.set_visible(False)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=min(3, len(labels)))
    return figure


def risks(findings: Findings, study: Study) -> Figure | None:
    """Cumulative risk (1 − Kaplan–Meier) with its limits, a panel per kind of fracture; None without any."""
    names = list(findings.curves)
    if not names:
        return None
    arms = [findings.reference, *(a.name for a in study.arms if a.name != findings.reference)]
    with figures.style():
        figure = Figure(figsize=(9, 3.3), layout="constrained")
        axes = figure.subplots(1, len(names), squeeze=False).ravel()
        for ax, name in zip(axes, names, strict=True):
            curve = findings.curves[name]
            for place, arm in enumerate(arm.name for arm in study.arms):
                part = curve[curve["arm"] == arms.index(arm)]
                numbers = part[["risk", "lower", "upper"]].to_numpy(float)
                x, (risk, low, high) = part["time"].to_numpy() / YEAR_DAYS, 100 * numbers.T
                ax.step(x, risk, where="post", color=_colour(place), lw=1.6, label=_plain(arm))
                ax.fill_between(x, low, high, step="post", color=_colour(place), alpha=0.15, lw=0)
            ax.set_title(ENDPOINTS[name].label)
            ax.set_xlabel("years")
        axes[0].set_ylabel("% with a fracture")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=min(3, len(labels)))
    return figure


def _colour(place: int) -> str:
    return figures.COLOURS[place % len(figures.COLOURS)]


def _plain(label: str) -> str:
    """matplotlib hides labels that begin with an underscore."""
    return label.replace("_", " ", 1) if label.startswith("_") else label


def flow(observed: xr.Dataset, study: Study, primary: tuple[str, float]) -> pd.DataFrame:
    """People by arm: randomised, how each ended (by `measure.STATUS`), and analysed (with a value of the primary end
    point at its month; all of them where that is a fracture)."""
    name, month = primary
    rows = []
    for arm in study.arms:
        status = observed["status"].sel(arm=arm.name).to_numpy()
        counts = {word: int((status == k).sum()) for k, word in enumerate(measure.STATUS)}
        analysed = int((status != measure.NO_RUN).sum())
        if name in observed and "time" in observed[name].dims:
            at = int(np.argmin(np.abs(observed["time"].to_numpy() - month * MONTH_DAYS)))
            analysed = int(np.isfinite(observed[name].isel(draw=0, time=at).sel(arm=arm.name).to_numpy()).sum())
        rows.append({"arm": arm.name, "randomised": len(status), **counts, "analysed": analysed})
    return pd.DataFrame(rows)


def baseline(observed: xr.Dataset, study: Study) -> list[tuple[str, list[str]]]:
    """Rows of the table of people at month 0: what, and mean (SD) or share by arm."""
    rows = []

    def by_arm(name: str) -> list[np.ndarray]:
        x = observed.coords[name]
        return [(x.sel(arm=arm.name) if "arm" in x.dims else x).to_numpy() for arm in study.arms]

    for name, (label, digits) in _FEATURES.items():
        if name in observed.coords:
            rows.append((label, [_mean_sd(x.astype(float), digits) for x in by_arm(name)]))
    if "sex" in observed.coords:
        rows.append(("Women, %", [f"{100 * np.mean(x == 'female'):.0f}" for x in by_arm("sex")]))
    if "prior_vertebral_fracture" in observed.coords:
        shares = [f"{100 * np.mean(x.astype(float)):.0f}" for x in by_arm("prior_vertebral_fracture")]
        rows.append(("Prior vertebral fracture, %", shares))
    for name in (n for n in study.endpoints if n in observed and ENDPOINTS[n].kind in ("bmd", "marker")):
        units = observed[name].attrs.get("units", "")
        label = f"{ENDPOINTS[name].label}, {'relative to youth' if units == '1' else units}"
        values = [stacked(observed, name, [arm.name])[0][:, 0] for arm in study.arms]
        rows.append((label, [_mean_sd(x, 3) for x in values]))
    return rows


def _mean_sd(x: np.ndarray, digits: int) -> str:
    x = x[np.isfinite(x)]
    return f"{x.mean():.{digits}f} ({x.std():.{digits}f})".replace("-", "−") if len(x) else "–"


def assumptions(study: Study, facts: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What the trial rests on: what, its value, source, and grade of evidence."""
    settings = study.measurement or Measurement()
    known, observation = parameters.load("measurement"), parameters.load("observation")
    rows = [(f"effect of {name}", "the model's", catalogue.get(name).evidence_why, grade)
            for name, grade in facts.get("evidence", {}).items()]  # fmt: skip

    def setting(ident: str, text: str, given: float) -> None:
        record = known[ident]
        own = given != record.value
        rows.append((text, f"{number(given)} {record.units if record.units != '1' else ''}".strip(),
                     "the study file" if own else f"{record.source}: {record.locator}",
                     "–" if own else record.evidence))  # fmt: skip

    for name in (n for n in study.endpoints if ENDPOINTS[n].kind in ("bmd", "marker")):
        sd, record = measure.precision(name, settings), observation[f"precision_{name}"]
        own = sd != record.value
        units = "%" if ENDPOINTS[name].kind == "bmd" else "(SD of the logarithm)"
        rows.append((f"error of one measurement, {ENDPOINTS[name].label}", f"{number(sd)} {units}",
                     "the study file" if own else f"{record.source}: {record.locator}",
                     "–" if own else record.evidence))  # fmt: skip
    setting("visit_window", "visits within ± so much of their day", settings.visit_window_days)
    setting("missed_visits", "share of visits missed", settings.missed_visits)
    setting("dropout_per_year", "share who leave in a year", settings.dropout.per_year)
    setting("adherence_mean", "share of the doses taken", settings.adherence.mean)
    if settings.rescue is not None:
        setting("rescue_loss", "loss of BMD that leads to rescue; its treatment is not simulated",
                settings.rescue.loss_pct)  # fmt: skip
    return rows


def report_text(
    observed: xr.Dataset, study: Study, findings: Findings, *, acceptance: float = 1.0, notes: list[str] | None = None
) -> str:
    """The page as text. `acceptance` is the share of those asked who met the criteria of the study."""
    facts, (plan, reference, primary) = provenance(observed), plan_of(study)
    settings = study.measurement or Measurement()
    pictures = [
        (label, figures.svg(figure, inline=True))
        for label, figure in (
            ("Mean change from month 0 with its interval by visit, by arm", changes(findings, study)),
            ("Share of people with a fracture over time, by arm", risks(findings, study)),
        )
        if figure is not None
    ]
    told = flow(observed, study, primary)
    per_arm, arms = int(told["randomised"].iloc[0]), len(study.arms)
    table = findings.table
    main = table[
        (table["endpoint"] == primary[0]) & (table["month"] == primary[1]) & table["statistic"].str.contains("_vs_")
    ]
    return pages.render(
        "virtual_trial.html.jinja",
        title=study.title or study.id,
        study=study,
        facts=facts,
        per_arm=per_arm,
        people=per_arm if settings.twins else per_arm * arms,
        screened=round((per_arm if settings.twins else per_arm * arms) / acceptance) if acceptance < 1 else None,
        twins=settings.twins,
        flow=told.to_dict("records"),
        reasons=measure.STATUS[1:],
        baseline=baseline(observed, study),
        pictures=pictures,
        main=main.to_dict("records"),
        primary=primary,
        reference=reference,
        results=table.to_dict("records"),
        plan=plan,
        percent=number(round(100 * (1 - plan.alpha), 6)),
        method=_METHODS[plan.method] + ("; HC3 standard errors" if plan.robust and plan.method == "ancova" else ""),
        missing=_MISSING[plan.missing],
        assumptions=assumptions(study, facts),
        notes=notes or [],
        words=_words,
    )


def _words(statistic: str) -> str:
    """A statistic for people to read."""
    start, _, arm = statistic.partition("_vs_")
    names = {
        "mean_pct_change": ("mean change", ", %"), "difference": ("difference", ", %"),
        "risk_pct": ("risk", ", %"), "risk_ratio": ("risk ratio", ""), "hazard_ratio": ("hazard ratio", ""),
    }  # fmt: skip
    name, units = names.get(start, (start, ""))
    return name + (f" vs {arm}" if arm else "") + units
