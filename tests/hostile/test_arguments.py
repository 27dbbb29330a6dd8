"""Commands with arguments that make no sense: a sentence and exit code 2, never a traceback."""

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csp.face.cli.app import run
from tests.hostile.fuzz import SAMPLE, TEXTS

COMMANDS = [
    ["examples", "demo", "--neuron", "{}"],
    ["examples", "{}", "--neuron", "1"],
    ["label", "demo", "--neurons", "{}"],
    ["label", "demo", "--neurons", "1", "--method", "{}"],
    ["label", "demo", "--neurons", "1", "--gamma", "{}"],
    ["label", "{}"],
    ["search", "{}", "ruler"],
    ["search", "demo", "--image", "{}"],
    ["search", "demo", "--like", "{}"],
    ["candidates", "demo", "--vlm", "{}"],
    ["candidates", "demo", "--layer", "{}"],
    ["candidates", "demo", "--vlm", "hf:x", "--prompt-file", "{}"],
    ["evaluate", "demo", "--metric", "{}"],
    ["experiment", "{}"],
    ["index", "{}"],
    ["layers", "{}"],
    ["export", "demo", "-o", "x.csv", "--layer", "{}"],
    ["export", "demo", "-o", "x", "--format", "{}"],
    ["review", "import", "{}"],
    ["review", "import", "demo", "{}"],
    ["review", "list", "{}"],
    ["import", "--activations", "{}", "--embeddings", "b", "--out", "c"],
    ["demo", "--port", "{}x"],
    ["index", "--model", "{}", "--layer", "l", "--data", "{}", "--encoder", "{}", "--out", "o"],
    ["jobs", "show", "{}"],
    ["jobs", "cancel", "{}"],
    ["runs", "{}"],
    ["doctor", "{}"],
    ["{}"],
    ["map", "{}"],
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=SAMPLE // 2)
@given(command=st.sampled_from(COMMANDS), text=TEXTS)
def test_arguments(command: list[str], text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr("os.execv", lambda *_: None)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([text if word == "{}" else word.replace("{}", text[:20]) for word in command])
    assert code in (0, 2), (code, err.getvalue())
    if code == 2:
        lines = err.getvalue().splitlines()
        assert any(line.startswith("csp: ") for line in lines) and "Traceback" not in err.getvalue()
        assert all(one.isprintable() for line in lines for one in line)
