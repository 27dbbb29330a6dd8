"""The one reader of tables: the same rows from whatever program wrote them."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp.errors import BadInputError, NotFoundError
from csp.world import tables
from csp.world.tables import parse_table, read_table

CELLS = st.text(st.sampled_from("ab é;,\t\"'\n|-=7"), max_size=6).map(str.strip)
NAME = st.text("abcé ", min_size=1, max_size=5).map(str.strip).filter(bool)
NAMES = st.lists(NAME, min_size=2, max_size=4, unique=True)


@given(NAMES, st.data(), st.sampled_from(",;\t|"), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_any_program_writes_is_read(
    names: list[str], data: st.DataObject, separator: str, declared: bool, end: str
) -> None:
    row = st.lists(CELLS, min_size=len(names), max_size=len(names)).filter(any)
    rows = data.draw(st.lists(row, max_size=4))
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    table = parse_table((f"sep={separator}{end}" if declared else "") + text.getvalue(), "the table")
    assert table.columns == tuple(names)
    assert table.rows == tuple(map(tuple, rows))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_told_from_the_file(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("name,größe\nAnn,groß\n".encode(encoding))
    table = read_table(path)
    assert (table.columns, table.rows) == (("name", "größe"), (("Ann", "groß"),))
    assert bool(table.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a, b\n1 , 2\n", [("1", "2")]),
        ("a,b\n\n1,2\n,,,\n", [("1", "2")]),
        ("a,b\n1,2,,\n", [("1", "2")]),
        ("a,b,\n1,2,\n", [("1", "2")]),
        ("a,b\n1\n", [("1", "")]),
        ('a,b\n5" ruler,2\n', [('5" ruler', "2")]),
        ("text\nlarge, round; cell\n", [("large, round; cell",)]),
        ('"sep=;"\na;b\n1;2\n', [("1", "2")]),
    ],
)
def test_what_hands_and_spreadsheets_leave_does_not_matter(text: str, rows: list[tuple[str, ...]]) -> None:
    assert list(parse_table(text, "the table").rows) == rows


def test_names_of_columns() -> None:
    table = parse_table("Image Name,,a,a\n1,2,3,4\n", "the table")
    assert table.columns == ("Image Name", "column 2", "a", "a.1")
    assert table.column(["path", "image_name"]) == "Image Name"
    assert table.column(["path"]) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2,3\n", "line 2 has 3 for 2 columns .cells are parted by ','"),
        (b'a,b\n1,2\n"x,y\n', "line 3 has quotes that are not closed"),
        (b"PK\x03\x04x", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0x", "an old Excel workbook"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!doctype html><html>", "a web page"),
        (b"a,b\n1,\0\n", "is not text"),
        (bytes(range(256)), "is not text"),
        (b"a,b\n1,a long enough text\n2,\0\n", r"no text holds \(number 0\) in line 3: remove it"),
        (b"a,b\n1," + b"x" * 20, "a cell of more than 10 characters in line 2: close its quotes"),
    ],
)
def test_what_is_no_table_is_said(
    tmp_path: Path, content: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "more than" in reason:
        monkeypatch.setattr(tables, "MOST_CHARACTERS", 10)
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInputError, match=reason):
        read_table(tmp_path / "t.csv")


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        read_table(tmp_path / "t.csv")
