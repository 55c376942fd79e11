"""Files as people have them, and broken ones."""

import gzip
import io
import json
import zipfile

import pytest

from osteon.errors import InputError
from osteon.registry.files import read
from trial_records import many, study


def lines(studies):
    return "".join(json.dumps(one) + "\n" for one in studies)


def zipped(studies):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for one in studies:
            archive.writestr(f"x/{one['protocolSection']['identificationModule']['nctId']}.json", json.dumps(one))
        archive.writestr("readme.txt", "no study")
    return buffer.getvalue()


THREE = many(3)
SHAPES = {
    "one study": (json.dumps(THREE[0]).encode(), 1),
    "one study, indented": (json.dumps(THREE[0], indent=2).encode(), 1),
    "an API page": (json.dumps({"studies": THREE, "totalCount": 3}).encode(), 3),
    "a bare array": (json.dumps(THREE).encode(), 3),
    "an indented array": (json.dumps(THREE, indent=1).encode(), 3),
    "JSON lines": (lines(THREE).encode(), 3),
    "JSON lines, no last newline": (lines(THREE).rstrip().encode(), 3),
    "one JSON line": (lines(THREE[:1]).encode(), 1),
    "with a byte-order mark": (b"\xef\xbb\xbf" + json.dumps(THREE).encode(), 3),
    "blank lines": (b"\n\n" + lines(THREE).replace("\n", "\n\n").encode(), 3),
    "zip of NCT*.json": (zipped(THREE), 3),
    "an empty array": (b"[]", 0),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(tmp_path, shape, packed):
    content, n = SHAPES[shape]
    path = tmp_path / "studies"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = list(read(path))
    assert [item.study for item in found] == THREE[:n]
    assert all(item.where.startswith(str(path)) for item in found)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"   \n ", "empty"),
        (b"<?xml version='1.0'?><study/>", "XML"),
        (b"nct,title\n", "not JSON"),
        (b"[1, 2", "not valid JSON"),
        (b"{", "not valid JSON"),
        (gzip.compress(lines(THREE).encode())[:-40], "cut short"),
        (zipped(THREE)[:200], "damaged"),
        (b"\xff\xfe\x00{", "not a text file"),
        (b"[" * 100_000, "deeply"),
    ],
)
def test_broken_files(tmp_path, content, hint):
    path = tmp_path / "studies.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=hint) as caught:
        list(read(path))
    assert "studies.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read(tmp_path / "nowhere.json"))
    with pytest.raises(InputError, match="folder"):
        list(read(tmp_path))


def test_bad_lines_do_not_lose_the_others(tmp_path):
    path = tmp_path / "studies.jsonl"
    path.write_text(json.dumps(study()) + '\n{"cut": \n17\n' + json.dumps(study("NCT09000009")) + "\n", "utf-8")
    found = list(read(path))
    assert [item.study is not None for item in found] == [True, False, False, True]
    assert "line 2" in found[1].where
    assert "int" in found[2].problem


def test_first_line_damaged(tmp_path):
    path = tmp_path / "studies.jsonl"
    path.write_text('{"cut": \n' + lines(THREE), "utf-8")
    assert [item.study is not None for item in read(path)] == [False, True, True, True]


def test_infinite_numbers_are_left_out(tmp_path):
    path = tmp_path / "studies.json"
    path.write_text('{"protocolSection": {"designModule": {"enrollmentInfo": {"count": NaN}}}}', "utf-8")
    (item,) = read(path)
    assert item.study["protocolSection"]["designModule"]["enrollmentInfo"]["count"] is None
