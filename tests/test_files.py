import pytest

from osteon import files
from osteon.errors import InputError


def test_yaml_is_1_2():
    data = files.parse_yaml("a: off\nb: no\nc: 2e6\nd: [1, 1.5, -3]\ne: true\nf: ~\ng: none", "x").data
    assert data == {"a": "off", "b": "no", "c": 2e6, "d": [1, 1.5, -3], "e": True, "f": None, "g": "none"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: [1, 2", "line"),
        ("a: 1\na: 2", "twice"),
        ("- 1\n- 2", "mapping"),
        ("", "mapping"),
        ("a: b: c", "line 1"),
        ("a: !!python/object:os.system x", "YAML"),
        ("\x00", "YAML"),
    ],
)
def test_bad_yaml_names_the_place(text, hint):
    with pytest.raises(InputError, match=hint) as caught:
        files.parse_yaml(text, "study.yaml")
    assert "study.yaml" in str(caught.value)


def test_lines():
    document = files.parse_yaml("a: 1\nb:\n  - {c: 1}\n  - {c: 2,\n     d: 3}\n", "x")
    assert document.line(["b", 1, "d"]) == 5
    assert document.line(["a"]) == 1
    assert document.line(["b", 0, "nowhere"]) == 3


def test_write_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    files.write_whole(path, "one")

    def fails(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_whole(path, fails)
    assert path.read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_cannot_write(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write"):
        files.write_whole(tmp_path / "file" / "below.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder"):
        files.write_whole(tmp_path / "folder", "x")


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_cannot_read(tmp_path, name):
    with pytest.raises(InputError):
        files.read_yaml(tmp_path / name)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="text file"):
        files.read_yaml(tmp_path / "binary.yaml")
