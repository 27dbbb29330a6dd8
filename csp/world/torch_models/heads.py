"""Heads that transfer learning puts in the place of an architecture's own, rebuilt from their weights.

A state dict holds linear and norm layers by number or name, and nothing of what has no weights: what stands
between two linear layers is taken to be a ReLU where the numbering leaves room for one.
"""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from csp.numerals import whole

MOST_NAMED = 4
"""How many layers with names instead of numbers are put in order by their widths."""
MOST_NUMBERED = 1_000


@dataclass(frozen=True)
class Head:
    """A rebuilt head, where it goes, and whether an activation function had to be assumed."""

    place: str
    module: nn.Module
    classes: int
    assumed: bool

    def describe(self) -> str:
        """Its layers, in words."""
        parts = self.module.children() if isinstance(self.module, nn.Sequential) else (self.module,)
        return ", ".join(type(part).__name__ for part in parts if not isinstance(part, nn.Identity))


def rebuild_head(own: nn.Module, place: str, width: int, tensors: Mapping[str, Tensor]) -> Head | None:
    """The head that `tensors` (names below `place`) are the weights of, for features of that width.

    None where the tensors are no chain of linear and norm layers from that width on.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        layer_name, _, name = key.rpartition(".")
        groups.setdefault(layer_name, {})[name] = tensor
    parts = {name: _layer(own, name, group) for name, group in groups.items()}
    layers = {name: layer for name, layer in parts.items() if layer is not None}
    if len(layers) < len(parts):
        return None
    order = _order(layers, width)
    if not order:
        return None
    last = layers[order[-1]]
    if not isinstance(last, nn.Linear):
        return None
    module, assumed = (last, False) if order == [""] else _sequence(order, layers)
    module.register_forward_pre_hook(_one_row_an_image)
    return Head(place, module.eval(), last.out_features, assumed)


def _layer(own: nn.Module, name: str, group: Mapping[str, Tensor]) -> nn.Module | None:
    weight = group.get("weight")
    allowed = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    if weight is None or not group.keys() <= allowed or not weight.is_floating_point():
        return None
    layer: nn.Module
    if weight.ndim == 2:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias="bias" in group)
    elif weight.ndim == 1 and "running_mean" in group:
        layer = nn.BatchNorm1d(len(weight))
    elif weight.ndim == 1 and "bias" in group:
        counterpart = dict(own.named_modules()).get(name)
        layer = nn.LayerNorm(len(weight), eps=getattr(counterpart, "eps", 1e-5))
    else:
        return None
    try:
        layer.load_state_dict(
            dict(group), strict="num_batches_tracked" in group or "running_mean" not in group
        )
    except RuntimeError:
        return None
    return layer


def _order(layers: Mapping[str, nn.Module], width: int) -> list[str]:
    """Numbered layers by number, named ones by the only order in which their widths fit; [] without one."""
    names = list(layers)
    if all(_number(part) is not None for name in names for part in name.split(".") if name):
        numbered = sorted(names, key=lambda name: [_number(part) or 0 for part in name.split(".") if part])
        return numbered if _chained([layers[name] for name in numbered], width) else []
    if len(names) > MOST_NAMED:
        return []
    fitting = [
        list(order)
        for order in itertools.permutations(names)
        if _chained([layers[name] for name in order], width)
    ]
    return fitting[0] if len(fitting) == 1 else []


def _number(part: str) -> int | None:
    """The place of a layer among others; a larger number is none, for its gap would be filled."""
    number = whole(part)
    return number if number is not None and number < MOST_NUMBERED else None


def _chained(layers: list[nn.Module], width: int) -> bool:
    for layer in layers:
        if isinstance(layer, nn.Linear):
            if layer.in_features != width:
                return False
            width = layer.out_features
        elif isinstance(layer, nn.BatchNorm1d | nn.LayerNorm):
            given = layer.num_features if isinstance(layer, nn.BatchNorm1d) else layer.normalized_shape[0]
            if given != width:
                return False
    return True


def _sequence(order: list[str], layers: Mapping[str, nn.Module]) -> tuple[nn.Sequential, bool]:
    """The layers one after the other, with one ReLU between two linear ones where there is room for it."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    due = assumed = False
    last = -1
    for name in order:
        number = _number(name)
        room = number - last - 1 if number is not None else int(due)
        for step in range(room):
            empty = str(last + 1 + step) if number is not None else f"{name.replace('.', '_')}_before"
            parts[empty] = nn.ReLU() if due else nn.Identity()
            assumed, due = assumed or due, False
        parts[name.replace(".", "_") or "linear"] = layers[name]
        due = due or isinstance(layers[name], nn.Linear)
        last = number if number is not None else last
    return nn.Sequential(parts), assumed


def _one_row_an_image(_module: nn.Module, given: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Pool feature maps, as heads that begin with a pooling or flattening do."""
    features: Tensor = given[0]
    return (features if features.ndim == 2 else features.flatten(2).mean(2),)
