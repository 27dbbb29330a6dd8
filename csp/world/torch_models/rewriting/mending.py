"""A classifier's weights with neurons held at a value: folded into the linear layer that reads them."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float64
from safetensors.torch import save
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.protocols.target import Pooling
from csp.world.torch_models.checkpoints import read_checkpoint
from csp.world.torch_models.explain import find_head
from csp.world.torch_models.splicing.splice import unspliced


def mended_state(
    module: nn.Module,
    batch: Tensor,
    layer: str,
    pooling: Pooling,
    neurons: Sequence[int],
    values: Float64[np.ndarray, " m"],
) -> dict[str, Tensor]:
    """The state dict of `module` with these neurons of a layer held at these values: W' = W without their
    columns, b' = b + sum_c W_c v_c. Exact, as the head reads nothing else of the layer.

    Raises `BadInputError` for a layer that no linear head follows, or whose head has no bias.
    """
    head = find_head(module, batch, layer, pooling)
    if head is None or isinstance(head, int):
        raise BadInputError(
            f"Neurons of layer '{layer}' can't be switched off in the weights without changing more: only "
            "those of the layer that feeds the last linear layer can."
        )
    if head.bias is None:
        raise BadInputError(
            f"The linear layer after '{layer}' has no bias that could hold what the neurons usually add, so "
            "the model can't be mended as the same architecture."
        )
    chosen = torch.tensor(list(neurons), dtype=torch.long)
    weight, bias = head.weight.detach().double().cpu(), head.bias.detach().double().cpu()
    bias = bias + weight[:, chosen] @ torch.tensor(values, dtype=torch.float64)
    weight[:, chosen] = 0.0
    changed = {id(head.weight): weight, id(head.bias): bias}
    kept = unspliced(module).state_dict(keep_vars=True)
    return {
        name: changed.get(id(tensor), tensor.detach()).to(tensor.dtype).cpu().contiguous().clone()
        for name, tensor in kept.items()
    }


def checkpoint_bytes(
    state: Mapping[str, Tensor], spec: str, classes: Sequence[str], metadata: Mapping[str, str]
) -> bytes:
    """A safetensors file of these weights, which states what the checkpoint of `spec` states, and more."""
    path = spec.partition("@")[2]
    stated = read_checkpoint(path).metadata if path else {}
    content: bytes = save(dict(state), {**stated, "classes": json.dumps(list(classes)), **metadata})
    return content
