"""What is drawn from a record: traps met in real registry texts, on made-up records; the real ones where they are at hand."""

import json

import pytest

from osteon.registry import Record, extract
from osteon.registry.dose import doses
from osteon.registry.files import read
from osteon.registry.record import Passage, day, nct_id, years
from trial_records import study


def drawn(**changes):
    return extract(Record(study(**changes)))


def product(name, description="", **changes):
    """A study of one product, described so."""
    return drawn(**{
        "armsInterventionsModule.interventions": [{"type": "BIOLOGICAL", "name": name, "description": description}],
        "armsInterventionsModule.armGroups": [{"label": "A", "type": "EXPERIMENTAL"}],
        "identificationModule.briefTitle": "A study", "identificationModule.officialTitle": "A study",
        "descriptionModule.briefSummary": "", **changes,
    })  # fmt: skip


def test_a_plain_record():
    found = drawn()
    want = {"cell_therapy": True, "cell_type": "mesenchymal", "source": "allogeneic", "route": "IV", "dose": 2e6, "per_kg": True,
            "control": "placebo", "n": 60, "age_min": 50, "age_max": 90, "sex": "all"}  # fmt: skip
    assert {name: one["value"] for name, one in found.main().items()} == want
    assert all(list(one) == ["value", "rule", "span", "confidence"] for one in found.main().values())
    assert found["follow_up_months"] == 12
    assert found["visits_months"] == [6, 12]


@pytest.mark.parametrize(
    ("text", "value", "per_kg"),
    [
        ("2x106 cells/kg", 2e6, True),
        ("2x106 - 6x106/kg MSC", 6e6, True),
        ("2.5 x 107 TNC/kg", 2.5e7, True),
        ("1 x 10 E7 cells", 1e7, False),
        ("1x10e7 cells", 1e7, False),
        ("6*10^6 MSCs", 6e6, False),
        ("0.5 × 10 ^ 6 / kg of MSC", 5e5, True),
        ("5 million mesenchymal cells", 5e6, False),
        ("1.5 million cells per kilogram", 1.5e6, True),
        ("20, 100 or 200 million cells", 2e8, False),
        ("15,000,000 stem cells", 1.5e7, False),
        ("2·0×106 cells/kg i.v.", 2e6, True),
        ("injection of 6.10e7 stem cells", 6e7, False),
        ("150 - 225 x 10^6 cells per patient", 2.25e8, False),
        ("2 × 10⁶ cells/kg", 2e6, True),
        ("a dose of two million cells/kg", 2e6, True),
        ("10^7 WJ-MSCs by infusion", 1e7, False),
        ("40 millions of autologous MSC", 4e7, False),
        ("10(6) autologous mesenchymal stem cells", 1e6, False),
        ("2.0 x 10,000,000 cells in 5 ml", 2e7, False),
        ("CB-AC-02, 2.0 x 10^8 cells", 2e8, False),
        ("2 times 10^6 MSC/kg", 2e6, True),
        ("target dose of 2 times 106 MSC/kg", 2e6, True),
        ("MSC - high dose (10x10ˆ7)", 1e8, False),
        ("1-2 x 1000000 cells/Kg", 2e6, True),
        ("3x1,000,000 hMSC/kg", 3e6, True),
        ("MSC at doses of 10.106, 20.106 and 40.106", 4e7, False),
        ("infused at 106 cells/kg body weight", 1e6, True),
        ("given at 106/Kg body weight", 1e6, True),
        ("5*10/7 per ischemic limb", 5e7, False),
        (r"2 \* 10\^7 cells", 2e7, False),
        ("expanded ex vivo cultured stem cells(2*10^7)", 2e7, False),
        ("1x10(6) xKg of MSC", 1e6, True),
    ],
)
def test_doses(text, value, per_kg):
    found = doses(Passage("x", text))
    top = max(found, key=lambda one: one.cells)
    assert top.cells == pytest.approx(value)
    assert top.per_kg == per_kg
    assert top.span in text


