"""What the readers share: tensors and fields of a configuration, or a sentence on what is missing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, read_regular, require_folder
from csp.world.specs.registry import reason
from csp.world.torch_models.checkpoints import Checkpoint
from csp.world.torch_models.splicing.autoencoder import SCALINGS, Scaling, Weights
from csp.world.torch_models.state_dicts import listed

FOLDED = "expected_average_only_in"
"""A scaling by one number that was found while training; the libraries fold it into the weights."""


def state_of(checkpoint: Checkpoint, needed: str) -> dict[str, Tensor]:
    """The state dict of a file that has the tensor `needed`. Raises `BadInputError` with the names it has."""
    for state in checkpoint.states.values():
        if needed in state:
            return state
    names = [name for state in checkpoint.states.values() for name in state]
    raise BadInputError(
        f"The file '{checkpoint.path}' is no SAE of this kind: it has no '{needed}', but {listed(names)}."
    )


def tensor(state: Mapping[str, Tensor], name: str, path: str) -> Tensor:
    """One tensor. Raises `BadInputError` where it is missing."""
    if name not in state:
        raise BadInputError(f"The SAE '{path}' lacks '{name}': it has {listed(state)}.")
    return state[name]


def read_config(path: Path, shown: str) -> dict[str, Any]:
    """A JSON mapping. Raises `NotFoundError`, `BadInputError`."""
    if not path.is_file():
        raise NotFoundError(f"The SAE '{shown}' has no {path.name} beside its weights.")
    try:
        config = json.loads(read_regular(path))
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The {path.name} of the SAE '{shown}' is not JSON ({reason(error)}).") from error
    if not isinstance(config, dict):
        raise BadInputError(f"The {path.name} of the SAE '{shown}' is no mapping.")
    return config


def whole_number(config: Mapping[str, Any], name: str, shown: str) -> int:
    """A count in a configuration. Raises `BadInputError` where it is none."""
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInputError(f"The configuration of the SAE '{shown}' says {name} is {value!r}: no count.")
    return value


def scaling_of(config: Mapping[str, Any], shown: str) -> Scaling:
    """How the input is scaled each time. Raises `BadInputError` for a way that is not known."""
    named = config.get("normalize_activations") or "none"
    if named == FOLDED:
        return "none"
    found = next((known for known in SCALINGS if known == named), None)
    if found is None:
        known = ", ".join((*SCALINGS, FOLDED))
        raise BadInputError(
            f"The SAE '{shown}' scales what it reads by {named!r} (normalize_activations), which can't be "
            f"read: there are {known}."
        )
    return found


def unfolded_note(config: Mapping[str, Any]) -> tuple[str, ...]:
    """A note for one whose input was scaled while it learnt, by a number that the configuration lacks."""
    if config.get("normalize_activations") != FOLDED:
        return ()
    return (
        "what it reads was scaled while it learnt (normalize_activations): its latents are right only if "
        "that was folded into its weights",
    )


def plain_weights(state: Mapping[str, Tensor], shown: str) -> Weights:
    """`W_enc` [d, l], `b_enc`, `W_dec` [l, d], `b_dec`, as most libraries name them; no bias is one of 0."""
    encoder, decoder = tensor(state, "W_enc", shown), tensor(state, "W_dec", shown)
    return Weights(
        encoder=encoder,
        encoder_bias=state.get("b_enc", torch.zeros(decoder.shape[0])),
        decoder=decoder,
        decoder_bias=state.get("b_dec", torch.zeros(decoder.shape[-1])),
    )


def folder_of(name: str) -> Path:
    """A folder. Raises `NotFoundError` where there is none."""
    folder = expanded(name)
    require_folder(folder, f"The SAE folder '{name}'")
    return folder
