"""Reads named layers of a torch model in one forward pass, one number per image and neuron."""

import copy
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from csp.errors import BadInputError, NotFoundError
from csp.world.protocols.pooling import PATCH, Pooling, pooling_of, share_of
from csp.world.protocols.target import LayerInfo
from csp.world.specs.registry import nearest

MOST_EXTRA_TOKENS = 8
"""Class token, distillation token and registers that may stand before the tokens of the image."""
Visit = Callable[[Tensor], None]


def device() -> torch.device:
    """Where models run: the first CUDA card, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def weights_hash(module: nn.Module, graph: str = "") -> str:
    """SHA-256 over names, types, shapes and bytes of all weights and buffers, sorted by name; and a graph."""
    digest = hashlib.sha256(graph.encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def list_layers(module: nn.Module, input_size: tuple[int, int]) -> list[LayerInfo]:
    """Every module that runs and whose output `pool` can read, found by one pass over two blank images."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Tensor) -> None:
        if output.shape[0] == 2 and 2 <= output.ndim <= 4 and not output.is_complex():
            shapes[name] = tuple(output.shape[1:])

    modules = {name: part for name, part in module.named_modules() if name}
    visits = {name: lambda output, name=name: note(name, output) for name in modules}
    forward(module, torch.zeros(2, 3, *input_size), visits)
    return [
        LayerInfo(
            name,
            kind_of(part),
            shapes[name],
            sum(parameter.numel() for parameter in part.parameters()),
            grid_of(shapes[name], input_size[0] / input_size[1], channels_last(part)),
        )
        for name, part in modules.items()
        if name in shapes
    ]


def read_layers(
    module: nn.Module,
    batch: Tensor,
    layers: Sequence[str],
    pooling: Pooling,
    places: dict[str, Float32[np.ndarray, "b c 2"]] | None = None,
) -> tuple[dict[str, Float32[np.ndarray, "b c"]], Any]:
    """Run the model once; return the pooled output of each layer, and the model's own output.

    A module that runs several times in one pass (a shared ReLU) gives its last output. Outputs are pooled
    inside the hook: a later in-place operation would change them. `places` is filled as `places_of` says.
    """
    modules = {layer: find_module(module, layer) for layer in layers}
    height, width = batch.shape[-2:]
    pooled: dict[str, Float32[np.ndarray, "b c"]] = {}

    def keep(layer: str, output: Tensor) -> None:
        last = channels_last(modules[layer])
        pooled[layer] = pool(layer, output, pooling, height / width, last).cpu().numpy()
        found = places_of(layer, output, pooling, height / width, last)
        if places is not None and found is not None:
            places[layer] = found.float().cpu().numpy()

    visits = {layer: lambda output, layer=layer: keep(layer, output) for layer in layers}
    output = forward(module, batch, visits)
    for layer in layers:
        if layer not in pooled or len(pooled[layer]) != len(batch):
            raise BadInputError(f"Layer '{layer}' does not give one row per image: choose another.")
    return pooled, output


def find_module(module: nn.Module, layer: str) -> nn.Module:
    """The module of that dotted name; raises `NotFoundError` with the nearest names."""
    modules: dict[str, nn.Module] = dict(module.named_modules())
    if layer not in modules or not layer:
        known = [name for name in modules if name]
        raise NotFoundError(f"The model has no layer '{layer}'{nearest(layer, known)}.")
    return modules[layer]


def kind_of(module: nn.Module) -> str:
    """The name of its class; of a module of an exported program, of the class that it was."""
    told = getattr(module, "type_name", None)
    was = told() if callable(told) else None
    return was.rpartition(".")[2] if isinstance(was, str) else type(module).__name__


def channels_last(module: nn.Module) -> bool:
    """Whether such a module puts neurons last where the shape leaves it open."""
    told = getattr(module, "channels_last", None)
    if isinstance(told, bool):
        return told
    return isinstance(module, nn.Linear | nn.LayerNorm) or kind_of(module) in ("Linear", "LayerNorm")


def forward(module: nn.Module, batch: Tensor, visits: Mapping[str, Visit]) -> Any:
    """Run the model on a batch and show each named module's first output tensor to its visitor."""

    def hook(visit: Visit) -> Callable[[nn.Module, Any, Any], None]:
        def seen(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is not None:
                visit(tensor)

        return seen

    modules = dict(module.named_modules())
    handles = [modules[name].register_forward_hook(hook(visit)) for name, visit in visits.items()]
    try:
        with torch.inference_mode():
            return module(batch.to(next(module.parameters(), batch).device))
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(output: Any) -> Tensor | None:
    """Find the tensor in what a module returns: itself, or the first in a tuple or model output."""
    if isinstance(output, Tensor):
        return output if output.ndim >= 1 else None
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((part for part in output if isinstance(part, Tensor)), None)
    return None


def answer_of(output: Any) -> Tensor | None:
    """Find the model's answer in what it returns: the first tensor with a row of numbers for each picture
    (features may come before it), else the first tensor."""
    parts = tuple(output.values()) if isinstance(output, Mapping) else output
    if isinstance(parts, tuple | list):
        rows = (part for part in parts if isinstance(part, Tensor) and part.ndim == 2)
        return next(rows, first_tensor(output))
    return first_tensor(output)


def with_first_tensor(output: Any, tensor: Tensor) -> Any:
    """What a module returned, with `tensor` where `first_tensor` finds one."""
    if isinstance(output, Tensor):
        return tensor
    if isinstance(output, Mapping):
        key = next(key for key, part in output.items() if first_tensor((part,)) is not None)
        changed = copy.copy(output)
        changed[key] = tensor  # type: ignore[index]
        return changed
    place = next(place for place, part in enumerate(output) if isinstance(part, Tensor))
    parts = [*output[:place], tensor, *output[place + 1 :]]
    return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)