@pytest.mark.parametrize(
    "text",
    ["platelets below 50 x 10^9/L", "neutrophil count > 1.5 x 109/L", "2.0*10E8 nano vesicles", "affects 5 million people",
     "fludarabine 30 mg/m2", "hydrocortisone 100 mg", "12 months", "210 million people have COPD", "pores of 5x5 mm or more with stem cells",
     "3 (4/6) x 10^2 cells", "patients of 106 kg who receive MSC"],
)  # fmt: skip
def test_numbers_that_are_no_doses(text):
    assert doses(Passage("x", text)) == []


def test_cells_of_several_doses_together_are_no_dose():
    found = product("Autologous MSC", "a single dose of at least 10 million MSC every three months "
                    "(maximum four doses in total and at least 40 million of MSC in total)")  # fmt: skip
    assert found["dose"] == 1e7
    assert product("MSC", "3 doses of 90 million cells (cumulative dose of up to 270 million cells)")["dose"] == 9e7


def test_arms_that_differ_in_dose_alone_or_get_the_carrier():
    def arms(model, *texts, labels=()):
        rows = [
            {"label": label, "type": "EXPERIMENTAL", "description": text, "interventionNames": ["Biological: MSC"]}
            for label, text in zip(labels or "123", texts, strict=False)
        ]
        changes = {
            "designModule.designInfo.interventionModel": model,
            "designModule.designInfo.allocation": "NA",
            "armsInterventionsModule.armGroups": rows,
        }
        return product("MSC", **changes)["control"]

    assert arms("SINGLE_GROUP", "2 x 10^6 MSC/kg", "4 x 10^6 MSC/kg") == "dose"
    assert arms("SINGLE_GROUP", "4 x 10^6 MSC/kg for GVHD", "2 x 10^6 MSC/kg", "2 x 10^6 MSC/kg + DLI") == "none"
    assert arms("CROSSOVER", "an infusion", "an infusion", labels=("MSC", "Suspension media")) == "placebo"


def test_implausible_dose_is_flagged():
    found = product("Allogeneic hMSC", "100 million allo-hMSCs/kg, intravenous")
    assert (found["dose"], found["per_kg"], found["dose_flag"]) == (1e8, True, "implausible")
    assert found.value("dose").rule.endswith("implausible")
    assert found.value("dose").confidence < 0.5


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("MSC given intravenously", "IV"),
        ("UC-MSC, iv, once a week", "IV"),
        ("subcutaneous fat biopsy; intra-arterial infusion of MSC", "intra-arterial"),
        ("MSC injected into the subcutaneous tissue", "subcutaneous"),
        ("injection of a lumbar disc with stem cells", "intradiscal"),
        ("injection of stem cells to the knee", "intra-articular"),
        ("bronchoscopic delivery of stromal cells", "intratracheal"),
        ("MSC infused into the infarct-related vessel", "intracoronary"),
        ("a single IV infusion of cells", "IV"),
        ("cells infused by a peripheral vein", "IV"),
        ("infusion of MSC", "unstated"),
        ("intracoronary infusion of MSC", "intracoronary"),
        ("transendocardial injections of MSCs", "intramyocardial"),
        ("MSC infused into the portal vein", "intraportal"),
        ("intra-articular injection of cells", "intra-articular"),
        ("cells given by lumbar puncture", "intrathecal"),
        ("intravenous and intrathecal injection of cells", "intrathecal + IV"),
        ("intramedullary injection of MSC into the fractured vertebra", "local"),
        ("cells for NYHA class IV heart failure", "unstated"),
        ("cells for GVHD grade III or IV", "unstated"),
        ("hydrocortisone 100 mg iv before infusion of cells", "unstated"),
        ("aerosol inhalation of MSC", "inhaled"),
        ("transcoronary administration of cells", "intracoronary"),
        ("MSC injected into the superior pancreatic duodenal artery", "intra-arterial"),
        ("i/v infusions of cells", "IV"),
        ("UC-MSC infusion by introvenus", "IV"),
        ("MSC injected into the renal parenchyma, intra-parenchymal, 3 sites in each kidney", "local"),
        ("cells placed on the surface of the repaired rotator cuff", "local"),
        ("laparoscopic injection of stem cells in the ovaries", "local"),
        ("MSC given to patients with kidney transplants", "unstated"),
        ("intravenous infusion and intralesional injection of cells", "IV + local"),
    ],
)
def test_routes(text, route):
    assert product("Allogeneic MSC", text)["route"] == route


