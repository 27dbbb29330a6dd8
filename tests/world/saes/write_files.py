"""Wrote what lies in `files/`, by the libraries' own writers: small SAEs, some inputs, and what the libraries
say of them. They need more than the tests install (sae-lens 6.54, saev 0.1), so that the files are kept:

    python tests/world/saes/write_files.py saelens
    python tests/world/saes/write_files.py saev
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

FILES = Path(__file__).parent / "files"
WIDTH, LATENTS = 6, 16


def _random(module: Any) -> None:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
            if name == "threshold":
                parameter.copy_(parameter.abs())


def _expected(folder: Path, latents: torch.Tensor, back: torch.Tensor, inputs: torch.Tensor) -> None:
    arrays = {"inputs": inputs, "latents": latents, "back": back}
    np.savez(folder / "expected.npz", **{name: value.detach().numpy() for name, value in arrays.items()})


def write_saelens() -> None:
    """An SAE of each architecture."""
    from sae_lens.saes.gated_sae import GatedSAE, GatedSAEConfig
    from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig
    from sae_lens.saes.matryoshka_batchtopk_sae import (
        MatryoshkaBatchTopKTrainingSAE,
        MatryoshkaBatchTopKTrainingSAEConfig,
    )
    from sae_lens.saes.standard_sae import StandardSAE, StandardSAEConfig
    from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig

    size: dict[str, Any] = {"d_in": WIDTH, "d_sae": LATENTS}
    made = {
        "standard": StandardSAE(StandardSAEConfig(**size)),
        "standard-uncentred": StandardSAE(StandardSAEConfig(**size, apply_b_dec_to_input=False)),
        "standard-layer-norm": StandardSAE(StandardSAEConfig(**size, normalize_activations="layer_norm")),
        "standard-constant-norm": StandardSAE(
            StandardSAEConfig(**size, normalize_activations="constant_norm_rescale")
        ),
        "topk": TopKSAE(TopKSAEConfig(**size, k=3, rescale_acts_by_decoder_norm=False)),
        "topk-rescaled": TopKSAE(TopKSAEConfig(**size, k=3, rescale_acts_by_decoder_norm=True)),
        "jumprelu": JumpReLUSAE(JumpReLUSAEConfig(**size)),
        "gated": GatedSAE(GatedSAEConfig(**size)),
    }
    inputs = torch.randn(5, WIDTH)
    for name, sae in made.items():
        _random(sae)
        folder = FILES / f"saelens-{name}"
        sae.save_model(folder)
        latents = sae.encode(inputs)
        _expected(folder, latents, sae.decode(latents), inputs)
    training = MatryoshkaBatchTopKTrainingSAE(
        MatryoshkaBatchTopKTrainingSAEConfig(**size, k=3, matryoshka_widths=[4, LATENTS])
    )
    _random(training)
    training.topk_threshold.fill_(0.3)
    folder = FILES / "saelens-matryoshka"
    training.save_inference_model(folder)
    loaded = JumpReLUSAE.load_from_disk(folder)
    latents = loaded.encode(inputs)
    _expected(folder, latents, loaded.decode(latents), inputs)


def write_saev() -> None:
    """The file of one that fires by ReLU."""
    from saev import config, nn

    sae = nn.SparseAutoencoder(config.SparseAutoencoder(d_vit=WIDTH, exp_factor=3))
    _random(sae)
    inputs = torch.randn(5, WIDTH)
    back, latents, _ = sae(inputs)
    folder = FILES / "saev-relu"
    nn.dump(str(folder / "sae.pt"), sae)
    _expected(folder, latents, back, inputs)


if __name__ == "__main__":
    torch.manual_seed(0)
    {"saelens": write_saelens, "saev": write_saev}[sys.argv[1]]()
