"""Files of reviews: what is written is read back, and a spreadsheet runs nothing of it."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from csp.errors import BadInputError, UnavailableError
from csp.keeping.reviews.chain import Head, seal
from csp.keeping.reviews.event import Event
from csp.keeping.reviews.exchange import read_rows, write_rows
from csp.keeping.reviews.rows import COLUMNS, from_row, to_row
from csp.keeping.reviews.store import utc_now
from csp.keeping.reviews.vocabulary import Action
from tests.keeping.entries import entry

TEXTS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\tx",
    "＝1",
    "'tis",
    "'=1",
    "''",
    'a "quoted", cell; with\nlines',
    "🩺 \u202eruler",
    "",
    " ",
    "nan",
    "None",
    "007",
    "1e5",
    "true",
]


def events() -> list[Event]:
    found: list[Event] = []
    for text in TEXTS:
        head = Head(found[-1].sequence, found[-1].hash) if found else Head()
        said = entry(Action.OVERRIDE, text or None, reason=text, reviewer=text or "Ann", undoes=text or None)
        found.append(seal(said, head, utc_now(), text or None))
    full = entry(tags=("abcde:border", "other"), gamma=0.1, examples=9, blind=True, reviewer_verified=True)
    return [*found, seal(full, Head(len(found), found[-1].hash), utc_now(), None)]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_what_is_written_is_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"reviews.{ending}"
    written = events()
    write_rows(path, map(to_row, written))
    assert [Event(**from_row(row)) for row in read_rows(path)] == written
    assert list(tmp_path.iterdir()) == [path]


def test_a_spreadsheet_finds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    write_rows(path, map(to_row, events()))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert rows[1][COLUMNS.index("label")] == "'=1+1"


def test_other_peoples_files_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "by-hand.csv"
    path.write_bytes(b"\xef\xbb\xbfrun,neuron,verdict,reviewer,mood\r\ntiny,3,Confirm,Ann,good\r\n")
    (row,) = read_rows(path)
    assert from_row(row) == {"run": "tiny", "neuron": 3, "verdict": Action.CONFIRM, "reviewer": "Ann"}
    for head, text in (
        ("semicolons", b"Run;Neuron;Verdict;Reviewer\ntiny;3;confirm;Ann\n"),
        ("blanks", b"run, neuron, verdict, reviewer\ntiny, 3, confirm, Ann\n"),
        ("excel", "sep=;\nRUN;NEURON;VERDICT;REVIEWER\ntiny;3;confirm;Ann\n".encode("utf-16")),
        ("windows", "run\tneuron\tverdict\treviewer\tmood\ntiny\t3\tconfirm\tAnn\tschön\n".encode("cp1252")),
    ):
        path = tmp_path / f"{head}.txt"
        path.write_bytes(text)
        assert [from_row(each) for each in read_rows(path)] == [from_row(row)]
    table = [{"run": "tiny", "neuron": 3.0, "verdict": "reject", "reviewer": "Ann", "label": float("nan")}]
    (tmp_path / "x.json").write_text(json.dumps(table))
    assert from_row(read_rows(tmp_path / "x.json")[0])["neuron"] == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"neuron": "x"}, "'x' is no whole number"),
        ({"neuron": -1}, "-1 is no whole number"),
        ({"neuron": 1.5}, "1.5 is no whole number"),
        ({"neuron": [1]}, "is no whole number"),
        ({"neuron": 1e300}, "is no whole number"),
        ({"neuron": True}, "True is no whole number"),
        ({"neuron": "1_0"}, "'1_0' is no whole number"),
        ({"verdict": "love"}, "there is no verdict 'love'; there are confirm, override"),
        ({"verdict": None}, "verdict is empty"),
        ({"reviewer": ""}, "reviewer is empty"),
        ({"gamma": "much"}, "gamma 'much' is no number"),
        ({"blind": "perhaps"}, "'perhaps' is neither true nor false"),
        ({"role": "king"}, "there is no role 'king'"),
        ({"at": "yesterday"}, "the time 'yesterday' can't be read"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(changed: dict[str, Any], message: str) -> None:
    row = {"neuron": 1, "verdict": "confirm", "reviewer": "Ann"}
    with pytest.raises(BadInputError, match=message):
        from_row(row | changed)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.xlsx", b"", "'xlsx' is no format of reviews"),
        ("none.csv", None, "there is no file"),
        ("x.csv", b"run,neuron\ntiny,1\n", "has no column 'verdict' among neuron, run; it needs"),
        ("x.csv", b"\xff\xfe\x00", "is not text in UTF-8, UTF-16"),
        ("x.csv", b'neuron\n"' + b"x" * 200, "line 2 has quotes that are not closed"),
        ("x.csv", b"PK\x03\x04...", "is an Excel workbook"),
        ("x.json", b"{", "can't be read as JSON"),
        ("x.json", b'{"a": 1}', "is not a list of objects"),
        ("x.json", b"[" * 100_000, "nested more than 50 deep"),
        ("x.parquet", b"PAR1", "can't be read as parquet"),
        ("x.csv", b"neuron,Neuron,verdict,reviewer\n1,2,reject,Ann\n", "two columns 'neuron'"),
        ("x.csv", b"neuron,verdict,reviewer,reviewer\n1,reject,Ann,Bo\n", "two columns 'reviewer'"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        read_rows(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"neuron,verdict,reviewer\n1\0,reject,Ann\n2,reject,Ann\n"),
        ("x.csv", b"neuron,verdict,reviewer\n\x1b[2J1,reject,Ann\n2,reject,Ann\n"),
        (
            "x.json",
            b'[{"neuron": 1, "neuron": 3, "verdict": "reject", "reviewer": "Ann"}, '
            b'{"neuron": 2, "verdict": "reject", "reviewer": "Ann"}]',
        ),
        (
            "x.json",
            b'[{"neuron": 1%s, "verdict": "reject", "reviewer": "Ann"}, '
            b'{"neuron": 2, "verdict": "reject", "reviewer": "Ann"}]' % (b"0" * 5_000),
        ),
        ("x.json", b'[null, {"neuron": 2, "verdict": "reject", "reviewer": "Ann"}]'),
        ("x.json", b'[[1], {"neuron": 2, "verdict": "reject", "reviewer": "Ann"}]'),
        *(
            (
                "x.json",
                b'[{"neuron": 1, "verdict": "reject", "reviewer": "]}", "%s": %s}, '
                b'{"neuron": 2, "verdict": "reject", "reviewer": "Ann"}]'
                % (field, b'{"a":[' * depth + b"]}" * depth),
            )
            for depth in (20, 400, 480, 50_000)
            for field in (b"neuron", b"tags", b"blind", b"label", b"gamma")
        ),
    ],
)
def test_one_row_that_is_none_keeps_no_other_out(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    bad, good = read_rows(tmp_path / name)
    with pytest.raises(BadInputError):
        from_row(bad)
    assert from_row(good)["neuron"] == 2


def test_a_cell_of_parquet_that_is_none_keeps_no_other_out(tmp_path: Path) -> None:
    columns = {"neuron": [1, 2, 3], "verdict": ["reject"] * 3, "reviewer": ["Ann"] * 3}
    late = pa.array([0, 2**62, 0], pa.timestamp("us"))
    reason = pa.array([b"fine", b"fine", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({**columns, "at": late, "reason": reason}), tmp_path / "x.parquet")
    good, *bad = read_rows(tmp_path / "x.parquet")
    assert from_row(good)["reason"] == "fine"
    for row in bad:
        with pytest.raises(BadInputError, match="unreadable"):
            from_row(row)


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="can't be written"):
        write_rows(tmp_path / "nowhere" / "x.csv", [])
