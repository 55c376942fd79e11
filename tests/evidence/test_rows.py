"""The shipped evidence against the tables it was built from, row by row.

Needs the development data (OSTEON_SHARED, or `shared` beside the checkout); skipped without them. The YAML is
read as plain data here, so that a mistake in the loader cannot hide a mistake in the files.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

EVIDENCE = Path(__file__).parents[2] / "src" / "osteon" / "evidence"
TABLES = ("natural_history", "population", "physiology", "ageing_biology")
T_SCORES = {"lumbar_spine": "t_ls", "total_hip": "t_th", "femoral_neck": "t_fn"}
AGE = {"mean": "mean_age", "sd": "sd_age", "min": "age_min", "max": "age_max"}
PLAIN = {
    "n": "n_randomised",
    "years_since_menopause": "years_since_menopause_mean",
    "prior_vertebral_fracture_pct": "prevalent_vertebral_fracture_pct",
    "prior_fracture_pct": "prior_fracture_pct",
    "bmi": "bmi_mean",
    "ctx_ng_ml": "ctx_mean",
    "p1np_ug_l": "p1np_mean",
    "bmd_lumbar_spine_g_cm2": "bmd_ls_mean",
}
# Numbers that the files give on purpose otherwise than populations.csv; the note beside them says why.
PEOPLE_EXCEPT = {
    ("FRAME", "all", "mean_age"): 70.9,  # the report's own decimal, as in trials.csv; the label has 71
    ("FLEX", "ALN10y", "mean_age"): 68.0,  # these two arms start at the FIT baseline
    ("FLEX", "ALN5y_PBO5y", "mean_age"): 68.0,
    ("PEPI", "all", "sd_age"): 4.2,  # from the substudy, whose other row has no arm of its own
    ("PEPI", "all", "years_since_menopause_mean"): 5.7,
    ("PEPI", "all", "bmi_mean"): 25.9,
    ("FIT_VFA", "all", "mean_age"): 70,  # found later, in a meta-analysis' table of trials
    ("MORE", "all", "years_since_menopause_mean"): 19,  # found later, in the label; a median
}


def _trials():
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (EVIDENCE / "trials").glob("*.yaml")}


TRIALS = _trials()


def _read(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def points():
    """Every point with its curve and its trial, by the row it came from."""
    return {
        point["row"]: (trial, curve, point)
        for trial in TRIALS.values()
        for curve in trial["curves"]
        for point in curve["points"]
    }


@pytest.fixture
def rows(shared):
    return _read(shared / "evidence" / "trials.csv")


@pytest.fixture
def pairs(rows, points):
    """(row of the table, trial, curve, point) for every row."""
    return [(row, *points[int(row["row_id"])]) for row in rows]


def _number(text):
    return float(text) if text else None


def _as_coded(point, field, text):
    """Whether a number of the point, or the one it had before mending, is the number of the table."""
    value = point["was"][field] if field in point.get("was", {}) else point.get(field)
    return value == _number(text)


def test_every_row_is_there_once(rows):
    ours = Counter(p["row"] for trial in TRIALS.values() for c in trial["curves"] for p in c["points"])
    assert ours == Counter(int(row["row_id"]) for row in rows)


def test_trials(rows):
    by_study = {row["study_id"]: row for row in rows}
    assert set(TRIALS) == set(by_study)
    for study, row in by_study.items():
        trial = TRIALS[study]
        assert (trial["id"], trial["title"], trial["year"]) == (study, row["trial_name"], int(row["year"]))
        assert trial["use"] == row["proposed_use"]
        assert trial["people"]["description"] == row["population"]
        registry = row["registry_id"].split(" ")[0]
        assert trial.get("registry", {}).get("id", "") == registry
    assert all(row["proposed_use"] == TRIALS[row["study_id"]]["use"] for row in rows)


def test_rows_are_in_their_trial(pairs):
    assert [row["row_id"] for row, trial, _, _ in pairs if trial["id"] != row["study_id"]] == []


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("unit", "unit"),
        ("kind", "value_kind"),
        ("confidence", "confidence"),
        ("statistic", "statistic"),
        ("endpoint_coded", "endpoint"),
        ("curve", "curve_id"),
    ],
)
def test_text(pairs, key, column):
    wrong = [row["row_id"] for row, _, curve, point in pairs if point.get(key, curve[key]) != row[column]]
    assert wrong == []


def test_numbers(pairs):
    for row, _, _, point in pairs:
        bar = row["unc_type"].lower() if row["unc_type"] in ("SE", "SD") else "low"
        assert _as_coded(point, bar, row["unc_low"]), row["row_id"]
        assert _as_coded(point, "high", row["unc_high"]), row["row_id"]
        if "value_range" in point:
            low, high = point["value_range"]
            text = f">={low}" if high is None else f"{low}-{high}"
            assert (point["value"], text) == (None, row["value"])
        else:
            assert _as_coded(point, "value", row["value"]), row["row_id"]


def test_months(pairs):
    for row, _, _, point in pairs:
        if "months" in point:
            assert "-".join(f"{month:g}" for month in point["months"]) == row["time_months"]
        else:
            assert _as_coded(point, "month", row["time_months"]), row["row_id"]


def test_uncertainty(pairs):
    for row, _, curve, point in pairs:
        bars = any(key in point for key in ("low", "high", "se", "sd"))
        ours = point.get("uncertainty", curve.get("uncertainty")) if bars else None
        assert (ours or "") == row["unc_type"], row["row_id"]


def test_standard_errors_are_no_limits(pairs):
    for row, _, _, point in pairs:
        if row["unc_type"] in ("SE", "SD"):
            assert "low" not in point
            assert "high" not in point


def test_comparator(pairs):
    for row, _, curve, point in pairs:
        ours = point.get("comparator", curve.get("comparator", ""))
        assert ours == row["comparator"] or (row["comparator"] in point.get("mended", "") and row["comparator"])


def test_likelihood(pairs):
    for row, _, _, point in pairs:
        used = point.get("likelihood", True)
        if used != (row["use_in_likelihood"] == "1"):
            assert not used, row["row_id"]  # mending may only take a row out
            assert point["mended"]


def test_mended_rows(pairs):
    """A mend keeps the old number, says why, and there are only these."""
    mended = {point["row"] for _, _, _, point in pairs if "mended" in point or "was" in point}
    assert mended == {560, 563, 590, 1113, 1383, 1384}
    assert all(point["mended"] for _, _, _, point in pairs if "was" in point)


def test_arms(pairs):
    for row, trial, curve, _ in pairs:
        arms = {arm["id"]: arm for arm in trial["arms"]}
        assert curve.get("arm_coded", curve["arm"]) == row["arm_id"], row["row_id"]
        assert row["regimen"] in arms[curve["arm"]]["coded_as"], row["row_id"]
        assert curve.get("minus", curve["arm"]) in arms
        if row["arm_type"] == "difference" or row["comparator"] == "placebo":
            assert curve["minus"] != curve["arm"], row["row_id"]


def test_coded_regimens_are_from_the_table(rows):
    known = {(row["study_id"], row["regimen"]) for row in rows}
    ours = {(t["id"], text) for t in TRIALS.values() for arm in t["arms"] for text in arm.get("coded_as", [])}
    assert ours == known


def test_sample_sizes(pairs):
    for row, _, curve, point in pairs:
        if row["n_arm"]:
            assert curve.get("n") == int(row["n_arm"]) or f"n={row['n_arm']}" in point["note"], row["row_id"]
        note = row["n_arm_note"]
        if note and note != "n at time=NA":
            assert note in (curve.get("n_note"), *point.get("note", "").split("; ")), row["row_id"]


def test_notes_and_places(pairs):
    for row, _, curve, point in pairs:
        assert point["at"] == row["source_location"]
        text = "; ".join([curve.get("note", ""), point.get("note", "")])
        for part in row["notes"].split("; "):
            assert part in text, row["row_id"]


def test_sources(pairs):
    for trial in TRIALS.values():
        cited = {p.get("source", c["source"]) for c in trial["curves"] for p in c["points"]}
        assert cited == set(trial["sources"])
        for source in trial["sources"].values():
            assert source["citation"]
            assert ("doi" in source) == ("doi_checked" in source)
            assert not source.get("doi_checked") or source["checked_at"]
    for row, trial, curve, point in pairs:
        source = trial["sources"][point.get("source", curve["source"])]
        coded = row["doi_pmid"].split(" ")[0]
        if coded.startswith("10."):
            assert source["doi"] == coded, row["row_id"]
        if row["doi_pmid"].startswith("PMID"):
            assert f"PMID {source['pmid']}" == row["doi_pmid"], row["row_id"]


@pytest.mark.parametrize("name", TABLES)
def test_tables(shared, name):
    ours, theirs = EVIDENCE / "tables" / f"{name}.csv", shared / "evidence" / f"{name}.csv"
    assert ours.read_bytes() == theirs.read_bytes()


def _people(study, arm):
    """The arm's people on top of the trial's."""
    trial = TRIALS[study]["people"]
    arms = {a["id"]: a.get("people", {}) for a in TRIALS[study]["arms"]}
    if arm == "all":
        return trial
    merged = {**trial, **arms[arm]}
    merged["age"] = {**trial.get("age", {}), **arms[arm].get("age", {})}
    merged["t_score"] = {**trial.get("t_score", {}), **arms[arm].get("t_score", {})}
    return merged


def test_people(shared):
    table = _read(shared / "evidence" / "populations.csv")
    seen = 0
    for row in table:
        study, arm = row["study_id"], row["arm_id"]
        if arm == "all_MDS_subset":
            continue  # in PEPI's own people, see PEOPLE_EXCEPT
        people = _people(study, arm)
        found = {column: people.get(key) for key, column in PLAIN.items()}
        found |= {column: people.get("age", {}).get(key) for key, column in AGE.items()}
        for site, column in T_SCORES.items():
            found |= {f"{column}_{k}": people.get("t_score", {}).get(site, {}).get(k) for k in ("mean", "sd")}
        for column, value in found.items():
            want = PEOPLE_EXCEPT.get((study, arm, column), _number(row[column]))
            if want is not None or arm == "all":
                assert value == want, (study, arm, column)
                seen += want is not None
        assert people["sex"] == ("male" if row["sex"] == "M" else "female")
        women = float(row["sex"].split("%")[0].removeprefix("F ")) if "%" in row["sex"] else 100
        assert people.get("share_male", 0) == pytest.approx(1 - women / 100)
        for key, column in (("confidence", "confidence"), ("how_known", "how_known"), ("entry", "inclusion_T")):
            want = row[column].replace("in trials.csv", "in the outcome table")
            assert people.get(key, "") == want or (arm != "all" and not want), (study, arm, key)
    assert seen > 100


def test_nothing_private():
    for path in (*(EVIDENCE / "trials").glob("*.yaml"), *(EVIDENCE / "tables").glob("*.csv")):
        text = path.read_text("utf-8")
        assert [w for w in ("/work/", "/tmp/", "/home/", "trials.csv", "\t") if w in text] == [], path.name
