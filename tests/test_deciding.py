import numpy as np
import pytest

from osteon import parameters
from osteon.deciding import acting, deciding
from osteon.skeleton import Osteon


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
