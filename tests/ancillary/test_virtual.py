"""Osteon's virtual trials as the planner's prior: the table belongs to the shipped fit, and what becomes of it."""

import csv
import datetime
from importlib.resources import files

import numpy as np
import pytest

from osteon.ancillary import rank, virtual
from osteon.ancillary.host import host
from osteon.ancillary.prior import AssumedPrior, Given, People, VirtualPrior
from osteon.ancillary.rank import judge
from osteon.ancillary.tables import load
from osteon.ancillary.value import evpi, evsi
from osteon.registry import Record, extract
from trial_records import study

AT = datetime.date(2022, 10, 10)
TABLES = load()
PRIOR = VirtualPrior(TABLES)
OLD = People(70.0, "female", "frailty", Given(1e8, False, "IV", "allogeneic"))
SPINE = "lumbar_spine_bmd"


def people(**changes):
    return People(70.0, "female", "frailty", Given(**{"dose": 1e8, "route": "IV", "source": "allogeneic", **changes}))


def spine(who, months=12.0, therapy="msc"):
    return PRIOR.effect(therapy, who, months)[SPINE]


def test_table_is_of_the_shipped_fit():
    assert virtual.shipped().made_with == virtual.fingerprint(), "make it anew: python -m osteon.ancillary.virtual"


def test_table_is_whole():
    shipped = virtual.shipped()
    assert set(shipped.of) == {*virtual.CELLS, *virtual.SENOLYTICS}
    assert all(np.isfinite(array).all() for array in shipped.of.values())


@pytest.mark.slow
def test_a_few_cells_computed_anew():
    rows = virtual.tabulate(("msc IV", "dasatinib+quercetin"), (70.0,), ("female",), (1e8,))
    for row in rows:
        if row["donor"] == "old":
            continue
        shipped = virtual.shipped().effect(row["therapy"], age=70.0, sex="female", months=row["months"], dose=1e8)
        for name in virtual.ENDPOINTS:
            within = 0.005 if name.endswith("_bmd") else 0.1  # steps are chosen anew for other people
            assert row[f"{name}_mean"] == pytest.approx(shipped[name]["mean"], abs=within), (row["therapy"], name)
            assert row[f"{name}_sd"] == pytest.approx(shipped[name]["sd"], abs=within), (row["therapy"], name)


def test_nodes_are_met_and_between_them_lies_between():
    shipped = virtual.shipped()
    at = {dose: shipped.effect("msc IV", age=70, sex="female", months=12, dose=dose)[SPINE]["mean"]
          for dose in (3e7, 6e7, 1e8)}  # fmt: skip
    assert at[3e7] < at[6e7] < at[1e8]
    lines = files("osteon.ancillary").joinpath(virtual.FILE).read_text("utf-8").splitlines()[1:]
    row = next(r for r in csv.DictReader(lines) if [r[k] for k in ("therapy", "donor", "sex", "age", "dose", "months")]
               == ["msc IV", "young", "female", "70", "1e+08", "12"])  # fmt: skip
    assert at[1e8] == pytest.approx(float(row[f"{SPINE}_mean"]))


def test_beyond_the_table_the_nearest_counts_and_is_said():
    far = virtual.shipped().effect("msc IV", age=95, sex="all", months=60, dose=5e10)
    near = virtual.shipped().effect("msc IV", age=80, sex="all", months=36, dose=1e9)
    assert far.values == near.values
    assert len(far.notes) == 3
    assert virtual.shipped().effect("msc IV", age=70, sex="all", months=0.0)[SPINE]["mean"] == 0


def test_half_of_each_sex():
    one, other, both = (
        virtual.shipped().effect("msc IV", age=60, sex=s, months=12)[SPINE]["mean"] for s in ("female", "male", "all")
    )
    assert both == pytest.approx((one + other) / 2)


def test_directions():
    assert spine(people())["mean"] > spine(people(dose=1e7))["mean"] > 0
    own = people(source="autologous", tissue="bone marrow")
    assert spine(own)["mean"] < spine(people())["mean"]  # a person's own marrow cells count as old
    fat = People(40.0, "female", "frailty", Given(1e8, False, "IV", "autologous", "adipose"))
    assert spine(people(dose=1e6, per_kg=True))["mean"] == pytest.approx(spine(people(dose=7e7))["mean"])
    assert PRIOR.effect("msc", fat, 12.0)[SPINE]["mean"] > 0
    drug = people(senolytic="Dasatinib + Quercetin")
    assert spine(drug, therapy="senolytic")["mean"] > spine(people(senolytic="fisetin"), therapy="senolytic")["mean"]
    assert PRIOR.effect("senolytic", drug, 6.0)["total_hip_bmd"]["mean"] > 0


