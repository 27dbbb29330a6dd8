"""The command `csp search`, as a person runs it."""

import json
from pathlib import Path

import pytest

from csp.face.cli.app import run
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.keeping.run_folder.run import Run
from csp.work.reviews.desk import Person, ReviewDesk
from tests.build import draw


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["search", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_words_as_json(tiny_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = asked(capsys, "tiny", "ruler marks", "--minus", "hairs", "--top", "2", "--json")
    assert code == 0
    found = json.loads(out)
    assert [list(row) for row in found] == [["layer", "neuron", "label", "score", "reason"]] * 2
    assert found[0]["neuron"] == 0
    assert "against hairs" in found[0]["reason"]


def test_an_example_neuron_as_a_table(tiny_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = asked(capsys, "tiny", "--like", "0", "--layer", "late")
    assert code == 0
    assert out.splitlines()[0].split() == ["layer", "neuron", "label", "score", "reason"]
    assert "alike" in out


def test_a_picture(own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(7).save(tmp_path / "seven.png")
    code, out, _ = asked(
        capsys, "demo", "--image", str(tmp_path / "seven.png"), "--layer", "layer4", "--json"
    )
    assert code == 0
    assert "fires more strongly than on" in json.loads(out)[0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one thing to search by"),
        (("ruler", "--like", "3"), "one thing to search by"),
        (("long ruler",), "not in the vocabulary"),
        (("--like", "99", "--layer", "late"), "no neuron 99"),
        (("--like", "0"), "layer"),
        (("--image", "none.png"), "no such file"),
    ],
)
def test_what_can_not_be_searched(
    tiny_run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = asked(capsys, "tiny", *arguments)
    assert code == 2
    assert not out
    assert said in err
    assert err.count("\n") == 1


def test_people_first(tiny_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with open_reviews() as reviews:
        own = Entry(layer="late", neuron=1, verdict=Action.OVERRIDE, label="crayon")
        ReviewDesk(tiny_run, reviews).record(Person(name="Ann"), own)
    code, out, err = asked(capsys, "tiny", "crayon", "--reviewed", "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert (found["neuron"], found["label"], found["score"]) == (1, "crayon", None)
    assert found["by"] == "written by Ann (name not checked)"
    assert found["machine_label"] == "hairs"
    assert "people's labels only" in err
    _, out, _ = asked(capsys, "tiny", "ruler marks", "--reviewed", "--layer", "late")
    assert out.splitlines()[0].split()[:3] == ["layer", "neuron", "label"]
    assert out.splitlines()[0].split()[3:6] == ["by", "machine", "label"]