def pool(layer: str, output: Tensor, poolings: Pooling, aspect: float = 1.0, last: bool = False) -> Tensor:
    """Reduce a layer's output to `[b, c]` float32, as `poolings` says for this layer.

    `[b, c]` and `[b, c, 1]` stay. `[b, tokens, c]`: the first token (`cls`), or mean, max or quantile over
    all tokens, the first included.
    `[b, c, h, w]` and `[b, h, w, c]`: mean, max or quantile over space, see `space_axes`. `patch` is the
    maximum over the positions of the image alone.
    """
    pooling = pooling_of(poolings, layer)
    if output.is_complex():
        raise BadInputError(f"Layer '{layer}' gives complex numbers: choose another layer.")
    if output.ndim == 2 or (output.ndim == 3 and output.shape[2] == 1):
        return output.float().reshape(len(output), -1).clone()
    if pooling == PATCH and output.ndim in (3, 4):
        return maps_of(layer, output, aspect, last).float().amax((2, 3))
    if output.ndim == 3:
        if pooling == "cls":
            return output[:, 0].float().clone()
        axes: tuple[int, ...] = (1,)
    elif output.ndim == 4:
        if pooling == "cls":
            raise BadInputError(
                f"Layer '{layer}' gives maps without a cls token: pool by mean, max or a quantile."
            )
        axes = space_axes(output.shape, aspect, last)
    else:
        raise BadInputError(f"Layer '{layer}' gives {output.ndim} axes, not 2 to 4: choose another layer.")
    if pooling == "mean":
        return output.float().mean(axes)
    share = share_of(pooling)
    return output.float().amax(axes) if share is None else _quantile(output.float(), axes, share)


def places_of(
    layer: str, output: Tensor, poolings: Pooling, aspect: float = 1.0, last: bool = False
) -> Tensor | None:
    """Where each neuron fires most, x and y from 0 to 1, `[b, c, 2]`; None unless pooled by `patch`."""
    if pooling_of(poolings, layer) != PATCH or grid_of(output.shape[1:], aspect, last) is None:
        return None
    maps = maps_of(layer, output, aspect, last)
    rows, columns = maps.shape[2:]
    best = maps.flatten(2).argmax(2)
    x, y = (best % columns + 0.5) / columns, (best // columns + 0.5) / rows
    return torch.stack([x, y], 2)


def grid_of(shape: Sequence[int], aspect: float, last: bool) -> tuple[int, int] | None:
    """Rows and columns of the positions of an output of this shape (of one image); None without space."""
    if len(shape) == 3:
        first, second = space_axes((1, *shape), aspect, last)
        return shape[first - 1], shape[second - 1]
    return token_grid(shape[0], aspect) if len(shape) == 2 and shape[1] > 1 else None


def _quantile(output: Tensor, axes: tuple[int, ...], share: float) -> Tensor:
    """The value that a share of the n positions of an image do not exceed: the ceil(share n)-th smallest."""
    places = output.movedim(axes, tuple(range(-len(axes), 0))).flatten(-len(axes))
    return places.kthvalue(max(1, math.ceil(share * places.shape[-1])), dim=-1).values


def space_axes(shape: Sequence[int], aspect: float, channels_last: bool) -> tuple[int, int]:
    """Of four axes the two of space: the pair whose ratio is nearest to the input's `aspect` (h / w);
    `channels_last` decides where both are as near."""
    first = abs(math.log(shape[2] / shape[3] / aspect))
    last = abs(math.log(shape[1] / shape[2] / aspect))
    return (1, 2) if last < first or (last == first and channels_last) else (2, 3)


def maps_of(layer: str, output: Tensor, aspect: float, last: bool) -> Tensor:
    """A layer's output as maps, `[b, c, y, x]`; of tokens, those of the image, laid out as it is.

    Raises BadInputError for a layer without space.
    """
    if output.ndim == 4:
        return output if space_axes(output.shape, aspect, last) == (2, 3) else output.permute(0, 3, 1, 2)
    if output.ndim == 3 and output.shape[2] > 1:
        grid = token_grid(output.shape[1], aspect)
        if grid is not None:
            extra = output.shape[1] - grid[0] * grid[1]
            tokens = output[:, extra:].transpose(1, 2)
            return tokens.reshape(*tokens.shape[:2], *grid)
    raise BadInputError(
        f"Layer '{layer}' gives one number an image and neuron, so it can't say where: "
        "choose an earlier layer, one that still sees the image as an area."
    )


def token_grid(tokens: int, aspect: float) -> tuple[int, int] | None:
    """Rows and columns of the image's tokens, which come last, shaped as the input (`aspect`, h / w).

    As few tokens as can be are taken for extra ones (class token, registers). None where no grid fits.
    """
    for extra in range(min(MOST_EXTRA_TOKENS, tokens - 1) + 1):
        count = tokens - extra
        rows = round(math.sqrt(count * aspect))
        if rows and count % rows == 0 and abs(math.log(rows * rows / count / aspect)) < 1e-2:
            return rows, count // rows
    return None
