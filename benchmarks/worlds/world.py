"""What a world is: a probe dataset, an encoder's view of it, neurons, and the truth about each of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float32

from csp.method.examples.outlying import outlying_images, sampled_neurons, steady

ROUND = 5
"""Of judging worlds, where no other is asked for: those that were looked at judge no more."""


class Purpose(StrEnum):
    """What a world may be used for. Nothing is tuned on a judging one, not even by looking."""

    DEVELOPMENT = "development"
    JUDGING = "judging"


@dataclass(frozen=True, eq=False)
class World:
    """One probe dataset with neurons whose truth is known."""

    name: str
    family: str
    activations: Float32[np.ndarray, "n c"]
    embeddings: Float32[np.ndarray, "n d"]
    """Of unit length, as those of the texts."""
    text_embeddings: Float32[np.ndarray, "t d"]
    truths: tuple[frozenset[int], ...]
    """Of each neuron the rows of the texts that are right; empty where none is."""
    selection: Bool[np.ndarray, " n"]
    """The images that may decide a label; the others judge it."""

    @cached_property
    def outlying(self) -> Bool[np.ndarray, " n"]:
        """The images on which the whole layer gives way."""
        return outlying_images(self.activations[:, sampled_neurons(self.activations.shape[1])])

    @cached_property
    def steady(self) -> Float32[np.ndarray, "n c"]:
        """The activations without those."""
        return steady(self.activations, self.outlying)


@dataclass(frozen=True)
class Family:
    """A kind of world: one rule that draws them, any number of them."""

    name: str
    what: str
    """One line: what is special about its neurons, texts or encoder."""
    draw: Callable[[np.random.Generator, Purpose], World]
    judges_only: bool = False
    """Whether it has no development worlds at all."""
    many: int = 1
    """What to fit on it takes so many times as many worlds of: more than one where worlds differ most."""

    def worlds(self, purpose: Purpose, count: int, of_round: int = ROUND) -> Iterator[World]:
        """`count` worlds of this family; the same ones each time, and none of the other purpose's, nor of
        another round."""
        if self.judges_only and purpose is Purpose.DEVELOPMENT:
            return
        for number in range(count):
            drawn_for = f"{purpose} {of_round}" if purpose is Purpose.JUDGING else purpose
            seed = [crc32(self.name.encode()), crc32(drawn_for.encode()), number]
            world = self.draw(np.random.default_rng(seed), purpose)
            yield World(**{**vars(world), "name": f"{self.name} {number + 1}", "family": self.name})
