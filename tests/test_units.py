import pytest

from osteon import units
from osteon.errors import InputError


@pytest.mark.parametrize("unit", units.DOSE_UNITS)
def test_dose_units_agree_with_pint(unit):
    kind, factor = units.DOSE_UNITS[unit]
    base = {"mass": "mg", "mass/kg": "mg/kg", "activity": "IU", "cells": "cells", "cells/kg": "cells/kg"}.get(
        kind, "Gy"
    )
    assert units.registry().Quantity(1, unit).to(base).magnitude == pytest.approx(factor)


def test_months_and_years():
    assert units.parse_span("12 months").days() == 365.25
    assert units.parse_span("2 years").days(365.0) == 730.0
    assert units.parse_span("1.5 d").days() == 1.5
    assert str(units.parse_span("1 week")) == "1 week"


@pytest.mark.parametrize(
    ("text", "hint"),
    [("ten days", "number and a unit"), ("5 dyas", "days"), ("5", "no unit"), ("1..2 days", "number")],
)
def test_bad_span(text, hint):
    with pytest.raises(InputError, match=hint):
        units.parse_span(text)


def test_dose_per_kg_needs_weight():
    assert units.convert_dose(2e6, "cells/kg", "cells", 60.0) == 1.2e8
    assert units.convert_dose(20, "ug", "mg") == pytest.approx(0.02)
    with pytest.raises(InputError, match="weight"):
        units.convert_dose(5, "mg/kg", "mg")
    with pytest.raises(InputError, match="cannot"):
        units.convert_dose(5, "IU", "mg")


@pytest.mark.parametrize("value", [1.0, 0.625, 2e6, 1 / 3, 1e-7, 30.4375, 123456789.0])
def test_numbers_read_back(value):
    assert float(units.number(value)) == value


def test_check_unit():
    assert units.check_unit("1/day") == "1/day"
    with pytest.raises(InputError):
        units.check_unit("furlongz")
