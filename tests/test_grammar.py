"""The regimen text: what must parse, what must not, and that reading back what was written changes nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteon.errors import RegimenError
from osteon.regimen import Block, Component, Dose, Regimen, parse_regimen
from osteon.therapies.catalogue import catalogue
from osteon.units import Span

MUST_PARSE = """
none
denosumab 60 mg SC every 6 months for 24 months; then none for 24 months
zoledronate 5 mg IV once + teriparatide 20 ug SC daily for 12 months
zoledronate 5 mg IV once starting at month 3
romosozumab 210 mg SC monthly x12; then alendronate 70 mg PO weekly for 24 months
denosumab 60 mg SC every 180 days x3 starting at day 730
zoledronate 5 mg IV every 12 months x2
conjugated estrogens 0.625 mg PO daily for 36 months
dasatinib+quercetin every 28 days x5
msc 2e6 cells/kg IV once starting at week 8
ovariectomy once
irradiation 24 Gy local once
chemotherapy once
clearance systemic every 14 days x8
clearance osteocyte every 14 days x8
clearance osteocyte-sparing every 14 days x8
dasatinib 5 mg/kg + quercetin 50 mg/kg PO every 14 days x2
msc 1e6 cells IV once donor 2 months
teriparatide 20 ug SC daily for 24 months; then denosumab 60 mg SC every 6 months for 24 months
""".strip().splitlines()


@pytest.mark.parametrize("text", MUST_PARSE)
def test_must_parse_and_read_back(text):
    regimen = parse_regimen(text)
    assert parse_regimen(str(regimen)) == regimen
    assert str(parse_regimen(str(regimen))) == str(regimen)


@pytest.mark.parametrize("text", MUST_PARSE)
def test_case_and_spaces_do_not_matter(text):
    shouted = re.sub(r" (?=[^+])", "  ", text).upper()
    assert parse_regimen(shouted) == parse_regimen(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Zoledronic Acid 5mg iv q12m x2", "zoledronate 5 mg IV every 12 months x2"),
        ("PTH(1-34) 20 mcg subcutaneous daily", "teriparatide 20 ug SC daily"),
        ("alendronic acid 70 mg oral every week", "alendronate 70 mg PO weekly"),
        ("denosumab 60 mg SC q6m", "denosumab 60 mg SC every 6 months"),
        ("PTH(1-84) 100 µg SC daily", "PTH(1-84) 100 ug SC daily"),
        ("D+Q every 28 days x5", "dasatinib+quercetin every 28 days x5"),
        ("placebo", "none"),
    ],
)
def test_synonyms(text, same):
    assert parse_regimen(text) == parse_regimen(same)


BAD = [
    ("fosamax 70 mg PO weekly", 1, "`osteon therapies list`"),
    ("PTH 100 ug SC daily", 1, "'pth(1-84)'"),
    ("denosumab 60 mg SC every 6 months then none", 35, "write '; then'"),
    ("zoledronate 5 mg IV once and exercise weekly", 26, "write ' + '"),
    ("alendronate 70 mg PO once weekly", 27, "write 'weekly' alone"),
    ("denosumab 60 mg SC 6 monthly", 20, "begins with 'every'"),
    ("denosumab 60 mg SC every six months", 26, "digits"),
    ("denosumabb 60 mg SC once", 1, "denosumab"),
    ("alendronat 70 mg PO weekly", 1, "alendronate"),
    ("none for 3 months; then teriparatid 20 ug SC daily", 25, "teriparatide"),
    ("denosumab 60 mgg SC once", 14, "'mg'"),
    ("denosumab 60mgg SC once", 13, "'mg'"),
    ("denosumab 60 IU SC once", 14, "use mg"),
    ("denosumab 60 mg SV once", 17, "'SC'"),
    ("denosumab 60 mg PO once", 17, "use SC"),
    ("denosumab 60 mg SC every 0 months", 26, "above 0"),
    ("denosumab 60 mg SC every -6 months", 26, "above 0"),
    ("denosumab 60 mg SC every 6 mnths", 28, "'months'"),
    ("denosumab 60 mg SC every six months", 26, "number"),
    ("denosumab 60 mg SC evry 6 months", 20, "'every'"),
    ("denosumab 60 mg SC montly", 20, "'monthly'"),
    ("denosumab 0 mg SC once", 11, "above 0"),
    ("denosumab -60 mg SC once", 11, "above 0"),
    ("denosumab SC once", 11, "needs a dose"),
    ("denosumab 60", 13, "unit"),
    ("ovariectomy 5 mg once", 13, "no dose"),
    ("denosumab 60 mg SC", 1, "does not say when"),
    ("denosumab 60 mg SC monthly x0", 28, "above 0"),
    ("denosumab 60 mg SC monthly x2.5", 28, "whole number"),
    ("denosumab 60 mg SC monthly x3 for 3 months", 1, "not both"),
    ("denosumab 60 mg SC once x3", 1, "once"),
    ("denosumab 60 mg SC monthly weekly", 28, "second time"),
    ("denosumab 60 mg SC monthly starting at month -3", 46, "from 0"),
    ("denosumab 60 mg SC monthly starting at year 3", 40, "day, week or month"),
    ("denosumab 60 mg SC once donor 3 months", 25, "no donor"),
    ("denosumab 60 mg SC every 6 months; then none for 12 months", 1, "no end"),
    ("none; then denosumab 60 mg SC once", 1, "no end"),
    ("denosumab 60 mg SC monthly x24 + denosumab 60 mg SC once starting at month 12", 34, "overlaps"),
    ("denosumab 60 mg SC once + denosumab 60 mg SC once", 27, "overlaps"),
    ("denosumab 60 mg SC once, denosumab 60 mg SC once", 26, "unknown word"),
    ("zoledronate 5 mg IV once; zoledronate 5 mg IV once", 25, "; then"),
    ("zoledronate 5 mg IV once; then", 31, "missing"),
    ("zoledronate 5 mg IV once + ", 27, "missing"),
    ("zoledronate 5 mg IV + teriparatide 20 ug SC daily", 1, "does not say when"),
    ("none for 0 months", 10, "above 0"),
    ("none for 6 months x2", 19, "unexpected"),
    ("clearance every 14 days", 1, "clearance systemic"),
    ("", 1, "none"),
    ("denosumab 60 mg SC monthly x ²", 28, "whole number"),
    ("denosumab 60 mg SC monthly x" + "9" * 400, 28, "whole number"),
    ("denosumab 60 mg SC monthly x1000000", 28, "below a million"),
    ("denosumab 60 mg SC every 6 months for 1e308 years", 39, "thousand years"),
    ("denosumab 60 mg SC every 1e-320 days for 1 day", 26, "0.001 days"),
    ("denosumab 60 mg SC every 1e308 years x5", 26, "thousand years"),
    ("denosumab 1e400 mg SC once", 11, "too large"),
    ("romosozumab 1e300 mg SC once", 13, "too large"),
]


@pytest.mark.parametrize(("text", "column", "hint"), BAD)
def test_errors_name_column_and_nearest_word(text, column, hint):
    with pytest.raises(RegimenError) as caught:
        parse_regimen(text)
    assert caught.value.column == column, str(caught.value)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


amounts = st.one_of(st.integers(1, 5000).map(float), st.floats(1e-3, 1e7, allow_nan=False))
lengths = st.one_of(st.integers(1, 900).map(float), st.floats(0.01, 900, allow_nan=False))
spans = st.builds(Span, lengths, st.sampled_from(["day", "week", "month", "year"]))
starts = st.builds(Span, lengths, st.sampled_from(["day", "week", "month"]))


@st.composite
def components(draw):
    therapy = draw(st.sampled_from(list(catalogue().values())))
    needs_dose = therapy.unit and not therapy.default_dose
    dose = Dose(draw(amounts), therapy.unit) if needs_dose or (therapy.unit and draw(st.booleans())) else None
    route = draw(st.sampled_from([None, *therapy.routes]))
    interval = draw(st.one_of(st.none(), spans))
    count = draw(st.integers(1, 400)) if interval else None
    duration = None
    if interval and draw(st.booleans()):
        count, duration = None, draw(spans)
    donor = draw(spans) if therapy.donor and draw(st.booleans()) else None
    return Component(therapy.id, dose, route, interval, count, duration, draw(st.none() | starts), donor)


gaps = spans.map(lambda span: Component("none", duration=span))
blocks = st.one_of(gaps.map(lambda g: Block((g,))), components().map(lambda c: Block((c,))))


@given(st.lists(blocks, min_size=1, max_size=4))
def test_any_schedule_reads_back(found):
    regimen = Regimen(tuple(found))
    assert parse_regimen(str(regimen)) == regimen


@given(st.text(max_size=80))
def test_any_text_parses_or_gives_one_clear_line(text):
    try:
        parse_regimen(text)
    except RegimenError as error:
        assert "\n" not in str(error)
        assert 1 <= error.column <= max(1, len(text) + 1)


@given(
    st.sampled_from(MUST_PARSE), st.integers(0, 60), st.sampled_from([";", "+", "x", "", "9e9", "for", "-1", "nan"])
)
def test_damaged_text_is_never_a_crash(text, at, piece):
    damaged = text[:at] + piece + text[at + 1 :]
    try:
        regimen = parse_regimen(damaged)
    except RegimenError:
        return
    assert parse_regimen(str(regimen)) == regimen
