"""The shipped evidence as checked objects, and hostile trial files."""

import pytest

import osteon
from osteon.endpoints import ENDPOINTS
from osteon.errors import EvidenceError
from osteon.evidence import load_tables, load_trial, load_trials, trial_ids
from osteon.evidence.loader import _TRIALS, TABLES
from osteon.regimen import parse_regimen

FIT = "DMAB_PH2 ROMO_PH2 BLOSO_PH2 FLEX HORIZON_PFT GREY_ZOL REID2002 MOBILE IWAMOTO2008 NEER2001 MIYAUCHI2010 PATH ACTIVE PEPI MORE"
VALIDATE = "FRAME ARCH FREEDOM DIRECT DECIDE DMAB_RIS ZOL5060 ADAMO ZOL_MEN FIT_VFA VERT_NA VERT_MN"


def test_uses_are_those_agreed_beforehand():
    assert set(load_trials("fit")) == set(FIT.split())
    assert set(load_trials("validate")) == set(VALIDATE.split())


@pytest.mark.parametrize("ident", trial_ids())
def test_every_regimen_parses_and_every_value_names_its_source(ident):
    trial = load_trial(ident)
    for arm in trial.arms:
        for text in (arm.regimen, arm.prior or "none"):
            regimen = parse_regimen(text)
            assert parse_regimen(str(regimen)) == regimen
    for curve in trial.curves:
        source = trial.sources[curve.source]
        assert source.citation
        assert source.doi or source.pmid or source.via or source.note
        for point in curve.points:
            assert point.at or curve.note or source.via, f"{curve.id}: nothing says where row {point.row} stands"


@pytest.mark.parametrize("ident", trial_ids())
def test_scored_values_are_sane(ident):
    for curve in load_trial(ident).curves:
        for p in curve.scored_points():
            assert -100 < p.value < 400
            assert 0 <= p.month <= 132
            low, high = p.bar
            if low is not None and high is not None:
                assert low <= high


def test_scored_end_points_are_known():
    known = {c.endpoint for t in load_trials().values() for c in t.curves if c.scored_points()}
    assert known <= set(ENDPOINTS)
    assert {"lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd", "p1np", "ctx", "bsap"} <= known


@pytest.mark.parametrize("name", TABLES)
def test_tables_name_their_sources(name):
    table = load_tables()[name]
    assert len(table) > 80
    column = "source" if "source" in table else "source_doi_pmid"
    assert (table[column].str.strip() != "").all()


def test_trial_as_a_study():
    study = load_trial("FRAME").study()
    assert [arm.regimen for arm in study.arms] == [
        arm.regimen for arm in load_trial("FRAME").arms if load_trial("FRAME").curves_of(arm.id)
    ]
    assert study.visits[0] == 0
    assert study.visits[-1] == 35.98
    assert osteon.run(study, model="jorg2022").sizes["arm"] == 2


def test_unknown_trial():
    with pytest.raises(EvidenceError, match="FRAME"):
        load_trial("FRAMES")


def whole(ident="FRAME"):
    return _TRIALS.joinpath(f"{ident}.yaml").read_text("utf-8")


@pytest.mark.parametrize("keep", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("at_a_line", [True, False])
def test_truncated_file(tmp_path, keep, at_a_line):
    text = whole()
    cut = text[: int(len(text) * keep)]
    if at_a_line:
        cut = cut[: cut.rindex("\n") + 1]
    path = tmp_path / "FRAME.yaml"
    path.write_text(cut, "utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_trial(str(path))
    assert "FRAME.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("use: validate", "use: both", "use"),
        ("romosozumab 210 mg SC", "romosozumab 210 mgg SC", "column"),
        ("endpoint: total_hip_bmd", "endpont: total_hip_bmd", "did you mean 'endpoint'"),
        ("arm: PBO_DMAB", "arm: PBO_DMABB", "there is no arm"),
        ("source: cosman2016", "source: nowhere", "there is no source"),
        ("value: ", "vale: ", "value"),
        ("month: ", "month: one ", "month"),
    ],
)
def test_broken_file(tmp_path, old, new, hint):
    text = whole()
    assert old in text
    path = tmp_path / "T.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(EvidenceError, match=hint):
        load_trial(str(path))


def test_impossible_values(tmp_path):
    import re

    path = tmp_path / "T.yaml"
    head, tail = whole().split("endpoint: ctx", 1)
    path.write_text(head + "endpoint: ctx" + re.sub(r"value: [-0-9.]+", "value: -100", tail, count=1), "utf-8")
    with pytest.raises(EvidenceError, match="a marker cannot fall by 100 %"):
        load_trial(str(path))


def test_an_edited_file_is_read_again(tmp_path):
    path = tmp_path / "T.yaml"
    path.write_text(whole(), "utf-8")
    assert load_trial(str(path)).year == 2016
    path.write_text(whole().replace("year: 2016", "year: 2017"), "utf-8")
    assert load_trial(str(path)).year == 2017
