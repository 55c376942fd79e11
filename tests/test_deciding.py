import numpy as np
import pytest

from osteon import parameters
from osteon.deciding import acting, basis, deciding, told
from osteon.skeleton import Osteon, OsteonMouse


def test_the_strongest_first():
    rng = np.random.default_rng(1)
    draws = {name: rng.normal(size=300) for name in ("a", "b", "c", "d", "e")}
    answer = 3 * draws["b"] - 2 * np.exp(draws["d"] / 3) + 0.01 * draws["a"]
    found = deciding(answer, {**draws, "same": np.ones(300)})
    assert [ident for ident, _ in found][:1] == ["b"]
    assert found[0][1] > 0.9
    assert dict(found).get("d", -1) < 0
    assert "same" not in dict(found)


def test_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 50))
    y = y + x
    ((_, rho),) = deciding(y, {"x": x})
    assert rho == pytest.approx(spearmanr(x, y).statistic)


def test_what_goes_as_one_is_told_once():
    """Records of one set, of which every draw takes all or none."""
    rng = np.random.default_rng(4)
    a = rng.normal(size=300)
    other = rng.normal(size=300)
    found = deciding(2 * a + other, {"first": a, "less": -3 * a, "other": other})
    assert [ident for ident, _ in found] == ["first", "other"]


def test_a_marker_decides_nothing_of_bmd():
    model = Osteon()
    ids, p = parameters.draws("osteon"), model.parameters()
    assert "ctx_exponent" in acting(model, p, ids, {"denosumab"}, {"ctx"})
    assert not {"ctx_exponent", "bsap_exponent"} & acting(model, p, ids, {"denosumab"}, {"lumbar_spine_bmd"})


def test_nothing_to_tell():
    x = np.arange(100.0)
    assert deciding(np.ones(100), {"x": x}) == []
    assert deciding(x[:5], {"x": x[:5]}) == []
    assert deciding(x, {}) == []
    assert deciding(x, {"x": np.ones(100)}) == []


def test_parameters_of_other_drugs_do_not_act():
    model = Osteon()
    ids = parameters.draws("osteon")
    p = model.parameters()
    acts = acting(model, p, ids, {"teriparatide"})
    assert {"pth_resorption", "pth_waking"} <= acts
    assert not acts & {"pth84_effect", "abaloparatide_effect", "denosumab_target_half"}
    assert "pth84_effect" in acting(model, p, ids, {"PTH(1-84)"})
    assert "denosumab_target_half" in acting(model, p, ids, {"teriparatide", "denosumab"})
    assert acting(model, p, ids, ()) < acts


def test_few_draws_need_a_stronger_correlation():
    """What chance gives among many parameters is not told."""
    rng = np.random.default_rng(5)
    answer, draws = rng.normal(size=60), {str(i): rng.normal(size=60) for i in range(100)}
    assert deciding(answer, draws) == []


@pytest.mark.parametrize("model", [Osteon(), OsteonMouse()])
def test_priors_act(model):
    """Numbers that no fit has touched may decide an answer as fitted ones do."""
    acts = acting(model, model.parameters(), parameters.draws(model.name), {"msc", "dasatinib+quercetin"})
    assert {"graft_calm", "graft_host_cells", "dq_kill", "progenitor_half", "senescence_resorption"} <= acts
    assert not acts & {"fisetin_kill", "ruxolitinib_block"}


@pytest.mark.parametrize(
    ("model", "ident", "rests"),
    [
        ("osteon", "zoledronate_relative", "fitted to trials"),
        ("osteon", "graft_host_cells", "assumed"),
        ("osteon", "graft_calm", "assumed after work in people"),
        ("osteon", "graft_inflammation", "assumed after work in animals"),
        ("osteon", "senescence_removal", "derived from people"),
        ("osteon_mouse", "senescence_removal", "derived from animals"),
        ("osteon_mouse", "turnover_trabecular", "derived from animals"),
    ],
)
def test_what_a_number_rests_on(model, ident, rests):
    assert basis(parameters.load(model)[ident]) == rests


def test_every_number_that_has_draws_rests_on_something():
    for model in ("osteon", "osteon_mouse"):
        known = parameters.load(model)
        rows = told(parameters.draws(model), known)
        assert len(rows) == len(parameters.draws(model))
        assert all(row["name"] and row["rests_on"] for row in rows)
        assert not {row["rests_on"] for row in rows} & {"derived", "measured"}, "of people or of animals?"
        assert all(row["grade"] in "ABCD" for row in rows)
        assert {row["id"] for row in rows if not row["grade"]} == {
            i for i in known if known[i].origin == "fitted here"
        } & set(parameters.draws(model))
