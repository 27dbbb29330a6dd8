"""Classifiers that misbehave, by name: `python:tests.world.misbehaving_model:nan`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from csp.world.torch_models.target import TorchTarget
from tests.world.beside_model import SIZE, prepared


class Output(NamedTuple):
    """As model outputs are named tuples in some libraries."""

    logits: Tensor
    more: list[Tensor]


class Net(nn.Module):
    """A layer `odd` that gives what `odd` makes of it, and logits that `end` makes of them."""

    def __init__(self, odd: Callable[[Tensor], Any], end: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.odd = Odd(odd)
        self.head = nn.Linear(6, 3)
        self._end = end

    def forward(self, x: Tensor) -> Any:
        """What `end` makes of the logits."""
        maps = self.conv(x).relu()
        self.odd(maps)
        return self._end(self.head(maps.mean((2, 3))))


class Odd(nn.Module):
    """A layer that calls a function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self._function = function

    def forward(self, maps: Tensor) -> Any:
        """What the function gives."""
        return self._function(maps)


def growing() -> Callable[[Tensor], Tensor]:
    """One neuron fewer from the third batch on."""
    seen: list[int] = []

    def cut(maps: Tensor) -> Tensor:
        seen.append(len(maps))
        return maps[:, : 6 if len(seen) < 3 else 5]

    return cut


def same(value: Any) -> Any:
    """Nothing odd."""
    return value


KINDS: dict[str, tuple[Callable[[Tensor], Any], Callable[[Tensor], Any]]] = {
    "nan": (lambda maps: maps / 0 * 0, same),
    "nan-output": (same, lambda logits: logits * torch.nan),
    "tuple": (lambda maps: (maps, maps), lambda logits: (logits, logits)),
    "dict": (lambda maps: {"a": maps}, lambda logits: {"logits": logits, "loss": None}),
    "named": (same, lambda logits: Output(logits, [])),
    "nothing": (lambda maps: None, same),
    "text": (same, lambda logits: "melanoma"),
    "maps": (same, lambda logits: logits[:, :, None, None]),
    "short": (lambda maps: maps[:1], same),
    "more-classes": (same, lambda logits: logits.repeat(1, 2)),
}


def open_target(name: str, pooling: str) -> TorchTarget:
    """Open the one of that name."""
    torch.manual_seed(0)
    odd, end = (growing(), same) if name == "changing" else KINDS[name]
    return TorchTarget(
        spec=f"python:tests.world.misbehaving_model:{name}",
        name=name,
        classes=("nevus", "melanoma", "keratosis"),
        weights_hash=f"misbehaving {name}",
        input_size=(SIZE, SIZE),
        module=Net(odd, end).eval(),
        transform=prepared,
        pooling=pooling,
    )
