"""No command and no page reads a whole layer: a run may have more images than memory holds."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from csp.face.cli.app import run
from csp.keeping.run_folder import arrays
from csp.keeping.run_folder.run import Run
from csp.work.attribution import told_head
from csp.work.attribution.class_attribution import class_attribution
from csp.work.attribution.predictions import try_probe_image
from csp.work.attribution.unlikeness import _space
from csp.work.control.control import measure_control
from csp.work.explorer.explorer import open_explorer
from csp.work.neurons.counterparts import counterparts
from csp.work.reliance.by_model import _means
from csp.work.reliance.heads import behind_head
from tests.work.reliance.conftest import IMAGES, NEURONS, MakeRun, activations

TWO_NEURONS = 2 * 4 * IMAGES
COMMANDS = (
    "label RUN --json",
    "examples RUN --neuron 1 --json",
    "search RUN --like 1 --json",
    "evaluate RUN --metric ground-truth --json",
    "evaluate RUN --metric causal --json",
    "evaluate RUN --metric stability --neurons 0:2 --json",
    "reliance RUN --json",
    "export RUN --json -o FILE",
)


def asked(
    built: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[list[str], list[np.ndarray]]:
    """What the commands say, and what pages and the model's measures ask of all neurons."""
    monkeypatch.setenv("CSP_HOME", str(folder / "home"))
    path, said = shutil.copytree(built, folder / "run", ignore=shutil.ignore_patterns("additions")), []
    explorer = open_explorer(str(path))
    measure_control(explorer)
    for command in COMMANDS:
        words = command.replace("RUN", str(path)).replace("FILE", str(folder / "out.json")).split()
        assert run(words) == 0, (command, capsys.readouterr().err)
        said.append(capsys.readouterr().out.replace(str(folder), ""))
    opened, layer = explorer.run, "last"
    head, pushes = behind_head(opened), class_attribution(explorer, layer)
    assert head is not None and pushes is not None
    found = [pushes.table.to_numpy(), try_probe_image(explorer, layer, 3).neurons.to_numpy()]
    found += [head.outputs, head.usual, head.without([1, 4]), head.of_picture(3), _means(opened, layer)]
    found += [_space(opened, layer).own, counterparts(opened, opened, layer).neuron_b]
    return said, found


def test_no_command_reads_a_whole_layer_and_blocks_change_nothing(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built, read, largest = make_run().run.path, Run._read, [0]
    whole = asked(built, tmp_path / "whole", monkeypatch, capsys)

    def counted(self: Run, name: str, rows: int | slice = slice(None)) -> np.ndarray:
        data = read(self, name, rows)
        if name.startswith(arrays.BY_NEURON):
            largest.append(data.nbytes)
        return data

    monkeypatch.setattr(Run, "_read", counted)
    monkeypatch.setattr("csp.keeping.run_folder.run.BLOCK_BYTES", TWO_NEURONS)
    parts = asked(built, tmp_path / "parts", monkeypatch, capsys)
    assert max(largest) == TWO_NEURONS < 4 * IMAGES * NEURONS
    assert parts[0] == whole[0]
    for own, other in zip(parts[1], whole[1], strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)


def test_some_images_tell_the_head_and_all_must_bear_it_out(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = told_head.told_weights
    explorer, logits = make_run(), activations().astype(np.float64) @ np.ones((NEURONS, 1))
    monkeypatch.setattr(told_head, "NUMBERS", 1)
    some = told_head.telling_images(explorer.run, "last")
    assert len(some) == told_head.TIMES * NEURONS < IMAGES
    np.testing.assert_allclose(weights(explorer.run, "last", logits), 1, atol=1e-5)
    logits[np.setdiff1d(np.arange(IMAGES), some)[0]] += 1
    assert weights(explorer.run, "last", logits) is None
