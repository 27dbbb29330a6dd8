"""A target model that torch's hooks can't look into: its tensors are read by their names."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image

from csp.errors import BadInputError, NotFoundError
from csp.world.pictures.prepare import prepared
from csp.world.protocols.columns import Column, Values, entered
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.target import LayerInfo, TargetOutput
from csp.world.specs.registry import nearest
from csp.world.targets.facts import Facts
from csp.world.torch_models.classes import class_names
from csp.world.torch_models.layers import grid_of, places_of, pool
from csp.world.torch_models.target import are_probabilities, probabilities


@dataclass(frozen=True)
class NamedTensors(ABC):
    """A model that takes one picture; its first output holds logits or probabilities, if it has two axes."""

    spec: str
    name: str
    classes: tuple[str, ...]
    weights_hash: str
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels_last: bool = False
    """Whether the model takes pictures so; and where neurons stand if the shape leaves it open."""
    pooling: Pooling = "mean"
    ends_in: str = ""
    """`softmax` or `sigmoid` for a model that gives probabilities by it; else it gives logits."""
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    values: Values | None = None

    @abstractmethod
    def compute(self, batch: Float32[np.ndarray, "b 3 h w"], names: Sequence[str]) -> dict[str, np.ndarray]:
        """The tensors of these names (and of `OUTPUT`, if asked for), those that have a row a picture."""

    @abstractmethod
    def known(self) -> dict[str, str]:
        """What can be asked for by name, and the kind of each, in the order of the model."""

    def given(self, values: Values) -> Self:
        """The same model, for batches of pictures with these values beside them."""
        return replace(self, values=values)

    def layers(self) -> list[LayerInfo]:
        """Every tensor of 2 to 4 axes, by one pass over two blank pictures."""
        known = self.known()
        usual = replace(self, values=None)
        arrays = usual.compute(np.zeros((2, 3, *self.input_size), np.float32), list(known))
        return [
            LayerInfo(
                name,
                kind,
                arrays[name].shape[1:],
                self.parameters(name),
                grid_of(arrays[name].shape[1:], self._aspect, self.channels_last),
            )
            for name, kind in known.items()
            if name in arrays and len(arrays[name]) == 2 and 2 <= arrays[name].ndim <= 4
        ]

    def parameters(self, name: str) -> int:
        """How many numbers were learnt in a layer; 0 where that is not known."""
        return 0

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Scale the short side to the input, cut the centre out, normalise."""
        return prepared(image, self.input_size, self.mean, self.std)

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Read several tensors in one pass. Raises `NotFoundError`, `BadInputError` if one can't be read."""
        known = self.known()
        for layer in layers:
            if layer not in known:
                raise NotFoundError(f"The model has no layer '{layer}'{nearest(layer, known)}.")
        arrays = self.compute(batch, [*layers, OUTPUT])
        pooled = {layer: self._pooled(layer, arrays.get(layer), batch) for layer in layers}
        found_at = {layer: self._places(layer, arrays[layer]) for layer in layers}
        places = {layer: where for layer, where in found_at.items() if where is not None}
        if not self.classes:
            return TargetOutput(pooled, None, places)
        found = arrays.get(OUTPUT)
        if found is None or found.shape != (len(batch), found.shape[-1]):
            raise BadInputError(f"{self.name} gives no row of numbers for each picture.")
        if not self.ends_in:
            found = probabilities(torch.from_numpy(found)).numpy()
        elif found.shape[1] == 1:
            found = np.hstack([1 - found, found])
        return TargetOutput(pooled, found.astype(np.float32), places)

    def beside(self, count: int) -> Values:
        """The numbers that enter beside so many pictures, by column."""
        values = entered(self.columns, [{}]) if self.values is None else self.values
        return {name: np.broadcast_to(numbers, count) for name, numbers in values.items()}

    def answers(self) -> Float32[np.ndarray, "2 n"]:
        """What the model gives of two pictures of noise; n is 0 where that is no row of numbers."""
        noise = np.random.default_rng(0).normal(size=(2, 3, *self.input_size)).astype(np.float32)
        found = self.compute(noise, [OUTPUT]).get(OUTPUT)
        whole = found is not None and found.ndim == 2 and len(found) == 2
        return found if found is not None and whole else np.empty((2, 0), np.float32)

    def _pooled(self, layer: str, array: np.ndarray | None, batch: np.ndarray) -> Float32[np.ndarray, "b c"]:
        if array is None or len(array) != len(batch) or array.ndim < 2:
            raise BadInputError(f"Layer '{layer}' does not give one row per image: choose another.")
        return pool(layer, torch.from_numpy(array), self.pooling, self._aspect, self.channels_last).numpy()

    def _places(self, layer: str, array: np.ndarray) -> Float32[np.ndarray, "b c 2"] | None:
        output = torch.from_numpy(array)
        found = places_of(layer, output, self.pooling, self._aspect, self.channels_last)
        return None if found is None else found.float().numpy()

    @property
    def _aspect(self) -> float:
        return self.input_size[0] / self.input_size[1]


OUTPUT = ""
"""The name that asks for the model's own output."""
Target = TypeVar("Target", bound=NamedTensors)


def with_classes(target: Target, facts: Facts) -> Target:
    """The target with names for the columns of its output, if that is a row of numbers, and all notes.

    Raises `BadInputError` where the file names another number of classes.
    """
    answers = target.answers()
    classes, notes = class_names(facts.names(), answers.shape[1], facts.whose)
    if not target.ends_in and are_probabilities(torch.from_numpy(answers)):
        target = replace(target, ends_in="softmax")
    return replace(target, classes=classes, notes=(*target.notes, *facts.notes, *notes))