@pytest.mark.parametrize(
    ("name", "description", "given"),
    [
        ("Autologous bone marrow concentrate", "", True),
        ("Stromal vascular fraction", "", True),
        ("MSC-derived exosomes", "exosomes derived from mesenchymal stem cells", False),
        ("Conditioned medium", "conditioned medium of umbilical cord mesenchymal stem cells", False),
        ("MSC + Secretome", "", True),
        ("Platelet rich plasma", "injection of plasma", False),
        ("Imatinib", "for gastrointestinal stromal tumours", False),
        ("X-17", "Suspension of autologous chondrocytes implanted in the defect", True),
        ("Dasatinib", "given for three days", False),
        ("Surgery with bone marrow concentration", "", True),
        ("SMUP-IA-01", "a single knee administration", True),
        ("ZZ-17", "a single administration of 2.0 x 10^7 cells/2mL", True),
        ("MSCs Derived Pleiotropic Factors", "injected on the wound", False),
    ],
)
def test_cell_therapy(name, description, given):
    found = product(name, description)
    assert found["cell_therapy"] is given
    if not given:
        assert found["route"] is None


def test_recipients_of_a_graft_are_no_cell_therapy():
    found = product(
        "Exercise", "a programme", **{"identificationModule.briefTitle": "Exercise after Stem Cell Transplantation"}
    )
    assert found["cell_therapy"] is False


@pytest.mark.parametrize(
    ("title", "arm"),
    [
        ("Collection of Bone Marrow for Production of MSC", "A sample of bone marrow is collected"),
        (
            "Stem Cells in the Synovial Fluid of Patients",
            "patients who have concentrations of mesenchymal stem cells",
        ),
    ],
)
def test_cells_that_are_collected_or_measured_are_not_given(title, arm):
    found = drawn(**{
        "designModule.studyType": "OBSERVATIONAL", "identificationModule.briefTitle": title,
        "identificationModule.officialTitle": title, "armsInterventionsModule.interventions": [],
        "armsInterventionsModule.armGroups": [{"label": "People", "description": arm}],
    })  # fmt: skip
    assert found["cell_therapy"] is False
    assert found["control"] == "none"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("Autologous MSC", "autologous"),
        ("Allogenic MSC", "allogeneic"),
        ("MSC of the patient's own fat cells", "autologous"),
        ("Umbilical cord MSC", "allogeneic"),
        ("Autologous or allogeneic MSC", "both"),
        ("MSC", "undeclared"),
        ("MSC after allogeneic hematopoietic transplantation", "undeclared"),
        ("MSC of healthy, volunteer donors", "allogeneic"),
        ("MSC transplanted back to the knee joint", "autologous"),
        ("Autologous MSC fixed in allogenic human bone", "autologous"),
    ],
)
def test_sources(name, source):
    assert product(name)["source"] == source


@pytest.mark.parametrize(
    ("arms", "control"),
    [
        ([("MSC", "EXPERIMENTAL")], "none"),
        ([("MSC", "EXPERIMENTAL"), ("Sham", "SHAM_COMPARATOR")], "sham"),
        ([("MSC", "EXPERIMENTAL"), ("Usual care", "NO_INTERVENTION")], "no_intervention"),
        ([("MSC", "EXPERIMENTAL"), ("Drug", "ACTIVE_COMPARATOR")], "active"),
        ([("Low dose MSC", "EXPERIMENTAL"), ("High dose MSC", "EXPERIMENTAL")], "dose"),
        ([("MSC", "EXPERIMENTAL"), ("Placebo", "OTHER")], "placebo"),
        ([("MSC, no placebo arm", "EXPERIMENTAL")], "none"),
        ([("MSC", "EXPERIMENTAL"), ("the control group", "EXPERIMENTAL")], "no_intervention"),
        ([("MSC", "EXPERIMENTAL"), ("Control: usual care", "EXPERIMENTAL")], "active"),
    ],
)
def test_controls(arms, control):
    groups = [{"label": label, "type": kind} for label, kind in arms]
    products = [{"type": "BIOLOGICAL", "name": "MSC"}]
    assert (
        drawn(**{"armsInterventionsModule.armGroups": groups, "armsInterventionsModule.interventions": products})[
            "control"
        ]
        == control
    )


