import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import models

from csp.face.cli.app import run
from csp.face.cli.progress import PlainProgress, facts
from csp.keeping.run_folder.manifest import sealed
from csp.keeping.run_folder.run import Run
from csp.method.examples.contrast_rule import ContrastRule
from csp.method.examples.select import select_examples
from csp.method.labelers.registry import FIRST, LABELERS
from csp.work.progress import Progress
from tests.build import K

Tell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Runs a command; gives its exit code, stdout and stderr."""

    def tell(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return tell


@pytest.fixture
def tell_json(tell: Tell) -> Callable[..., Any]:
    """Runs a command that must end as expected with one JSON document on stdout."""

    def tell_json(*arguments: str, exits: int = 0) -> Any:
        code, out, _ = tell(*arguments, "--json")
        assert code == exits
        return json.loads(out)

    return tell_json


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["label", "nope"], "no run is called 'nope' (runs: tiny"),
        (["label", "tiny", "--layer", "middle"], "has no layer 'middle' (layers: early, late)"),
        (["label", "tiny", "--neurons", "3,17"], "layer early has no neurons 17; it has 6, numbered 0 to 5"),
        (["label", "tiny", "--neurons", "9:12"], "has no neurons 9:12"),
        (["label", "tiny", "--neurons", "x"], "write all, 17, 0:200 or 3,17"),
        (["label", "tiny", "--method", "best"], "there are consensus, csp, semanticlens, clip-dissect"),
        (["label", "tiny", "--gamma", "2"], "gamma is 2.0"),
        (["label", "tiny", "--top", "0"], "--top"),
        (["label", "tiny", "--frob"], "No such option"),
        (["examples", "tiny", "--neuron", "1"], "several layers; choose --layer early or late"),
        (["examples", "tiny", "--layer", "late", "--neuron", "6"], "has no neuron 6: it has 6"),
        (["examples", "tiny"], "Missing option '--neuron'"),
        (["examples", "tiny", "--layer", "late", "--neuron", "1", "--examples", "0"], "at least 1"),
        (["evaluate", "tiny", "--metric", "luck"], "there is ground-truth, simcorr"),
        (["evaluate", "tiny", "--method", "bert"], "there are consensus, csp"),
        (["index", "--model", "torchvision:resnet18"], "layers is missing"),
        (["index", "none.yaml"], "no config file none.yaml"),
        (["layers", "tensor:x"], "starts with none of torchvision:"),
        (["frobnicate"], "No such command"),
    ],
)
def test_an_error_is_one_line_on_stderr(
    tiny_run: Run, tell: Tell, arguments: list[str], message: str
) -> None:
    code, out, err = tell(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("csp: ")
    assert err.count("\n") == 1
    assert message in err


def test_truth_is_told_with_paired_differences_of_the_neurons_asked_for(
    tiny_run: Run, tell: Tell, tell_json: Callable[..., Any]
) -> None:
    asked = (
        "evaluate",
        "demo",
        "--layer",
        "layer4",
        "--neurons",
        "0:30",
        "--method",
        "csp",
        "--method",
        "falcon",
    )
    found = tell_json(*asked)
    assert found["neurons"] == 30 and 0 < found["methods"]["csp"]["n"] <= 30
    code, out, _ = tell(*asked)
    assert code == 0 and f"{found['clear']} of 30 neurons" in out
    apart = found["differences"]["csp - falcon"]
    assert "paired by neuron" in out and f"{apart['low']:.3f} to {apart['high']:.3f}" in out


def test_help_and_no_command_show_the_commands(tell: Tell) -> None:
    for arguments in ([], ["--help"]):
        code, out, _ = tell(*arguments)
        assert code == 0
        for name in ("demo", "index", "import", "layers", "examples", "label", "evaluate", "runs", "doctor"):
            assert f"  {name} " in out


def test_examples_json_has_aligned_pairs(tiny_run: Run, tell_json: Callable[..., Any]) -> None:
    found = tell_json("examples", "tiny", "--layer", "late", "--neuron", "1", "--examples", "4", "--no-reuse")
    assert list(found) == ["layer", "neuron", "mean_activation", "activating", "contrastive"]
    expected = select_examples(tiny_run.activations("late", 1), tiny_run.embeddings, 4, reuse=False)
    assert (found["layer"], found["neuron"]) == ("late", 1)
    assert found["mean_activation"] == pytest.approx(expected.mean_activation)
    assert [one["image"] for one in found["activating"]] == expected.activating.tolist()
    assert [one["image"] for one in found["contrastive"]] == expected.contrastive.tolist()
    assert list(found["activating"][0]) == ["image", "path", "activation"]
    assert list(found["contrastive"][0]) == ["image", "path", "activation", "similarity"]
    np.testing.assert_allclose(
        [one["similarity"] for one in found["contrastive"]], expected.similarity, atol=1e-6
    )
    assert found["activating"][0]["path"] == tiny_run.images["path"][found["activating"][0]["image"]]


def test_a_missing_twin_is_null(tiny_run: Run, tell_json: Callable[..., Any], tell: Tell) -> None:
    found = tell_json("examples", "tiny", "--layer", "early", "--neuron", "3")
    assert found["contrastive"] == [{"image": None, "path": None, "activation": None, "similarity": None}] * 5
    assert tell("examples", "tiny", "--layer", "early", "--neuron", "3")[0] == 0


def test_label_json_lists_every_chosen_neuron(tiny_run: Run, tell_json: Callable[..., Any]) -> None:
    found = tell_json("label", "tiny", "--neurons", "0:2,4", "--gamma", "0.5", "--top", "2")
    assert [(one["layer"], one["neuron"]) for one in found] == [
        (layer, neuron) for layer in ("early", "late") for neuron in (0, 1, 4)
    ]
    assert len(found[0]["labels"]) == 2
    assert list(found[0]["labels"][0]) == ["label", "score"]
    assert found[0]["labels"][0]["score"] >= found[0]["labels"][1]["score"]
    only = tell_json("label", "tiny", "--layer", "late", "--top", "12", "--method", "clip-dissect")
    assert [one["neuron"] for one in only] == list(range(6))
    assert len(only[0]["labels"]) == 12


def test_default_labels_are_those_stored_with_the_run(tiny_run: Run, tell_json: Callable[..., Any]) -> None:
    stored = tiny_run.labels("late").query(f"neuron == 1 and labeler == '{FIRST}'")
    found = tell_json("label", "tiny", "--layer", "late", "--neurons", "1", "--top", "3")
    assert [one["label"] for one in found[0]["labels"]] == stored["label"].tolist()


def test_runs_and_doctor_tell_of_a_damaged_run(
    tiny_run: Run, tell: Tell, tell_json: Callable[..., Any]
) -> None:
    listed = {one["name"]: one for one in tell_json("runs")}
    assert listed["tiny"]["images"] == 40
    assert listed["tiny"]["layers"] == [{"layer": "early", "neurons": 6}, {"layer": "late", "neurons": 6}]
    assert next(one for one in tell_json("doctor")["runs"] if one["name"] == "tiny")["problems"] == []
    (tiny_run.path / "tables" / "images.parquet").write_bytes(b"PAR1")
    found = tell_json("doctor", exits=2)
    assert not found["ok"]
    assert {"csp", "python", "numpy", "torch"} <= set(found["versions"])
    assert "images.parquet" in next(one for one in found["runs"] if one["name"] == "tiny")["problems"][0]
    (tiny_run.path / "manifest.json").write_text("{}")
    assert "damaged" in tell("runs")[1]
    code, out, error = tell("doctor")
    assert code == 2 and "damaged" in out
    assert error.startswith("csp: something here is wrong: run tiny: ") and error.count("\n") == 1


def test_doctor_says_what_keeps_a_team_out(
    own_home: Path, tell: Tell, tell_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = tell_json("doctor")
    assert sound["ok"] and sound["team"]["problem"] is None
    monkeypatch.setenv("CSP_PROXY_SECRET", "x" * 16)
    own_home.mkdir(exist_ok=True)
    (own_home / "team.toml").write_text('sign_in = "proxy"')
    found = tell_json("doctor", exits=2)
    assert not found["ok"]
    assert "hosts" in found["team"]["problem"]
    (own_home / "team.toml").write_text('hosts = ["https://csp.clinic.org"]')
    assert "without https://" in tell_json("doctor", exits=2)["team"]["problem"]
    (own_home / "team.toml").write_text('sign_in = "prxy"')
    assert "sign_in: Input should be 'name'" in tell("doctor")[2]


def test_import_prints_what_it_did(tmp_path: Path, tell: Tell, tell_json: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.random((12, 3)))
    np.save(tmp_path / "e.npy", rng.normal(size=(12, 5)))
    arguments = [
        "import",
        "--activations",
        f"{tmp_path}/a.npy",
        "--embeddings",
        f"{tmp_path}/e.npy",
        "--out",
        "mine",
    ]
    found = tell_json(*arguments)
    assert (found["run"], found["images"]) == ("mine", 12)
    assert any("normalised" in note for note in found["notes"])
    code, out, err = tell("label", "mine")
    assert (code, out) == (2, "")
    assert "no vocabulary" in err
    code, out, err = tell("evaluate", "mine")
    assert code == 0 and "clarity" in out, "what needs neither attributes nor vocabulary is measured"
    assert "no attributes" in err


def test_looking_at_a_stored_run_loads_no_model_library(tiny_run: Run) -> None:
    code = (
        "import sys\nfrom csp.face.cli.app import run\n"
        "codes = [run(line.split()) for line in ('runs', 'examples tiny --layer late --neuron 0',"
        " 'label tiny --gamma 0.2')]\n"
        "heavy = [name for name in ('torch', 'torchvision', 'open_clip', 'transformers', 'streamlit')"
        " if name in sys.modules]\n"
        "print(codes, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0] []"


def test_progress_lines_say_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert facts(Progress("images", 120, 400, 35.25, 68.0)) == "120/400, 35.2/s, 1:08 left"
    assert facts(Progress("images", 0, 400, None, None)) == "0/400"
    show = PlainProgress()
    for done in range(1, 401):
        show(Progress("images", done, 400, 50.0, (400 - done) / 50))
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "images: 400/400, 50.0/s"
    assert len(lines) < 5


def test_evaluate_sums_up_by_labeler_and_lists_every_metric(
    tiny_run: Run, tell: Tell, tell_json: Callable[..., Any]
) -> None:
    found = tell_json("evaluate", "tiny", "--metric", "stability", "--method", "csp", "--method", "falcon")
    assert (found["run"], found["metric"]) == ("tiny", "stability")
    numbers = found["numbers"]["stability"]
    assert list(numbers["methods"]) == ["csp", "falcon"]
    assert set(numbers["methods"]["csp"]) == {"mean", "low", "high", "n"}
    assert list(numbers["differences"]) == ["csp - falcon"]
    code, out, _ = tell("evaluate", "tiny", "--metric", "descriptive", "--neurons", "0:2", "--layer", "late")
    assert code == 0
    assert "Polysemanticity" in out
    _, text, _ = tell("label", "--help")
    assert all(name in text for name in LABELERS)


def test_a_contrast_rule_on_the_command_line(tiny_run: Run, tell_json: Callable[..., Any]) -> None:
    found = tell_json("examples", "tiny", "--layer", "late", "--neuron", "1", "--contrast", "quantile:0.2")
    rule = ContrastRule(quantile=0.2)
    expected = select_examples(tiny_run.activations("late", 1), tiny_run.embeddings, K, rule=rule)
    assert [one["image"] for one in found["contrastive"]] == expected.contrastive.tolist()


def test_what_is_to_be_known_of_a_model_is_said_beside_its_layers(tell: Tell, tmp_path: Path) -> None:
    state = models.shufflenet_v2_x0_5(num_classes=2).state_dict()
    torch.save({"model": state | {"loss.weight": torch.ones(2)}}, tmp_path / "last.ckpt")
    code, out, error = tell("layers", f"torchvision:shufflenet_v2_x0_5@{tmp_path / 'last.ckpt'}", "--json")
    assert code == 0
    assert json.loads(out)[-1]["layer"] == "fc"
    assert error.startswith("note: ")
    assert "'loss.weight'" in error


def test_doctor_tells_the_notes_of_runs(tell: Tell, tiny_run: Run) -> None:
    file = tiny_run.path / "manifest.json"
    file.write_bytes(sealed(json.loads(file.read_text()) | {"notes": ["ReLU is assumed."]}))
    assert "  note: ReLU is assumed.\n" in tell("doctor")[1]


def test_a_neuron_that_never_fires_is_told(tiny_run: Run, tell: Tell) -> None:
    _, _, err = tell("examples", "tiny", "--layer", "late", "--neuron", "2")
    assert "note: This neuron did not respond to any image" in err
    _, _, err = tell("label", "tiny", "--layer", "late", "--gamma", "0.5")
    assert "of 6 never fire on these images" in err
