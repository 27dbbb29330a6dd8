"""SAEs learn what made-up positions are made of, and a stopped training ends in the same file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from csp.errors import BadInputError
from csp.world.protocols.sae import open_sae
from csp.world.saes.plan import KINDS, SaePlan
from csp.world.saes.quality import SaeQuality
from csp.world.saes.training import Positions, train_sae
from csp.world.torch_models.splicing.autoencoder import Autoencoder

WIDTH, THINGS = 16, 24


@pytest.fixture(scope="module")
def positions() -> Positions:
    """Sums of two or three of 24 directions, in four parts of uneven length."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(THINGS, WIDTH))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shown = rng.random((4000, THINGS)) < 2.5 / THINGS
    made = (shown * rng.uniform(20, 40, shown.shape)) @ directions
    return np.split(made.astype(np.float32), [1000, 2300, 3500])


def trained(positions: Positions, plan: SaePlan, folder: Path, told: Any = lambda done, how: None) -> bytes:
    folder.mkdir(exist_ok=True)
    return train_sae(positions, plan, folder, "overcomplete:x", told, {"layer": "late"})[0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_sae_learns_what_positions_are_made_of(kind: Any, positions: Positions, tmp_path: Path) -> None:
    plan = SaePlan(kind, latents=48, active=4, penalty=0.03, epochs=30, batch=128, rate=3e-3)
    (tmp_path / "sae.safetensors").write_bytes(trained(positions, plan, tmp_path / "work"))
    sae = open_sae(f"overcomplete:{tmp_path}/sae.safetensors")
    assert isinstance(sae, Autoencoder)
    assert sae.kind == kind
    rows = torch.from_numpy(positions[-1])
    latents = sae.encode(rows)
    left = (rows - sae.decode(latents, rows)).square().sum() / (rows - rows.mean(0)).square().sum()
    assert left < 0.15
    assert 1 < (latents > 0).sum(1).float().mean() < 12
    with safe_open(tmp_path / "sae.safetensors", "pt") as file:
        learnt = json.loads(file.metadata()["learnt"])
    assert learnt["quality"]["explained"] == pytest.approx(1 - float(left), abs=1e-4)
    assert learnt["layer"] == "late" and len(learnt["epochs"]) == 30
    assert f"explains {100 * learnt['quality']['explained']:.1f} % of" in sae.notes[0]


@pytest.mark.parametrize("kind", ["topk", "batchtopk"])
def test_a_stopped_training_ends_in_the_same_file(kind: Any, positions: Positions, tmp_path: Path) -> None:
    plan = SaePlan(kind, latents=32, active=3, epochs=4, batch=256)
    whole = trained(positions, plan, tmp_path / "whole")
    seen: list[int] = []

    def stop(done: int, how: object) -> None:
        seen.append(done)
        if seen == [1, 2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(positions, plan, tmp_path / "stopped", stop)
    resumed = trained(positions, plan, tmp_path / "stopped", stop)
    first, second = load(whole), load(resumed)
    assert all(torch.equal(first[name], second[name]) for name in first | second)
    assert seen == [1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "dense"}, "none of topk"),
        ({"latents": 8, "active": 9}, "can't be active"),
        ({"epochs": 0}, "at least 1"),
        ({"rate": float("nan")}, "above 0"),
        ({"penalty": -1.0}, "above 0"),
    ],
)
def test_a_plan_that_can_not_be_is_said(fields: Any, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        SaePlan(**fields)


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_positions_without_anything_to_learn_are_said(bad: float, tmp_path: Path) -> None:
    parts = [np.full((20, 4), bad, np.float32)] * 2
    with pytest.raises(BadInputError, match="nothing that an SAE can learn"):
        trained(parts, SaePlan(latents=8, active=2), tmp_path / "work")
    with pytest.raises(BadInputError, match="too few images"):
        trained(parts[:1], SaePlan(latents=8, active=2), tmp_path / "work")


@pytest.mark.parametrize(
    ("explained", "said", "to_try"),
    [
        (0.842, "explains 84.2 % of what its layer varies by", False),
        (0.0, "is no better than answering the mean (0.0 % of", True),
        (-0.228, "is worse than answering the mean (-22.8 % of", True),
    ],
)
def test_what_came_out_is_a_whole_sentence(explained: float, said: str, to_try: bool) -> None:
    sentence = SaeQuality(explained, 31.96, 0.3281, 1234).sentence
    assert said in sentence
    assert "32.0 latents above 0; 32.8 % of latents never fire (1,234 positions held out)." in sentence
    assert ("--epochs" in sentence) is to_try