def test_ages_dates_and_ids():
    assert [years(t) for t in ("60 Years", "18 Months", "36 Weeks", "1 Day", "N/A", None, 5)][:2] == [60, 1.5]
    assert years("N/A") is years(None) is years(5) is None
    assert day("2022-02", end=True).isoformat() == "2022-02-28"
    assert day("2022-13") is day("soon") is day(None) is None
    assert nct_id("nct00000017") == "NCT00000017"
    assert nct_id("NCT0") is None


@pytest.mark.parametrize(
    ("frame", "months"),
    [
        ("Baseline to Weeks 4, 8 and 12", 2.76),
        ("postoperative 6 month", 6),
        ("four year follow-up", 48),
        ("up to 24 months", 24),
    ],
)
def test_time_frames(frame, months):
    found = drawn(**{"outcomesModule.primaryOutcomes": [{"measure": "x", "timeFrame": frame}]})
    assert found["follow_up_months"] == pytest.approx(months, abs=0.01)
    assert found.value("follow_up_months").span in frame


def test_bone_words():
    found = drawn(**{"outcomesModule.secondaryOutcomes": [{"measure": "bone-marrow density (g/cm2)"}, {"measure": "Bone mass density"},
                                                          {"measure": "PROMIS T-score"}]})  # fmt: skip
    assert found["bone_outcomes"] == ["bone-marrow density", "bone mass density"]
    assert product("Dasatinib + quercetin", "D+Q")["senolytic"] is True
    assert drawn(**{"designModule.bioSpec.retention": "SAMPLES_WITH_DNA"})["banked_serum"] is True
    assert drawn(**{"descriptionModule.detailedDescription": "Serum will be stored at -80."})["banked_serum"] is True
    assert drawn()["banked_serum"] is False


def strings(content):
    if isinstance(content, dict):
        for one in content.values():
            yield from strings(one)
    elif isinstance(content, list):
        for one in content:
            yield from strings(one)
    elif content is not None:
        yield str(content)


@pytest.fixture(scope="module")
def records(shared):
    found = {}
    for path in sorted((shared / "registry").glob("*.jsonl.gz")):
        for item in read(path):
            record = Record(item.study)
            found.setdefault(record.nct, record) if "msc" in path.name else found.update(
                {record.nct: found.get(record.nct, record)}
            )
    return found


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_every_real_record_parses_and_every_span_is_in_it(shared, step):
    seen = count = 0
    for path in sorted((shared / "registry").glob("*.jsonl.gz")):
        for item in read(path):
            seen += 1
            if seen % step:
                continue
            raw = {key: value for key, value in item.study.items() if not key.startswith("_")}
            found = extract(Record(raw))
            texts = list(strings(raw))
            for name, value in found.values.items():
                assert not value.span or any(value.span in text for text in texts), (found.nct, name, value)
            json.dumps([found.main(), found.more()], allow_nan=False)
            count += 1
    assert (seen, count) == (1932, 1932 // step)


REAL = {
    "NCT02065245": {"source": "allogeneic", "route": "IV", "control": "placebo", "age_min": 60, "age_max": 95, "dose_flag": "implausible"},
    "NCT02566655": {"control": "none", "n": 10, "route": "IV", "source": "autologous", "bone_condition": True},
    "NCT02032004": {"route": "intramyocardial", "systemic": False, "n": 566},
    "NCT03706482": {"age_max": 1.5, "bone_condition": True},
    "NCT04684602": {"control": "none", "n": 5000, "arms": 10},
    "NCT05018637": {"route": "local", "control": "active", "dose": 4e7, "per_kg": False},
    "NCT02848131": {"cell_therapy": False, "senolytic": True},
    "NCT03325322": {"cell_therapy": False, "senolytic": True},
    "NCT04042844": {"cell_therapy": True, "route": "intradiscal", "dose": 4e7},
    "NCT05284604": {"route": "IV", "control": "placebo", "n": 36, "dose": 1e8},
}  # fmt: skip


@pytest.mark.parametrize("nct", REAL)
def test_records_worth_naming(records, nct):
    found = extract(records[nct])
    assert {name: found[name] for name in REAL[nct]} == REAL[nct]
    if nct in ("NCT02566655", "NCT03706482", "NCT05018637"):
        assert found["bone_outcomes"]
