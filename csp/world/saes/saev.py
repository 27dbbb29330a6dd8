"""SAEs of saev: one file, a line of JSON and after it what torch.save wrote.

https://github.com/OSU-NLP-Group/saev. Files without a `schema` (versions before 0.2) take the decoder's bias
off the input; later ones don't.
"""

import io
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from csp.errors import BadInputError, NotFoundError
from csp.files import expanded, open_regular
from csp.world.saes.tensors import plain_weights, whole_number
from csp.world.specs.registry import reason
from csp.world.torch_models.splicing.autoencoder import Autoencoder, Relu, Rule, TopK

_LONGEST = 1 << 20


def open_sae(name: str) -> Autoencoder:
    """Raises `NotFoundError`, and `BadInputError` for an activation or a file that can't be used."""
    header, state = _read(name)
    config = header.get("cfg", header)
    if not isinstance(config, dict):
        raise BadInputError(f"The first line of the SAE '{name}' holds no configuration.")
    return Autoencoder(
        f"saev:{name}",
        plain_weights(state, name),
        _rule(name, header, config),
        centred="schema" not in header,
    )


def _read(name: str) -> tuple[dict[str, Any], Mapping[str, Tensor]]:
    path = expanded(name)
    if not path.exists():
        raise NotFoundError(f"There is no SAE file '{name}'.")
    try:
        with open_regular(path) as file:
            header = json.loads(file.readline(_LONGEST))
            state = torch.load(io.BytesIO(file.read()), map_location="cpu", weights_only=True)
    except OSError as error:
        raise BadInputError(f"The SAE '{name}' can't be read ({error.strerror or reason(error)}).") from error
    except Exception as error:  # noqa: BLE001 (what torch raises over foreign bytes is anybody's guess)
        raise BadInputError(
            f"The file '{name}' is no SAE of saev: it begins with no line of JSON that weights follow "
            f"({reason(error)})."
        ) from None
    if not isinstance(header, dict) or not isinstance(state, dict):
        raise BadInputError(f"The file '{name}' is no SAE of saev: its first line is no mapping.")
    return header, {key: value for key, value in state.items() if isinstance(value, Tensor)}


def _rule(name: str, header: Mapping[str, Any], config: Mapping[str, Any]) -> Rule:
    activation = config.get("activation")
    if isinstance(activation, dict):
        kind, given = activation.get("cls"), activation.get("params")
    else:
        kind, given = header.get("cls", "Relu"), config
    if kind in ("Relu", "SparseAutoencoderConfig"):
        return Relu()
    if kind in ("TopK", "BatchTopK"):  # the latter too keeps so many of each position when it is used
        return TopK(whole_number(given if isinstance(given, dict) else {}, "top_k", name), positive=False)
    raise BadInputError(f"The SAE '{name}' fires by {kind!r}: only Relu, TopK and BatchTopK can be read.")
