"""`csp candidates`: asks, lists, goes on, and says what went wrong in one line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from csp.face.cli.app import run
from csp.keeping.run_folder.run import Run
from tests.world.misbehaving import Server, fails, serving, tells


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(tells("1. Ruler marks\n2. Snow")) as server:
        yield server


def asked(server: Server, *more: str) -> list[str]:
    vlm = f"openai:{server.address}#m"
    return ["candidates", "tiny", "--vlm", vlm, "--layer", "late", "--neurons", "0:3", *more]


def test_it_asks_lists_and_goes_on(
    tiny_run: Run, server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(asked(server)) == 0
    out = capsys.readouterr().out
    assert "ruler marks 0." in out and "2 neurons answered, 0 answers unparsable, 1 not asked" in out
    server.behaviours = [tells("I'm sorry, I can't.")]
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("{images}\nWhat do all of them show?")
    more = (
        "--activating-only",
        "--prompt-file",
        str(prompt),
        "--seed",
        "7",
        "--rows",
        "2",
        "--images",
        "4",
        "--pixels",
        "64",
    )
    assert run(asked(server, *more, "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["mode"] == "activating-only"
    assert (document["layers"]["late"]["unparsable"], document["layers"]["late"]["known"]) == (2, 0)
    first = document["neurons"][0]
    assert [row["label"] for row in first["labels"]] == ["ruler marks", "snow"]
    assert [(one["status"], one["mode"]) for one in first["answers"]] == [
        ("unparsable", "activating-only"),
        ("answered", "contrastive"),
    ]
    assert server.questions[-1]["body"]["seed"] == 7
    assert server.questions[-1]["body"]["messages"][0]["content"][-1]["text"] == "What do all of them show?"
    count = len(server.questions)
    assert run([*asked(server)[:2], "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(server.questions) == count and listed["vlm"] is None
    assert next(one for one in listed["neurons"] if one["layer"] == "late")["labels"] == first["labels"]


def test_errors_are_one_line(
    tiny_run: Run, server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    blind = tmp_path / "blind.txt"
    blind.write_text("What is this?")
    for arguments, message in (
        (asked(server, "--prompt-file", str(blind)), "0 places for the pictures"),
        (asked(server, "--prompt-file", str(tmp_path / "none")), "can't be read (No such file"),
        (asked(server, "--rows", "5", "--images", "4"), "can't be laid out"),
        (["candidates", "tiny", "--vlm", "gpt-5"], "starts with none of hf:, openai:"),
        (["candidates", "tiny", "--vlm", "hf:./nowhere"], "does not exist"),
        (["candidates", "tiny", "--vlm", "openai:http://127.0.0.1:1/v1#m"], "can't be reached"),
    ):
        assert run(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    server.behaviours = [tells("ruler"), fails(400, "no credit")]
    assert run(asked(server)) == 2
    assert "1 new answers are kept" in capsys.readouterr().err
