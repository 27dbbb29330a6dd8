import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest
import timm
import torch
import yaml
from timm.models import save_for_hf

from csp.face.cli.app import run
from csp.keeping.home import runs_folder
from csp.keeping.run_folder.run import Run
from tests import patience
from tests.work.tiny_world import BROKEN, GOOD, fields, make_world

PRELOADED = ["csp.work.indexing.index", "tests.work.gated"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config file beside the tiny world's images and models."""
    folder = make_world(tmp_path_factory.mktemp("world") / "world")
    (folder / "config.yaml").write_text(yaml.safe_dump(fields(folder) | {"out": "mine"}))
    return folder / "config.yaml"


def test_index_then_look(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(config), "--examples", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["images"]) == ("mine", GOOD)
    assert {one["path"] for one in found["skipped"]} == set(BROKEN)
    assert Run.open(runs_folder() / "mine").manifest.parameters.k == 5
    assert run(["label", "mine", "--layer", "layer1", "--neurons", "0:3", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_layers_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"torchvision:resnet18@{config.parent}/classifier.safetensors"
    assert run(["layers", spec, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"layer": "layer4", "type": "Sequential", "shape": [512, 1, 1]} in found
    assert run(["layers", spec]) == 0
    assert "512 x 1 x 1" in capsys.readouterr().out


def test_a_model_without_a_head_is_indexed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    backbone = config.parent / "backbone"
    save_for_hf(timm.create_model("test_vit", num_classes=0), backbone, safe_serialization=True)
    arguments = ["--model", f"timm:{backbone}", "--layer", "blocks.1", "--out", "bare"]
    assert run(["index", str(config), *arguments, "--json"]) == 0
    opened = Run.open(runs_folder() / "bare")
    assert opened.manifest.classes == ()
    assert opened.probabilities is None
    assert opened.images["prediction"].isna().all()
    capsys.readouterr()
    assert run(["label", "bare", "--neurons", "all", "--json"]) == 0
    assert any(one["labels"] for one in json.loads(capsys.readouterr().out))
    assert run(["attribute", "bare"]) == 2
    assert "class" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(config: Path, own_home: Path, tmp_path: Path) -> None:
    """After the first image; the second waits at a gate, so that there is something to go on with."""
    own, data = f"python:tests.work.gated:{tmp_path}", f"csv:{config.parent / 'images.csv'}"
    asked = {"model": own, "encoder": own, "layers": ["colour"], "data": data, "batch_size": 1, "k": 6}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(asked))
    (tmp_path / "go").write_text("x")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    runs = own_home / "runs"
    process = context.Process(
        target=index_alone, args=(tmp_path / "config.yaml", runs / "mine", tmp_path / "log")
    )
    process.start()
    patience.until(
        lambda: not process.is_alive() or list((runs / "mine.partial").glob("rows-*")), "the first rows"
    )
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    log = (tmp_path / "log").read_text()
    assert process.exitcode == 130
    assert "the same command goes on from there" in log
    assert "Traceback" not in log
    assert (runs / "mine.partial").exists()


def index_alone(config: Path, out: Path, log: Path) -> None:
    """The command in a process of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    sys.stderr = log.open("w", buffering=1)
    sys.exit(run(["index", str(config), "--out", str(out)]))
