"""SAEs as the libraries write them give the latents, and the way back, that the libraries give."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from overcomplete.sae import SAE, BatchTopKSAE, JumpSAE, TopKSAE
from safetensors.torch import save_file
from torch import Tensor, nn

from csp.errors import BadInputError, CspError, NotFoundError
from csp.world.protocols.sae import open_sae
from csp.world.torch_models.splicing.autoencoder import Autoencoder

FILES = Path(__file__).parent / "files"
SAELENS = sorted(FILES.glob("saelens-*"))
KINDS = {
    "standard": "relu",
    "topk": "topk",
    "gated": "gated",
    "jumprelu": "jumprelu",
    "matryoshka": "jumprelu",
}


def opened(spec: str) -> Autoencoder:
    sae = open_sae(spec)
    assert isinstance(sae, Autoencoder)
    return sae


def gives(sae: Autoencoder, inputs: Tensor, latents: Tensor, back: Tensor) -> None:
    assert (latents > 0).any() and (latents == 0).any()
    torch.testing.assert_close(sae.encode(inputs), latents, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sae.decode(latents, inputs), back, atol=1e-5, rtol=1e-5)


def expected(folder: Path) -> list[Tensor]:
    with np.load(folder / "expected.npz") as file:
        return [torch.from_numpy(file[name]) for name in ("inputs", "latents", "back")]


@pytest.mark.parametrize("folder", SAELENS, ids=lambda folder: folder.name)
def test_saelens(folder: Path) -> None:
    sae = opened(f"saelens:{folder}")
    gives(sae, *expected(folder))
    assert sae.kind == KINDS[folder.name.split("-")[1]]
    assert (sae.width, sae.count) == (6, 16)


def test_saelens_before_version_6(tmp_path: Path) -> None:
    folder = shutil.copytree(FILES / "saelens-topk", tmp_path / "sae")
    config = json.loads((folder / "cfg.json").read_text())
    del config["k"]
    config |= {"architecture": "standard", "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}}
    (folder / "cfg.json").write_text(json.dumps(config))
    gives(opened(f"saelens:{folder}"), *expected(folder))
    _weights(folder, scaling_factor=torch.full((16,), 2.0))
    _change(folder, finetuning_scaling_factor=True, normalize_activations="expected_average_only_in")
    sae = opened(f"saelens:{folder}")
    plain = opened(f"saelens:{FILES / 'saelens-topk'}")
    torch.testing.assert_close(sae.decoder, 2 * plain.decoder)
    assert "scaled while it learnt" in sae.notes[0]


def test_saev() -> None:
    gives(opened(f"saev:{FILES}/saev-relu/sae.pt"), *expected(FILES / "saev-relu"))


def test_saev_of_a_later_schema_takes_no_bias_off_and_says_how_it_fires(tmp_path: Path) -> None:
    state = {
        "W_enc": torch.randn(4, 9),
        "b_enc": torch.randn(9),
        "W_dec": torch.randn(9, 4),
        "b_dec": torch.randn(4),
    }
    header = {"schema": 2, "cfg": {"d_vit": 4, "activation": {"cls": "TopK", "params": {"top_k": 2}}}}
    with (tmp_path / "sae.pt").open("wb") as file:
        file.write((json.dumps(header) + "\n").encode())
        torch.save(state, file)
    inputs = torch.randn(3, 4)
    before = inputs @ state["W_enc"] + state["b_enc"]
    best = before.topk(2)
    latents = torch.zeros_like(before).scatter(1, best.indices, best.values)
    gives(opened(f"saev:{tmp_path}/sae.pt"), inputs, latents, latents @ state["W_dec"] + state["b_dec"])


def test_prisma(tmp_path: Path) -> None:
    state = {
        "W_enc": torch.randn(4, 9),
        "b_enc": torch.randn(9),
        "W_dec": torch.randn(9, 4),
        "b_dec": torch.randn(4),
    }
    torch.save({"state_dict": state}, tmp_path / "weights.pt")
    config = {
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": 3},
        "normalize_activations": "layer_norm",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    inputs = torch.randn(3, 4)
    centred = inputs - inputs.mean(-1, keepdim=True)
    scaled = centred / (centred.std(-1, keepdim=True) + 1e-5)
    before = (scaled - state["b_dec"]) @ state["W_enc"] + state["b_enc"]
    best = before.topk(3)
    latents = torch.zeros_like(before).scatter(1, best.indices, best.values.relu())
    back = (latents @ state["W_dec"] + state["b_dec"]) * centred.std(-1, keepdim=True)
    gives(opened(f"prisma:{tmp_path}"), inputs, latents, back + inputs.mean(-1, keepdim=True))


def trained(sae: nn.Module, batch_size: int = 32) -> nn.Module:
    """A few steps, so that thresholds run and the dictionary has moved."""
    optimiser = torch.optim.Adam(sae.parameters(), 1e-2)
    sae.train()
    for _ in range(5):
        inputs = torch.randn(batch_size, 6)
        loss = (sae(inputs)[2] - inputs).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return sae


@pytest.mark.parametrize(
    ("make", "fires"),
    [
        (lambda: SAE(6, 20), "relu@"),
        (
            lambda: SAE(6, 20, dictionary_params={"normalization": "identity", "use_multiplier": True}),
            "relu@",
        ),
        (lambda: TopKSAE(6, 20, top_k=4), "topk-4@"),
        (lambda: JumpSAE(6, 20), ""),
        (lambda: BatchTopKSAE(6, 20, top_k=100), "batchtopk-{}@"),
    ],
)
@pytest.mark.parametrize("when", ["in training", "in use"])
def test_overcomplete(make: Any, fires: str, when: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    sae = trained(make())
    if when == "in training":
        torch.save(sae.state_dict(), tmp_path / "sae.pt")
    sae.eval()
    if when == "in use":
        torch.save(sae.state_dict(), tmp_path / "sae.pt")
    threshold = getattr(sae, "running_threshold", None)
    spec = f"overcomplete:{fires.format(float(threshold) if threshold is not None else '')}{tmp_path}/sae.pt"
    inputs = torch.randn(40, 6)
    with torch.no_grad():
        _, latents, back = sae(inputs)
    gives(opened(spec), inputs, latents, back)


def test_what_a_file_says_of_how_it_fires_is_enough(tmp_path: Path) -> None:
    sae = trained(TopKSAE(6, 20, top_k=4)).eval()
    save_file(dict(sae.state_dict()), tmp_path / "sae.safetensors", {"fires": "topk-4"})
    assert opened(f"overcomplete:{tmp_path}/sae.safetensors").kind == "topk"


def _change(folder: Path, file: str = "cfg.json", **fields: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: shutil.rmtree(folder), "does not exist"),
        (lambda folder: (folder / "cfg.json").unlink(), "has no cfg.json"),
        (lambda folder: (folder / "cfg.json").write_text("["), "not JSON"),
        (lambda folder: (folder / "cfg.json").write_text("[]"), "no mapping"),
        (lambda folder: (folder / "cfg.json").write_text("[" * 100_000), "not JSON"),
        (lambda folder: _change(folder, architecture="temporal"), "architecture 'temporal'"),
        (lambda folder: _change(folder, architecture=["topk"]), "architecture"),
        (lambda folder: _change(folder, architecture="jumprelu"), "can't be read"),
        (lambda folder: _change(folder, reshape_activations="hook_z"), "attention"),
        (lambda folder: _change(folder, k=0), "k is 0"),
        (lambda folder: _change(folder, normalize_activations="by_ten"), "scales what it reads by 'by_ten'"),
        (lambda folder: _change(folder, architecture="standard", activation_fn="tanh"), "fires by 'tanh'"),
        (lambda folder: _change(folder, k="many"), "k is 'many'"),
        (lambda folder: _change(folder, k=17), "k is from 1 to 16"),
        (lambda folder: (folder / "sae_weights.safetensors").write_bytes(b"\0" * 9), "sae_weights"),
        (lambda folder: (folder / "sae_weights.safetensors").unlink(), "no checkpoint file"),
        (lambda folder: _weights(folder, W_enc=torch.randn(16, 6)), "don't belong together"),
        (lambda folder: _weights(folder, b_enc=torch.full((16,), torch.nan)), "not finite"),
        (lambda folder: _weights(folder, W_dec=None), "no 'W_dec'"),
        (lambda folder: _weights(folder, W_enc=None), "lacks 'W_enc'"),
        (lambda folder: _weights(folder, W_dec=torch.zeros(0, 6)), "no SAE"),
    ],
)
def test_a_spoilt_one_is_a_sentence(spoil: Any, says: str, tmp_path: Path) -> None:
    folder = tmp_path / "sae"
    shutil.copytree(FILES / "saelens-topk", folder)
    spoil(folder)
    with pytest.raises(CspError, match=says):
        open_sae(f"saelens:{folder}")


def _weights(folder: Path, **changes: Tensor | None) -> None:
    from safetensors.torch import load_file

    state = load_file(folder / "sae_weights.safetensors") | changes
    kept = {name: value.contiguous() for name, value in state.items() if value is not None}
    save_file(kept, folder / "sae_weights.safetensors")


@pytest.mark.parametrize("spec", ["overcomplete:{}", "overcomplete:topk@{}", "overcomplete:topk-0@{}"])
def test_an_sae_must_say_how_it_fires(spec: str, tmp_path: Path) -> None:
    torch.save(TopKSAE(6, 20, top_k=4).state_dict(), tmp_path / "sae.pt")
    with pytest.raises(BadInputError, match=r"topk|k is from 1"):
        open_sae(spec.format(tmp_path / "sae.pt"))


def test_other_files_are_no_sae(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "linear.pt")
    with pytest.raises(BadInputError, match=r"no 'dictionary\._weights', but 'weight', 'bias'"):
        open_sae(f"overcomplete:relu@{tmp_path}/linear.pt")
    with pytest.raises(BadInputError, match="no SAE of saev"):
        open_sae(f"saev:{tmp_path}/linear.pt")
    with pytest.raises(NotFoundError):
        open_sae(f"saev:{tmp_path}/none.pt")
    with pytest.raises(BadInputError, match="more than one linear step"):
        torch.save(SAE(6, 20, encoder_module="mlp_bn_1").state_dict(), tmp_path / "deep.pt")
        open_sae(f"overcomplete:relu@{tmp_path}/deep.pt")