def test_prior_has_the_mean_of_the_draws_and_what_the_model_may_miss():
    draws = PRIOR("msc", OLD, 12.0, 1000)
    found = spine(OLD)
    assert draws.mean() == pytest.approx(found["mean"])
    assert draws.std() == pytest.approx(np.hypot(found["sd"], TABLES("prior", "structure_sd")))


def test_what_the_model_may_miss_is_what_it_missed():
    """RMS of held-out misses of spine BMD over the trials that alone have their drug."""
    text = files("osteon.parameters").joinpath("osteon", "fit", "leave_one_out.csv").read_text("utf-8")
    alone = [row for row in csv.DictReader(text.splitlines()) if row["endpoint"] == SPINE and row["alone"]]
    n = sum(int(row["n"]) for row in alone)
    missed = np.sqrt(sum(int(row["n"]) * float(row["held_out"]) ** 2 for row in alone) / n)
    assert TABLES("prior", "structure_sd") == pytest.approx(missed, abs=0.005)


def test_moments_in_place_of_skewed_draws():
    """EVSI from a skewed prior (lognormal of the draws' mean and SD, and the structural part) by simulation."""
    found, structure = spine(OLD), TABLES("prior", "structure_sd")
    rng = np.random.default_rng(1)
    s2 = np.log(1 + (found["sd"] / found["mean"]) ** 2)
    n = 400_000
    theta = rng.lognormal(np.log(found["mean"]) - s2 / 2, np.sqrt(s2), n) + rng.normal(0, structure, n)
    sd = float(np.hypot(found["sd"], structure))
    simulated = np.maximum(theta - 2.0, 0).mean()
    assert evpi(found["mean"], sd, 2.0) == pytest.approx(simulated, rel=0.05)


def test_alone_the_draws_make_information_worthless():
    """Osteon's own draws lie far below the threshold: all value rests on what the model may miss."""
    found = spine(OLD)
    assert evsi(found["mean"], found["sd"], TABLES("worth", "threshold"), 0.0) < 1e-12
    assert found["high"] < TABLES("worth", "threshold") / 2


@pytest.mark.parametrize(
    ("therapy", "given", "word"),
    [("other_cells", {}, "assumed"), ("senolytic", {"senolytic": "navitoclax"}, "assumed"), ("msc", {"dose": None}, "not stated"),
     ("msc", {"route": "intramyocardial"}, "intramyocardial"), ("msc", {"source": None}, "young donors"),
     ("senolytic", {"senolytic": "D+Q"}, "five courses")],
)  # fmt: skip
def test_why_is_said(therapy, given, word):
    assert word in " ".join(PRIOR.why(therapy, people(**given), 6.0))


def test_where_osteon_knows_nothing_the_assumed_prior_stands_in():
    assert np.array_equal(PRIOR("other_cells", OLD, 12.0, 50), AssumedPrior(TABLES)("other_cells", OLD, 12.0, 50))
    assert PRIOR.effect("other_cells", OLD, 12.0) is None


def test_a_local_host_has_the_prior_of_a_vein_and_larger_bias():
    local = people(route="intramyocardial")
    assert spine(local) == spine(people())


def test_a_host_carries_what_is_given():
    record = Record(study(), "2022-10-01")
    one = host(record, extract(record), AT, TABLES)
    assert one.subjects.given.route == one.drawn["route"]
    assert one.subjects.age == one.people.age
    found = judge(record, AT, TABLES, PRIOR)
    assert any(line.startswith("prior: osteon's virtual trials") for line in found.why)


def test_rank_uses_it_and_its_threshold_can_be_lowered(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[worth]\nthreshold = 0.5\n", "utf-8")
    record = Record(study(), "2022-10-01")
    usual, eager = (rank([record], AT, tables=t, draws=0).hosts[0] for t in (TABLES, load(path)))
    assert usual.prior == eager.prior
    assert usual.prior[0] < 0.5
    assert eager.evsi > usual.evsi > 0
