"""Where a neuron fires in an image, and what it adds to a class: gradients and maps of a torch classifier."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.protocols.pooling import Pooling, pooling_of
from csp.world.torch_models.layers import (
    answer_of,
    channels_last,
    find_module,
    first_tensor,
    forward,
    maps_of,
    pool,
    space_axes,
    with_first_tensor,
)

SAME = 1e-4
"""How near, against their spread, a head's input must be to a layer's output to be that output."""


def neuron_maps(
    module: nn.Module, batch: Tensor, layer: str, neurons: Sequence[int]
) -> Float32[np.ndarray, "b m h w"]:
    """The output of some neurons of a layer before it is pooled.

    Of tokens, those of the image, laid out as it is. Raises BadInputError for a layer without space.
    """
    part = find_module(module, layer)
    kept: list[Tensor] = []
    forward(module, batch, {layer: lambda output: kept.append(output.clone())})
    if not kept:
        raise BadInputError(f"Layer '{layer}' does not run in a pass over images: choose another.")
    height, width = batch.shape[-2:]
    maps = maps_of(layer, kept[-1], height / width, channels_last(part))
    found: Float32[np.ndarray, "b m h w"] = maps[:, list(neurons)].float().cpu().numpy()
    return found


def gradient_times_activation(
    module: nn.Module, batch: Tensor, layer: str, scores: Callable[[Tensor], Tensor]
) -> Float32[np.ndarray, "b c"]:
    """What each neuron adds to a number that `scores` makes of the logits: sum over its map of a * dy/da.

    `scores` takes `[b, classes]` logits to `[b]`. To first order in the activation; exact where y is linear
    in it. In the unit of y, any size. Source: Shrikumar et al. 2017, arXiv 1704.02685, section 2.
    """
    leaf, logits = _cut_at(module, batch, layer)
    with torch.enable_grad():
        total = scores(logits).sum()
    product = _gradient(total, leaf) * leaf.detach()
    height, width = batch.shape[-2:]
    return _summed(product, height / width, channels_last(find_module(module, layer))).float().cpu().numpy()


def unit_slopes(
    module: nn.Module, batch: Tensor, layer: str, pooling: Pooling, scores: Callable[[Tensor], Tensor]
) -> Float32[np.ndarray, "b c classes"]:
    """How fast each number that `scores` makes of the logits rises with a neuron: sum over its map of dy/da.

    `scores` takes `[b, classes]` logits to as many numbers. The whole map rises evenly, and with it its mean
    or maximum by as much; with pooling `cls` it is the class token that rises. One pass through the network,
    then one gradient a class, from the layer on.
    """
    leaf, logits = _cut_at(module, batch, layer)
    with torch.enable_grad():
        found = scores(logits)
    height, width = batch.shape[-2:]
    last = channels_last(find_module(module, layer))
    slopes = []
    for of in range(found.shape[1]):
        gradient = _gradient(found[:, of].sum(), leaf, again=of + 1 < found.shape[1])
        tokens = pooling_of(pooling, layer) == "cls" and gradient.ndim == 3
        slopes.append(gradient[:, 0] if tokens else _summed(gradient, height / width, last))
    return torch.stack(slopes, 2).float().cpu().numpy()


def _cut_at(module: nn.Module, batch: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """A layer's output as a leaf, and the logits that rest on it: nothing before it keeps a gradient.

    Raises BadInputError for a layer that does not run.
    """
    part = find_module(module, layer)
    module.requires_grad_(False)  # only the layer's output needs a gradient: the pass below it keeps nothing
    leaves: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if tensor is None or not tensor.is_floating_point():
            return output
        leaves.append(tensor.detach().requires_grad_())
        return with_first_tensor(output, leaves[-1].clone())  # later steps may change their input in place

    handle = part.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            logits = answer_of(module(batch.to(next(module.parameters(), batch).device)))
    finally:
        handle.remove()
    if not leaves or logits is None:
        raise BadInputError(f"Layer '{layer}' does not run in a pass over images: choose another.")
    return leaves[-1], logits


def _gradient(total: Tensor, leaf: Tensor, *, again: bool = False) -> Tensor:
    """Of a number by a tensor; 0 where the number does not rest on it. `again`: another follows."""
    if not total.requires_grad:
        return torch.zeros_like(leaf)
    (gradient,) = torch.autograd.grad(total, leaf, retain_graph=again, allow_unused=True)
    return torch.zeros_like(leaf) if gradient is None else gradient


def linear_head(
    module: nn.Module, batch: Tensor, layer: str, pooling: Pooling
) -> Float32[np.ndarray, "classes c"] | None:
    """The weights of the linear layer that makes the logits of this layer's pooled output; None without one.

    The identity for the layer that gives the logits themselves. See `find_head`.
    """
    found = find_head(module, batch, layer, pooling)
    if found is None or isinstance(found, int):
        return None if found is None else np.eye(found, dtype=np.float32)
    weights: Float32[np.ndarray, "classes c"] = found.weight.detach().float().cpu().numpy()
    return weights


def find_head(module: nn.Module, batch: Tensor, layer: str, pooling: Pooling) -> nn.Linear | int | None:
    """The linear layer that makes the logits of this layer's pooled output; None without one.

    Found by running `batch` (two images or more): the linear layer's output must be the logits, its input
    the pooled output, image by image. Of the layer that gives the logits themselves, how many there are.
    """
    part = find_module(module, layer)
    height, width = batch.shape[-2:]
    pooled: list[Tensor] = []
    passed: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def keep(output: Tensor) -> None:
        pooled.append(pool(layer, output, pooling, height / width, channels_last(part)))

    def note(head: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(head, nn.Linear)
        passed.append((head, given[0].clone(), output))

    linear = [head for head in module.modules() if isinstance(head, nn.Linear)]
    handles = [head.register_forward_hook(note) for head in linear]
    try:
        logits = answer_of(forward(module, batch, {layer: keep}))
    finally:
        for handle in handles:
            handle.remove()
    if logits is not None and pooled and _same(logits, pooled[-1]):
        return int(logits.shape[1])
    for head, given, output in passed:
        if output is logits and pooled and _same(given, pooled[-1]):
            return head
    return None


def _same(given: Tensor, pooled: Tensor) -> bool:
    if given.shape != pooled.shape:
        return False
    spread = float(pooled.float().std())
    return float((given.float() - pooled).abs().max()) <= SAME * max(spread, 1e-12)


def _summed(product: Tensor, aspect: float, last: bool) -> Tensor:
    """Over everything but images and neurons."""
    if product.ndim == 2:
        return product
    if product.ndim == 3:
        return product[:, :, 0] if product.shape[2] == 1 else product.sum(1)
    return product.sum(space_axes(product.shape, aspect, last))
