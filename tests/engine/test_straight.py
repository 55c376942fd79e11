"""Lines handed to the compiler as they are do what they do as Python."""

import numpy as np
import pytest
from numba import njit

from osteon.engine.straight import straight

LANES = 8
BEFORE = "s0 = s[2]\ns1 = s0 * -0.5\ns[3] = s1"
INSIDE = """\
v1 = w[8 + j]
q = v1 * w[16 + j]
r = 1.0 / q
passed = v1 * t
v2 = w[0 + j] + passed
v3 = -v2
v4 = abs(v3)
v5 = v4 - 1e-05
v6 = v5 * h
w[24 + j] = r
w[0 + j] = v6
w[32 + j] = w[32 + j] + s1
w[40 + j] = -0.25
"""


def as_python(w, s, t, h):
    names = {"w": w, "s": s, "t": t, "h": h}
    exec(BEFORE, names)
    for j in range(LANES):
        exec(INSIDE, names | {"j": j})


@pytest.mark.parametrize("number", [np.float64, np.float32])
def test_does_what_the_lines_do_as_python(number):
    body = straight(number, LANES, "w, s, t, h", BEFORE, INSIDE)

    @njit
    def run(w, s, t, h):
        body(w, s, t, h)

    rng = np.random.default_rng(1)
    w, s = rng.uniform(0.5, 2, 48).astype(number), rng.uniform(0.5, 2, 5).astype(number)
    here, there = (w.copy(), s.copy()), (w.copy(), s.copy())
    run(*here, 3.0, 0.25)
    as_python(*there, number(3.0), number(0.25))
    for found, wanted in zip(here, there, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=4 * np.finfo(number).eps)
    assert (here[0] != w).sum() == 4 * LANES


@pytest.mark.parametrize("line", ["v1 = s[0] ** 2", "v1 = s[0] + s[1] * s[2]", "v1 = max(s[0], s[1])", "s[i] = 1.0"])
def test_anything_else_is_refused(line):
    body = straight(np.float64, LANES, "s", line, "")

    @njit
    def run(s):
        body(s)

    with pytest.raises(Exception, match="not straight-line arithmetic"):
        run(np.ones(4))


def test_nothing_to_do():
    body = straight(np.float64, LANES, "w, s", "", "")

    @njit
    def run(w, s):
        body(w, s)

    w = np.ones(8)
    run(w, w)
    assert (w == 1).all()
