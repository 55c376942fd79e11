"""Hosts: gates with reasons, ways, costs, sets, stability, and the real records that are worth naming."""

import datetime

import pytest

from osteon.ancillary import rank
from osteon.ancillary.host import host, status_at
from osteon.ancillary.prior import AssumedPrior, People
from osteon.ancillary.rank import Choice, best_set, choose, judge
from osteon.ancillary.tables import load
from osteon.ancillary.value import evpi
from osteon.errors import InputError
from osteon.registry import Record, extract
from trial_records import study

AT = datetime.date(2022, 10, 10)
TABLES = load()
PRIOR = AssumedPrior(TABLES)
LOCAL = {
    "armsInterventionsModule.interventions": [{"type": "BIOLOGICAL", "name": "Allogeneic MPC", "description": "transendocardial injection of MPC"},
                                              {"type": "PROCEDURE", "name": "Sham"}],
    "armsInterventionsModule.armGroups": [{"label": "MPC", "type": "EXPERIMENTAL"}, {"label": "Sham", "type": "SHAM_COMPARATOR"}],
    "conditionsModule.conditions": ["Heart Failure"],
    "identificationModule.briefTitle": "MPC in Heart Failure", "identificationModule.officialTitle": "MPC in Heart Failure",
    "designModule.enrollmentInfo": {"count": 566},
    "descriptionModule.briefSummary": "",
}  # fmt: skip


def one(nct="NCT09000001", **changes):
    return Record(study(nct, **changes), "2022-10-01")


def judged(**changes):
    return judge(one(**changes), AT, TABLES, PRIOR)


def test_a_host():
    found = judged()
    assert isinstance(found, Choice)
    assert found.mode.name == "dxa+markers"
    assert (found.mode.treated, found.mode.control) == (30, 30)
    assert found.host.disease == "frailty"
    assert found.host.tau < 1
    assert found.enbs == pytest.approx(found.evsi - found.mode.cost)
    assert list(found.as_dict()) == ["nct", "enbs", "evsi", "cost", "mode", "why"]


def test_small_in_frailty_before_large_in_the_heart():
    ranking = rank([one(), one("NCT09000002", **LOCAL)], AT, draws=0)
    assert [c.host.nct for c in ranking.hosts] == ["NCT09000001", "NCT09000002"]
    assert ranking.hosts[1].host.tau > 2


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"statusModule.overallStatus": "COMPLETED"}, "closed"),
        ({"statusModule.overallStatus": "WITHDRAWN"}, "closed"),
        ({"statusModule.studyFirstSubmitDate": "2023-01-01"}, "not-registered-yet"),
        ({"statusModule.overallStatus": "UNKNOWN"}, "status-unknown"),
        ({"eligibilityModule.maximumAge": "18 Months", "eligibilityModule.minimumAge": None}, "age"),
        ({"designModule.enrollmentInfo.count": 6}, "size"),
        ({"designModule.enrollmentInfo": None}, "size"),
        ({"outcomesModule.primaryOutcomes": [{"measure": "x", "timeFrame": "28 days"}]}, "follow-up"),
        ({"designModule.studyType": "EXPANDED_ACCESS"}, "design"),
        ({"statusModule.overallStatus": "ACTIVE_NOT_RECRUITING"}, "enrolment-over"),
        ({"statusModule.overallStatus": "RECRUITING", "statusModule.startDateStruct": {"date": "2019-01"},
          "statusModule.completionDateStruct": {"date": "2023-03"}}, "time-left"),
        ({"armsInterventionsModule.armGroups": [{"label": "Cells", "type": "EXPERIMENTAL"}],
          "outcomesModule.secondaryOutcomes": [{"measure": "Bone mineral density"}]}, "already-measures-bone"),
        ({"armsInterventionsModule": None, "identificationModule.briefTitle": "Walking", "identificationModule.officialTitle": "Walking"},
         "therapy"),
    ],
)  # fmt: skip
def test_gates(changes, gate):
    found = judged(**changes)
    assert found["gate"] == gate
    assert found["why"]
    assert all(found["why"])


def test_open_is_judged_at_the_day():
    record = one(**{"statusModule.overallStatus": "COMPLETED", "statusModule.startDateStruct": {"date": "2021-06"},
                    "statusModule.completionDateStruct": {"date": "2024-06"}})  # fmt: skip
    later = Record(record.raw, "2024-12-16")
    assert status_at(record, AT) == "COMPLETED"  # as the registry said then
    assert status_at(later, AT) == "RECRUITING"  # a younger version, judged by its dates
    assert status_at(later, datetime.date(2020, 1, 1)) == "NOT_YET_RECRUITING"
    over = one(
        **{"statusModule.overallStatus": "RECRUITING", "statusModule.completionDateStruct": {"date": "2022-01"}}
    )
    assert status_at(over, AT) == "COMPLETED"


def test_banked_serum_keeps_a_completed_study():
    found = judged(
        **{
            "statusModule.overallStatus": "COMPLETED",
            "descriptionModule.detailedDescription": "Serum samples will be stored.",
        }
    )
    assert found.mode.name == "banked-serum"
    assert found.mode.cost < judged().mode.cost


def test_ct_is_offered():
    record = one(**{"outcomesModule.secondaryOutcomes": [{"measure": "Chest CT"}]})
    choice, _ = choose(host(record, extract(record), AT, TABLES), TABLES, PRIOR)
    assert "opportunistic-ct" in [choice.mode.name, *(name for name, _ in choice.others)]


def test_controls_that_get_cells_later_cut_the_follow_up():
    found = judged(**{"designModule.designInfo.interventionModel": "CROSSOVER"})
    assert found.host.months == 6
    assert any("later" in line for line in found.why)


