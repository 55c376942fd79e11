import pytest

from osteon.slips import of_drug, of_word


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("then", "'; then'"),
        ("And", "' + '"),
        ("with", "' + '"),
        ("6", "begins with 'every'"),
        ("montly", ""),
        ("PO", ""),
    ],
)
def test_of_word(word, hint):
    assert hint in of_word(word)
    assert bool(of_word(word)) == bool(hint)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Denosumb", "did you mean 'denosumab'"), ("PTH", "'pth(1-34)'"), ("fosamax", "`osteon therapies list`"),
     ("prolia", "`osteon therapies list`"), ("xyq", "`osteon therapies list`")],
)  # fmt: skip
def test_of_drug(name, hint):
    assert hint in of_drug(name, name.split()[0])
