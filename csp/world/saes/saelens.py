"""SAEs of SAELens: a folder with `cfg.json` and `sae_weights.safetensors`, as its `save_model` writes it.

https://github.com/decoderesearch/SAELens
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from csp.errors import BadInputError
from csp.world.saes.tensors import (
    folder_of,
    plain_weights,
    read_config,
    scaling_of,
    state_of,
    tensor,
    unfolded_note,
    whole_number,
)
from csp.world.torch_models.checkpoints import read_checkpoint
from csp.world.torch_models.splicing.autoencoder import (
    Autoencoder,
    Gate,
    Relu,
    Rule,
    Threshold,
    TopK,
    Weights,
)

_THRESHOLDED = ("jumprelu", "batchtopk", "matryoshka_batchtopk")
_KNOWN = ("standard", "topk", "gated", *_THRESHOLDED)


def open_sae(name: str) -> Autoencoder:
    """Raises `NotFoundError`, and `BadInputError` for an architecture or a file that can't be used."""
    folder = folder_of(name)
    config = read_config(folder / "cfg.json", name)
    if config.get("reshape_activations", "none") not in ("none", None, False):
        raise BadInputError(
            f"The SAE '{name}' reads the heads of an attention side by side (reshape_activations), which no "
            "layer's output gives."
        )
    state = state_of(read_checkpoint(str(folder / "sae_weights.safetensors")), "W_dec")
    weights = plain_weights(state, name)
    rule = _rule(name, config, state)
    if config.get("rescale_acts_by_decoder_norm"):
        weights = _unit_decoder(weights)
    if config.get("finetuning_scaling_factor"):
        factor = tensor(state, "scaling_factor", name).float()
        weights = replace(weights, decoder=weights.decoder * factor[:, None])
    return Autoencoder(
        f"saelens:{name}",
        weights,
        rule,
        centred=bool(config.get("apply_b_dec_to_input", True)),
        scaling=scaling_of(config, name),
        notes=unfolded_note(config),
    )


def _rule(name: str, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> Rule:
    architecture = config.get("architecture", "standard")
    given = config.get("activation_fn_kwargs")  # before version 6 the activation stood by itself
    kept = {**(given if isinstance(given, dict) else {}), **config}
    fires = config.get("activation_fn_str", config.get("activation_fn", "relu"))
    if architecture == "topk" or (architecture == "standard" and fires == "topk"):
        return TopK(whole_number(kept, "k", name))
    if architecture == "standard" and fires == "relu":
        return Relu()
    if architecture == "standard":
        raise BadInputError(
            f"The SAE '{name}' fires by {fires!r}, which can't be read: there are relu and topk."
        )
    if architecture == "gated":
        return Gate(*(tensor(state, part, name) for part in ("b_gate", "r_mag", "b_mag")))
    if architecture in _THRESHOLDED and "threshold" in state:
        return Threshold(state["threshold"])
    raise BadInputError(
        f"The SAE '{name}' has the architecture {architecture!r}, which can't be read: there are "
        f"{', '.join(_KNOWN)} (the latter two as save_inference_model writes them)."
    )


def _unit_decoder(weights: Weights) -> Weights:
    """The same SAE with decoder rows of length 1 and their lengths in the encoder."""
    norms = weights.decoder.norm(dim=-1).clamp_min(torch.finfo(torch.float32).tiny)
    return Weights(
        weights.encoder * norms,
        weights.encoder_bias * norms,
        weights.decoder / norms[:, None],
        weights.decoder_bias,
    )
