"""SAEs of Overcomplete: the state dict of one, with a linear encoder.

https://github.com/KempnerInstitute/overcomplete. A state dict says only of JumpReLU how latents fire: of
the others it is written before an @, `topk-32@`, `batchtopk-0.4@` (its running threshold) or `relu@`; a
safetensors file may say it in its metadata (`fires`), as `csp sae train` writes it.
"""

import json
import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from csp.errors import BadInputError
from csp.world.saes.quality import read_quality
from csp.world.saes.tensors import state_of, tensor
from csp.world.torch_models.checkpoints import read_checkpoint
from csp.world.torch_models.splicing.autoencoder import Autoencoder, Relu, Rule, Threshold, TopK, Weights
from csp.world.torch_models.state_dicts import listed

DICTIONARY = "dictionary._weights"
FIRES = "fires"
"""The field of a safetensors file's metadata that says how latents fire."""
LEARNT = "learnt"
"""The field with how it was trained and how well that went, as JSON."""
_ENCODERS = (
    ("encoder.final_block.0.weight", "encoder.final_block.0.bias"),
    ("encoder.weight", "encoder.bias"),
)
_UNIT = 0.1
"""How near to 1 the lengths of all directions are where the dictionary keeps them so."""


def open_sae(name: str) -> Autoencoder:
    """Raises `NotFoundError`, and `BadInputError` where it is not said how latents fire, or can't be read."""
    fires, at, path = name.rpartition("@")
    if not at:
        path = name
    checkpoint = read_checkpoint(path)
    state = state_of(checkpoint, DICTIONARY)
    said = fires or checkpoint.metadata.get(FIRES, "")
    return autoencoder_of(f"overcomplete:{name}", state, said, learnt_note(checkpoint.metadata))


def autoencoder_of(
    spec: str, state: Mapping[str, Tensor], fires: str, notes: Sequence[str] = ()
) -> Autoencoder:
    """The SAE of a state dict. Raises `BadInputError` as `open_sae`."""
    path = spec.removeprefix("overcomplete:").rpartition("@")[2]
    return Autoencoder(spec, _weights(state, path), _rule(fires, state, path), notes=notes)


def learnt_note(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """What `csp sae train` measured, in a sentence; nothing where a file's metadata says something else."""
    try:
        return (read_quality(json.loads(metadata.get(LEARNT, ""))["quality"]).sentence,)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return ()


def _weights(state: Mapping[str, Tensor], path: str) -> Weights:
    decoder = tensor(state, DICTIONARY, path).float()
    lengths = decoder.norm(dim=-1, keepdim=True) if decoder.ndim == 2 else decoder
    if ((lengths - 1).abs() < _UNIT).all():  # what training left a step from it is unit length when used
        decoder = decoder / (lengths + 1e-8)
    decoder = decoder * state.get("dictionary.multiplier", torch.zeros(())).float().exp()
    encoder, bias = _encoder(state, decoder, path)
    return Weights(encoder, bias, decoder, torch.zeros(decoder.shape[-1]))


def _encoder(state: Mapping[str, Tensor], decoder: Tensor, path: str) -> tuple[Tensor, Tensor]:
    """The linear encoder, or the dictionary itself where it is tied to it."""
    none = torch.zeros(decoder.shape[0])
    own = [name for name in state if name.startswith("encoder.")]
    for weight, bias in _ENCODERS:
        if weight in own and set(own) <= {weight, bias}:
            return state[weight].T, state.get(bias, none)
    if not own:
        return decoder.T, none
    raise BadInputError(
        f"The SAE '{path}' has an encoder of more than one linear step ({listed(own)}): it can't be read."
    )


def _rule(fires: str, state: Mapping[str, Tensor], path: str) -> Rule:
    if not fires and "thresholds" in state:
        return Threshold(state["thresholds"].float().exp(), inclusive=True)
    kind, _, number = fires.partition("-")
    if kind == "relu" and not number:
        return Relu()
    if kind == "topk" and re.fullmatch(r"\d{1,9}", number):
        return TopK(int(number))
    if kind == "batchtopk" and re.fullmatch(r"\d{1,9}(\.\d{1,20})?", number):
        return Threshold(torch.tensor(float(number)), "batchtopk", inclusive=True)
    raise BadInputError(
        f"The SAE '{path}' does not say how its latents fire: write relu@, topk-32@ or batchtopk-0.4@ "
        "before its path."
    )
