"""An SAE is trained on a run's layer, and its latents become a layer of another run."""

import json
from pathlib import Path
from typing import Any

import pytest

from csp.errors import BadInputError, NotFoundError
from csp.face.cli.app import run as command
from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from csp.work.indexing.spec import make_spec
from csp.work.jobs.kinds.sae import trained_saes
from csp.work.jobs.registry import FaultyJobError, check_job
from csp.work.models.train_sae import train_sae
from csp.work.progress import silent
from csp.world.saes.plan import SaePlan
from tests.work.tiny_world import index_spec

PLAN: dict[str, Any] = {"kind": "topk", "latents": 40, "active": 4, "epochs": 2, "batch": 64}


def test_latents_of_a_trained_sae_are_a_layer(
    world: Path, tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields, layer = index_spec(world, tmp_path / "run").model_dump() | {"layers": ("layer4",)}, "layer4"
    run, out = index(make_spec(fields)), tmp_path / "sae.safetensors"
    words = [f"--{name}={value}" for name, value in PLAN.items()]
    assert command(["sae", "train", str(run), "--layer", layer, "--out", str(out), "--json", *words]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 0 < said["l0"] <= 4
    assert json.loads(out.with_suffix(".json").read_text())["quality"]["explained"] == said["explained"]
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    fields |= {"out": str(tmp_path / "latents")}
    saes = (f"{layer}=overcomplete:{out}",)
    checked = check_job("sae", {"run": str(run), "layer": layer, "out": "mine", **PLAN, "epochs": 1})
    checked.kind.run(checked.arguments, silent)
    (own_home / "saes/other.json").write_text("{")
    endless = {"explained": 0.5, "l0": 1, "dead": 0, "positions": float("inf")}
    said = {"run": "mine", "layer": layer, "quality": endless}
    (own_home / "saes/endless.json").write_text(json.dumps(said))
    (one,) = trained_saes()
    assert one.spec == f"{layer}=overcomplete:{own_home / 'saes/mine.safetensors'}"
    found = one.quality
    assert found.explained <= 1 and 0 < found.l0 <= 4 and 0 <= found.dead < 1
    with pytest.raises(FaultyJobError, match="there is an SAE called mine already"):
        check_job("sae", dict(checked.arguments))
    made = Run.open(index(make_spec(fields | {"layers": (f"{layer}.topk",), "saes": saes})))
    assert [one.neurons for one in made.manifest.layers] == [40]
    assert any(note.startswith(f"{layer}.topk: The SAE ") for note in made.manifest.notes)


def test_what_can_not_be_trained_is_said(built_run: Path, tmp_path: Path) -> None:
    run, plan = Run.open(built_run), SaePlan(**PLAN)
    with pytest.raises(NotFoundError):
        train_sae(run, "layer9", plan, tmp_path / "sae.safetensors")
    with pytest.raises(BadInputError, match=r"must end in \.safetensors"):
        train_sae(run, run.layers[-1], plan, tmp_path / "sae.pt")
    with pytest.raises(BadInputError, match="positions must be at least 1"):
        train_sae(run, run.layers[-1], plan, tmp_path / "sae.safetensors", positions=0)
    assert list(tmp_path.iterdir()) == []
