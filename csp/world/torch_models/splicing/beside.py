"""A torch model that takes values beside the picture, as one that takes the picture alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from csp.world.protocols.columns import Column, Values, entered


class Beside(nn.Module):
    """`model`, whose layers keep their names, called with the picture and, by name, what stands beside it.

    A number is given as `[b]` float32, a word as its place among the choices, `[b]` int64.
    """

    def __init__(self, model: nn.Module, columns: tuple[Column, ...], values: Values | None) -> None:
        """`values` has a number for each picture or one for all; without it the defaults enter."""
        super().__init__()
        self.model = model
        self._kinds = {one.name: torch.int64 if one.choices else torch.float32 for one in columns}
        self._values = entered(columns, [{}]) if values is None else values

    def forward(self, picture: Tensor) -> Any:
        """What the model gives of pictures with those values beside them."""
        beside = {
            name: torch.tensor(np.broadcast_to(self._values[name], len(picture)), dtype=kind).to(
                picture.device
            )
            for name, kind in self._kinds.items()
        }
        return self.model(picture, **beside)

    def named_modules(
        self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Module]]:
        """Those of the model, under their own names."""
        yield from self.model.named_modules(memo, prefix, remove_duplicate)
