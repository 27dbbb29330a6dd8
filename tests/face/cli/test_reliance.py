"""`csp reliance` and `run.reliance()` on the demo, whose sticker is planted."""

import json
from pathlib import Path

import pytest

import csp
from csp.face.cli.app import run


def test_the_planted_sticker_is_leaned_on(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reliance", "demo", "--concept", "sticker", "--by", "dark_skin", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    row = document["concepts"][0]
    told = row["classes"]["nevus"]
    assert row["leans"]
    assert row["left_on"].keys() == {"layer3"}
    assert row["source"] == "computed"
    assert told["with_erased"]["high"] < told["random"]["low"]
    assert told["with"]["high"] < told["random"]["low"] < 0.02
    assert abs(told["without"]["change"]) < document["matters"]
    assert [group["name"] for group in row["subgroups"]["groups"]] == ["no", "yes"]
    assert run(["reliance", "demo", "--concept", "sticker", "--by", "dark_skin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("sticker")
    assert lines[1].endswith("yes")
    assert lines[-1].startswith("By dark skin, ")
    frame = csp.open("demo").reliance("sticker", by="dark_skin").set_index(["class", "group"])
    assert frame.loc[("nevus", ""), "with"] == told["with"]["change"]
    assert frame.loc[("nevus", "yes"), "with_n"] < told["with"]["n"]


def test_an_unknown_concept_is_one_line(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reliance", "demo", "--concept", "a violin"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("csp: no neuron's label means 'a violin'")
