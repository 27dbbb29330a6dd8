"""What a torch classifier says when neurons are held at a fixed value."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.protocols.target import Held
from csp.world.torch_models.layers import (
    answer_of,
    channels_last,
    find_module,
    first_tensor,
    space_axes,
    with_first_tensor,
)


def ablated_logits(
    module: nn.Module, batch: Tensor, layer: str, neurons: Sequence[int], values: Float32[Tensor, " m"]
) -> Float32[Tensor, "m b classes"]:
    """The logits with one neuron of a layer at a time set to a value, on its whole map.

    The layers before run once: inside the pass the layer's output is repeated, once for each neuron. Raises
    `BadInputError` for a layer whose output meets that of another branch, so that it can't be repeated.
    """
    part = find_module(module, layer)
    height, width = batch.shape[-2:]
    ran: list[bool] = []

    def repeat(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if tensor is None:
            return output
        ran.append(True)
        axis = _channel_axis(tensor, height / width, channels_last(part))
        copies = tensor.repeat(len(neurons), *[1] * (tensor.ndim - 1))
        for place, (neuron, value) in enumerate(zip(neurons, values.tolist(), strict=True)):
            copies.narrow(0, place * len(batch), len(batch)).select(axis, neuron).fill_(value)
        if copies.ndim == 4:  # the order in which convolutions over many images are quickest
            copies = copies.contiguous(memory_format=torch.channels_last)
        return with_first_tensor(output, copies)

    handle = part.register_forward_hook(repeat)
    try:
        with torch.inference_mode():
            logits = answer_of(module(batch.to(next(module.parameters(), batch).device)))
    except RuntimeError as error:
        raise BadInputError(
            f"Neurons of layer '{layer}' can't be held fixed many at a time ({type(error).__name__}): "
            "choose a layer that ends a block."
        ) from error
    finally:
        handle.remove()
    if not ran or logits is None or len(logits) != len(neurons) * len(batch):
        raise BadInputError(f"Layer '{layer}' does not lead to the classes alone: choose a later layer.")
    return logits.float().reshape(len(neurons), len(batch), -1)


def held_logits(module: nn.Module, batch: Tensor, held: Held) -> Float32[Tensor, "b classes"]:
    """The logits with neurons of several layers set to values, each on its whole map, in one pass.

    Raises `BadInputError` where a layer does not run, or gives no row an image.
    """
    aspect = batch.shape[-2] / batch.shape[-1]
    ran: set[str] = set()

    def fill(layer: str, part: nn.Module, output: Any) -> Any:
        tensor = first_tensor(output)
        neurons, values = held[layer]
        if tensor is None or len(tensor) != len(batch):
            return output
        ran.add(layer)
        return with_first_tensor(output, filled(tensor, part, aspect, list(neurons), torch.tensor(values)))

    handles = []
    for layer in held:
        part = find_module(module, layer)
        handles.append(
            part.register_forward_hook(lambda own, _given, output, layer=layer: fill(layer, own, output))
        )
    try:
        with torch.inference_mode():
            logits = answer_of(module(batch.to(next(module.parameters(), batch).device)))
    finally:
        for handle in handles:
            handle.remove()
    if logits is None or ran != set(held):
        raise BadInputError(f"Neurons of {', '.join(held)} can't be held fixed: choose other layers.")
    return logits.float()


def filled(
    output: Tensor, part: nn.Module, aspect: float, neurons: list[int], values: Float32[Tensor, "b m"]
) -> Tensor:
    """What a module gives, with neurons at these values on their whole maps.

    One row of values is for all images; `aspect` is height by width of the model's input.
    """
    changed = output.clone()
    moved = changed.movedim(_channel_axis(output, aspect, channels_last(part)), 1)
    new = values.to(output.dtype).to(output.device)
    moved[:, neurons] = new.reshape(*new.shape, *[1] * (moved.ndim - 2))
    return changed


def _channel_axis(output: Tensor, aspect: float, last: bool) -> int:
    if output.ndim == 4:
        return 1 if space_axes(output.shape, aspect, last) == (2, 3) else 3
    return output.ndim - 1 if output.ndim == 3 and output.shape[2] > 1 else 1
