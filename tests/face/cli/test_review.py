import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csp.face.cli.app import run
from csp.keeping.run_folder.run import Run

Tell = Callable[..., tuple[int, str, str]]

ROWS = """run,layer,neuron,verdict,label,reviewer,reason
tiny,late,0,confirm,,Ann,
tiny,late,1,override,=blue whale,Ann,not listed
tiny,late,1,reject,,Bo,
tiny,late,4,reject,,Bo,"two
lines"
tiny,late,5,unsure,,Bo,
"""


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], tiny_run: Run) -> Tell:
    """Runs a command; gives its exit code, stdout and stderr."""

    def tell(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return tell


@pytest.fixture
def imported(tell: Tell, tmp_path: Path) -> Path:
    """A file with five rows, already imported."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    code, out, err = tell("review", "import", str(path))
    assert (code, out, err) == (0, "5 events added, 0 known already, 0 refused\n", "")
    return path


def test_list_shows_every_event(tell: Tell, imported: Path) -> None:
    rows = json.loads(tell("review", "list", "tiny", "--json")[1])
    assert [(row["neuron"], row["verdict"]) for row in rows][:3] == [
        (0, "confirm"),
        (1, "override"),
        (1, "reject"),
    ]
    assert list(rows[0])[:7] == ["run", "layer", "neuron", "verdict", "label", "reviewer", "reason"]
    code, out, _ = tell("review", "list")
    assert code == 0
    assert "=blue whale" in out
    assert len(out.splitlines()) == 6, "a reason of two lines stays on one"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_export_and_import_round_trip(
    tell: Tell, imported: Path, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch, tiny_run: Run
) -> None:
    path = tmp_path / f"out.{ending}"
    assert tell("review", "export", "tiny", "-o", str(path))[:2] == (0, f"5 events written to {path}\n")
    before = tell("review", "list", "--json")[1]
    assert json.loads(tell("review", "import", "tiny", str(path), "--json")[1]) == {
        "added": 0,
        "known": 5,
        "restored": False,
        "refused": [],
    }
    monkeypatch.setenv("CSP_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere.sqlite")
    code, out, _ = tell("review", "import", str(path))
    assert (code, out) == (0, "5 events added, the whole chain as it was, 0 known already, 0 refused\n")
    assert tell("review", "list", "--json")[1] == before


def test_refused_rows_are_named_and_the_rest_is_imported(tell: Tell, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS + "other,late,1,confirm,,Ann,\ntiny,late,99,confirm,,Ann,\n")
    code, out, err = tell("review", "import", str(path), "--json")
    assert code == 2
    assert json.loads(out)["added"] == 5
    assert err.splitlines()[0].startswith("csp: row 6: no run is called 'other'")
    assert err.splitlines()[1].startswith("csp: row 7: layer 'late' has no neuron 99")


def test_verify_names_the_first_bad_event(tell: Tell, imported: Path, own_home: Path) -> None:
    code, out, _ = tell("review", "verify", "--json")
    head = json.loads(out)["head"]
    assert (code, json.loads(out)["events"]) == (0, 5)
    assert tell("review", "verify", "--expect", head)[0] == 0
    assert tell("review", "verify", "--expect", "0123")[2].startswith(
        "csp: the review record is broken: no event"
    )
    with sqlite3.connect(own_home / "reviews.sqlite") as database:
        database.execute("DROP TRIGGER review_events_no_update")
        database.execute("UPDATE review_events SET reviewer = 'Eve' WHERE sequence = 3")
    database.close()
    code, out, err = tell("review", "verify", "--json")
    assert (code, json.loads(out)["first_bad"]) == (2, 3)
    assert err == "csp: the review record is broken: event 3 was changed after it was recorded\n"


def test_doctor_looks_at_the_record(tell: Tell, imported: Path, own_home: Path) -> None:
    database = json.loads(tell("doctor", "--json")[1])["database"]
    assert database["where"] == str(own_home / "reviews.sqlite")
    assert (database["kind"], database["events"], database["problem"]) == ("SQLite", 5, None)
    assert "reviews: 5 events, sound" in tell("doctor")[1]
    (own_home / "reviews.sqlite").write_bytes(b"x" * 5_000)
    for beside in ("-wal", "-shm"):
        (own_home / f"reviews.sqlite{beside}").unlink(missing_ok=True)
    found = json.loads(tell("doctor", "--json")[1])
    assert not found["ok"]
    assert "is damaged: restore it" in found["database"]["problem"]


def test_conflicts_and_agreement(tell: Tell, imported: Path) -> None:
    (conflict,) = json.loads(tell("review", "list", "tiny", "--conflicts", "--json")[1])
    assert (conflict["neuron"], len(conflict["verdicts"])) == (1, 2)
    assert "Bo" in tell("review", "list", "tiny", "--conflicts")[1]
    assert json.loads(tell("review", "agreement", "tiny", "--json")[1])["pairs"][0]["n"] == 1
    assert "Ann and Bo (Cohen)" in tell("review", "agreement", "tiny")[1]
    code, _, err = tell("review", "list", "--conflicts")
    assert (code, err) == (2, "csp: name the run whose conflicts to list\n")


def test_label_puts_peoples_labels_first_and_says_so(tell: Tell, imported: Path) -> None:
    arguments = ("label", "tiny", "--layer", "late", "--top", "2", "--json")
    plain = json.loads(tell(*arguments)[1])
    rows: list[dict[str, Any]] = json.loads(tell(*arguments, "--reviewed")[1])
    assert [row["source"] for row in rows] == ["person", "person", "machine", "machine", "person", "machine"]
    assert rows[0]["labels"] == plain[0]["labels"], "a confirmed label keeps its score"
    assert (rows[0]["verdict"], rows[0]["reviewed_by"]) == ("confirm", ["Ann"])
    assert rows[1]["disputed"]
    assert (rows[4]["labels"], rows[4]["verdict"]) == ([], "reject")
    assert (rows[5]["verdict"], rows[5]["labels"]) == ("unsure", plain[5]["labels"])
    assert "person Ann" in tell(*arguments[:-1], "--reviewed")[1]


def test_a_label_in_own_words_comes_first_without_a_score(tell: Tell, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("".join(ROWS.splitlines(keepends=True)[:3]))
    tell("review", "import", str(path))
    arguments = ("label", "tiny", "--layer", "late", "--neurons", "1", "--top", "2", "--json")
    plain = json.loads(tell(*arguments)[1])[0]["labels"]
    found = json.loads(tell(*arguments, "--reviewed")[1])[0]["labels"]
    assert found == [{"label": "=blue whale", "score": None}, plain[0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import"], "Missing argument"),
        (["import", "none.csv"], "there is no file none.csv"),
        (["import", "nope", "x.csv"], "no run is called 'nope'"),
        (["import", "a", "b", "c"], "give one file"),
        (["export", "-o", "x.doc"], "'doc' is no format of reviews"),
        (["list", "nope"], "no run is called 'nope'"),
        (["frobnicate"], "No such command"),
    ],
)
def test_an_error_is_one_line_on_stderr(tell: Tell, arguments: list[str], message: str) -> None:
    code, out, err = tell("review", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("csp: ")
    assert err.count("\n") == 1
    assert message in err


def test_other_commands_do_not_pay_for_the_database(tiny_run: Run) -> None:
    code = (
        "import sys\nfrom csp.face.cli.app import run\n"
        "run(['label', 'tiny', '--reviewed', '--neurons', '1'])\nrun(['runs'])\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'psycopg', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
