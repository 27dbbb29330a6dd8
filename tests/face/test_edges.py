"""An error that nobody foresaw, at each edge: a sentence with a number, and the rest goes on."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from streamlit.testing.v1 import AppTest

from csp.face.cli.app import run
from csp.face.screen.runs import cards
from csp.keeping import faults
from csp.keeping.jobs import JobRequest, new_job, now
from csp.keeping.lock import release
from csp.keeping.run_folder.run import Run
from csp.work.jobs import worker
from csp.work.reviews import exchange
from csp.work.runs import doctor, listing
from tests import patience
from tests.face.pages.test_pages import opened, said

NUMBERED = re.compile(r"[Aa]n unforeseen error ended this \(number ([0-9a-f]{8})")


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(faults.VARIABLE)


def broken(*_: object, **__: object) -> NoReturn:
    raise KeyError("nobody foresaw this")


def logged(text: str) -> bool:
    """Whether the text is a sentence whose number the log has."""
    found = NUMBERED.search(text)
    return found is not None and found[1] in faults.log_path().read_text()


def test_a_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "list_runs", broken)
    assert run(["runs"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("csp: ") and err.count("\n") == 1 and logged(err)
    monkeypatch.setenv(faults.VARIABLE, "1")
    with pytest.raises(KeyError):
        run(["runs"])


def test_a_page(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csp.face.screen.state.cached.list_runs", broken)
    assert logged(said(opened("pages/neurons.py", run="tiny")))


def test_a_callback_or_a_part_drawn_alone() -> None:
    def page() -> None:
        from csp.face.screen.page.frame import fault_shown

        assert fault_shown(KeyError("in a callback"))

    app = AppTest.from_function(page, default_timeout=patience.SECONDS).run()
    assert logged(app.error[0].value.replace("\\", ""))


def test_a_part_drawn_alone_whose_data_are_damaged(tiny_run: Run) -> None:
    """The labels of a neuron are such a part: a sentence stands in their place, and the pictures stay."""
    (tiny_run.path / "arrays.zarr" / "embeddings" / "zarr.json").unlink()
    app = opened("pages/neuron.py", run="tiny")
    assert any("embeddings/zarr.json" in one.value.replace("\\", "") for one in app.warning)
    assert not app.exception


def test_a_run_card(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tiny_run.path, tiny_run.path.with_name("other"))
    whole = cards._sentence
    first: list[Any] = []

    def one_broken(made: Any) -> str:
        first.append(made)
        return broken() if len(first) == 1 else whole(made)

    monkeypatch.setattr(cards, "_sentence", one_broken)
    app = opened("pages/runs.py")
    assert logged("\n".join(one.value for one in app.error).replace("\\", ""))
    assert len(first) > 1


@pytest.mark.parametrize("part", ["trust_of", "_remarks"])
def test_a_run_in_a_list(tiny_run: Run, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(listing, part, broken)
    assert all(logged(facts.problem) for facts in listing.run_facts())


def test_doctor(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "open_reviews", broken)
    monkeypatch.setattr(Run, "check", broken)
    found = doctor.examine()
    assert logged(found["database"]["problem"])
    assert all(logged(one["problems"][0]) for one in found["runs"])


def test_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, held = new_job(JobRequest(kind="index", arguments={}, title="Mine", by="", created=now()))
    monkeypatch.setattr(worker, "find_kind", broken)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    worker.main(folder)
    release(held)
    assert folder.standing().state == "failed" and logged(folder.standing().error)


def test_a_row_of_an_import(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "rows.csv"
    table.write_text(
        "run,layer,neuron,verdict,reviewer\n"
        f"tiny,{tiny_run.layers[0]},1,reject,Ann\ntiny,{tiny_run.layers[0]},0,reject,Ann\n"
    )
    read: Callable[..., Any] = exchange.from_row
    monkeypatch.setattr(exchange, "from_row", lambda row: broken() if row["neuron"] == "1" else read(row))
    assert run(["review", "import", str(table)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("csp: row 1: ") and logged(err) and out.startswith("1 event added")


def test_labels_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from csp.face.cli import output

    label = "a\x1b[2Jb\x9b1mc\u202ed\ud800e\rf\x00g\U000e0001"
    output.print_lines([label])
    output.print_columns(["label"], [[label]])
    output.print_notes([label])
    output.print_error(label)
    steers = re.compile(r"[^\n\x20-\x7e]")
    shown = capsys.readouterr()
    assert not steers.search(shown.out + shown.err)
    output.print_json({"label": label})
    text = capsys.readouterr().out
    assert not steers.search(text) and json.loads(text) == {"label": label}