def test_uncontrolled_study_of_thousands_does_not_rank_high():
    big = one("NCT09000003", **{"designModule.enrollmentInfo": {"count": 5000}, "conditionsModule.conditions": list("abcdefghij"),
                                "armsInterventionsModule.armGroups": [{"label": f"Cells for {c}", "type": "EXPERIMENTAL"} for c in "abc"],
                                "designModule.designInfo": {"allocation": "NON_RANDOMIZED"}})  # fmt: skip
    ranking = rank([big, one()], AT, draws=0)
    assert ranking.hosts[0].host.nct == "NCT09000001"
    assert ranking.hosts[-1].enbs < 0


def test_add_on_design_keeps_its_contrast():
    """Both arms get teriparatide: the contrast is the cells."""
    groups = [{"label": "MSC group", "type": "EXPERIMENTAL", "interventionNames": ["Drug: MSC", "Drug: Teriparatide"]},
              {"label": "Teriparatide group", "type": "ACTIVE_COMPARATOR", "interventionNames": ["Drug: Teriparatide"]}]  # fmt: skip
    record = one(**{"armsInterventionsModule.armGroups": groups})
    found = host(record, extract(record), AT, TABLES)
    assert (found.treated, found.control) == (30, 30)


def test_information_is_never_worth_more_than_perfect_knowledge():
    ranking = rank([one(), one("NCT09000002", **LOCAL)], AT, draws=0)
    for choice in ranking.hosts:
        best = evpi(
            *choice.prior, TABLES("worth", "threshold"), TABLES("worth", "per_point") * TABLES("worth", "people")
        )
        assert 0 <= choice.evsi <= best


def test_sets_have_diminishing_returns_and_keep_the_budget():
    hosts = rank([one(f"NCT090001{i:02d}") for i in range(6)], AT, draws=0).hosts
    rows = best_set(hosts, TABLES, 400_000)
    assert rows
    assert rows[-1]["spent"] <= 400_000
    gains = [row["adds"] for row in rows]
    assert gains == sorted(gains, reverse=True)
    assert best_set(hosts, TABLES, 0) == []


def test_stability():
    ranking = rank([one(), one("NCT09000002", **LOCAL)], AT, draws=200, seed=3)
    again = rank([one(), one("NCT09000002", **LOCAL)], AT, draws=200, seed=3)
    assert ranking.stability == again.stability
    assert ranking.stability[0]["rank"] == 1
    assert all(1 <= row["low"] <= row["rank"] <= row["high"] <= 2 for row in ranking.stability)


def test_prior_is_an_interface():
    draws = PRIOR("msc", People(65, "all", "frailty"), 12, 1000)
    assert draws.mean() == pytest.approx(TABLES("prior", "msc_mean"))
    assert draws.std() == pytest.approx(TABLES("prior", "msc_sd"), rel=0.01)
    assert PRIOR("msc", People(65, "all", "frailty"), 6, 1000).mean() == pytest.approx(
        TABLES("prior", "msc_mean") / 2
    )

    def certain(therapy, people, months, n):
        import numpy as np

        return np.full(n, 3.0)

    assert judge(one(), AT, TABLES, certain).evsi == 0  # nothing to learn


def test_tables_can_be_changed(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[costs]\ndxa = 1000\n[costs_are]\ncurrency = "USD"\nyear = 2025\n[prior]\nmsc_mean = {value = -1.0}\n',
        "utf-8",
    )
    mine = load(path)
    assert (mine("costs", "dxa"), mine("prior", "msc_mean"), mine.currency, mine.year) == (1000, -1, "USD", 2025)
    assert judge(one(), AT, mine, AssumedPrior(mine)).mode.cost > judged().mode.cost


@pytest.mark.parametrize(
    ("text", "hint"),
    [("[cost]\n", "costs"), ("[costs]\ndxaa = 1\n", "dxa"), ("[costs]\ndxa = 'x'\n", "number"), ("[costs]\ndxa = -1\n", "negative"),
     ("[costs\n", "TOML"), ("costs = 1\n", "section")],
)  # fmt: skip
def test_tables_that_are_wrong(tmp_path, text, hint):
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=hint):
        load(path)


def test_every_number_says_where_it_is_from():
    for section, entries in TABLES.entries.items():
        for name, entry in entries.items():
            assert entry["origin"], (section, name)
            assert entry["unit"], (section, name)


def test_real_records(shared, tmp_path, monkeypatch):
    from osteon.registry.files import read
    from osteon.registry.store import Store

    monkeypatch.setattr(Store, "_draw", lambda *_: None)  # a ranking asks for less than all that can be drawn
    store = Store(tmp_path / "r")
    for path in sorted((shared / "registry").glob("*.jsonl.gz")):
        store.add(read(path), path.name)
    records = store.records("2022-10-10")
    ranking = rank(records, AT)
    order = [c.host.nct for c in ranking.hosts]
    excluded = {row["nct"]: row for row in ranking.excluded}
    assert len(records) == len(order) + len(excluded) == 1914
    assert excluded["NCT06325566"]["gate"] == "not-registered-yet"
    assert "NCT05284604" in order  # an open host in frailty
    assert excluded["NCT02065245"]["gate"] == "closed"
    assert excluded["NCT03169231"]["gate"] == "closed"
    assert excluded["NCT02032004"]["gate"] == "closed"
    assert excluded["NCT03706482"]["gate"] == "age"
    assert excluded["NCT02566655"]["gate"] == "already-measures-bone"
    assert order.index("NCT04684602") > 0.8 * len(order)
