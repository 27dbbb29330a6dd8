"""SAEs of ViT-Prisma: `weights.pt` or safetensors beside `config.json`, in a folder.

https://github.com/Prisma-Multimodal/ViT-Prisma. Its files with a pickled configuration inside would run code
when they are opened, and are refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from csp.world.torch_models.splicing.autoencoder import Autoencoder, Gate, Relu, Rule, TopK

_WEIGHTS = ("*.safetensors", "*.pt", "*.pth")


def open_sae(name: str) -> Autoencoder:
    """Raises `NotFoundError`, and `BadInputError` for an activation or a file that can't be used."""
    folder = folder_of(name)
    config = read_config(folder / "config.json", name)
    state = state_of(read_checkpoint(str(_weights(folder, name))), "W_dec")
    return Autoencoder(
        f"prisma:{name}",
        plain_weights(state, name),
        _rule(name, config, state),
        centred=True,
        scaling=scaling_of(config, name),
        notes=unfolded_note(config),
    )


def _weights(folder: Path, name: str) -> Path:
    found = next((path for pattern in _WEIGHTS for path in sorted(folder.glob(pattern))), None)
    if found is None:
        raise BadInputError(f"The SAE folder '{name}' has no weights such as weights.pt.")
    return found


def _rule(name: str, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> Rule:
    if config.get("architecture") == "gated":
        return Gate(*(tensor(state, part, name) for part in ("b_gate", "r_mag", "b_mag")))
    activation = config.get("activation_fn_str", "relu")
    if activation == "relu":
        return Relu()
    if activation == "topk":
        given = config.get("activation_fn_kwargs")
        return TopK(whole_number(given if isinstance(given, dict) else {}, "k", name))
    raise BadInputError(
        f"The SAE '{name}' fires by {activation!r}, which can't be read: there are relu, topk and gated."
    )
