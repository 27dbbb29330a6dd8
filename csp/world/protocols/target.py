"""What a target model and an encoder must offer, and how one is opened from a spec.

Arrays in and out are NumPy: nothing above this floor meets a tensor. The adapters, and with them torch, are
imported only when a model is opened. `docs/how-to/own-adapters.md` shows how to add one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64
from PIL import Image

from csp.world.protocols.pooling import Pooling as Pooling  # adapters import it from here
from csp.world.protocols.pooling import read_pooling
from csp.world.protocols.sae import SaeOn
from csp.world.specs.registry import TARGETS


@dataclass(frozen=True)
class LayerInfo:
    """One module of a target model that can be read: dotted name, class, output shape for one image.

    `parameters` counts the numbers that were learnt, in it and the modules inside; `grid` are the rows and
    columns in which its positions lie over the image, None where it has no space.
    """

    layer: str
    type: str
    shape: tuple[int, ...]
    parameters: int = 0
    grid: tuple[int, int] | None = None


@dataclass(frozen=True)
class TargetOutput:
    """What one pass over b images gives: `activations[layer]` is `[b, c]`, `probabilities` `[b, classes]`.

    A model without classes gives no probabilities. `places[layer]`, of layers pooled by `patch`, is where in
    the input each neuron fires most: x and y of the middle of the patch, from 0 to 1.
    """

    activations: dict[str, Float32[np.ndarray, "b c"]]
    probabilities: Float32[np.ndarray, "b classes"] | None
    places: Mapping[str, Float32[np.ndarray, "b c 2"]] = field(default_factory=dict)


class TargetModel(Protocol):
    """The network explained. `preprocess` may be called from several threads, `run` from one at a time."""

    @property
    def spec(self) -> str:
        """The text it was opened from."""

    @property
    def name(self) -> str:
        """A short name for people."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the columns of `probabilities`; none of a model without a head."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 over the names and bytes of all weights."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the input, in pixels."""

    def layers(self) -> list[LayerInfo]:
        """Every module that runs and gives one tensor row an image, in the order of the network."""

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into the model's input."""

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Read several layers in one forward pass. Raises `NotFoundError` for an unknown layer."""


@dataclass(frozen=True)
class Contributions:
    """What each neuron adds to the logit of the class said, less the mean over classes, on b images.

    `values` is `[b, c]`, `classes` the class on each image; `exact` where a linear head follows the layer,
    else to first order (gradient x activation).
    """

    values: Float32[np.ndarray, "b c"]
    classes: Int64[np.ndarray, " b"]
    exact: bool


@runtime_checkable
class ExplainableTarget(Protocol):
    """What a target model may offer besides: where a neuron fires, and what it does to the classes."""

    def maps(
        self, batch: Float32[np.ndarray, "b 3 h w"], layer: str, neurons: Sequence[int]
    ) -> Float32[np.ndarray, "b m y x"]:
        """The output of neurons before it is pooled. Raises `BadInputError` for a layer without space."""

    def contributions(self, batch: Float32[np.ndarray, "b 3 h w"], layer: str) -> Contributions:
        """To the class that the model says on each image."""

    def head(self, layer: str) -> Float32[np.ndarray, "classes c"] | None:
        """The weights of the linear head on a layer's pooled output, less their mean over the classes.

        None where no linear head follows.
        """


@runtime_checkable
class DifferentiableTarget(Protocol):
    """A target model that says how its classes move with its neurons."""

    def slopes(self, batch: Float32[np.ndarray, "b 3 h w"], layer: str) -> Float32[np.ndarray, "b c classes"]:
        """Change of each class's logit, less the mean over classes, for one more of a neuron's activation.

        To first order, the neuron's whole map rising evenly.
        """


@runtime_checkable
class AblatableTarget(Protocol):
    """A target model whose neurons can be held at a value."""

    def ablated(
        self,
        batch: Float32[np.ndarray, "b 3 h w"],
        layer: str,
        neurons: Sequence[int],
        values: Float32[np.ndarray, " m"],
    ) -> Float32[np.ndarray, "m b classes"]:
        """Class probabilities with one neuron at a time held at its value. Raises `BadInputError`."""


@runtime_checkable
class MendableTarget(Protocol):
    """A target model whose weights can be written with neurons held at a value."""

    def mended(
        self,
        layer: str,
        neurons: Sequence[int],
        values: Float64[np.ndarray, " m"],
        metadata: Mapping[str, str],
    ) -> bytes:
        """A checkpoint of the same architecture. Raises `BadInputError` where that would not be exact."""


@runtime_checkable
class UntrainableTarget(Protocol):
    """A target model whose weights can be drawn anew."""

    def untrained(self, seed: int) -> "TargetModel":
        """The same architecture with random weights, without SAEs; the same for the same seed."""


@runtime_checkable
class SpliceableTarget(Protocol):
    """A target model whose layers sparse autoencoders can read."""

    def with_saes(self, saes: Sequence[SaeOn]) -> "TargetModel":
        """The same model, with a layer of latents for each (`protocols.sae.latent_layers`).

        Raises `NotFoundError` for a layer that the model lacks.
        """


@runtime_checkable
class FittedTarget(Protocol):
    """A target model with sparse autoencoders that says how well they fit."""

    def sae_fits(self, batch: Float32[np.ndarray, "b 3 h w"]) -> dict[str, tuple[float, float, int]]:
        """By the name of its latents, of these pictures: the share explained of what positions of the layer
        differ by, latents above 0 at a position, and how many positions those are."""


class OpenTarget(Protocol):
    """Opens a target model from what follows `scheme:` in its spec."""

    def __call__(self, name: str, pooling: Pooling) -> TargetModel:
        """Open it."""


Held = Mapping[str, tuple[Sequence[int], Float32[np.ndarray, "b m"]]]
"""By layer: neurons, and the value that each is held at on each image."""


@runtime_checkable
class HoldingTarget(Protocol):
    """A target model that can hold many neurons of several layers at once, each image at its own values."""

    def held(self, batch: Float32[np.ndarray, "b 3 h w"], held: Held) -> Float32[np.ndarray, "b classes"]:
        """Class probabilities with these neurons held, on their whole maps. Raises `BadInputError`."""


def open_target(spec: str, *, pooling: Pooling = "mean") -> TargetModel:
    """Open the target model that `spec` names, e.g. `torchvision:resnet18@weights.safetensors`.

    `pooling` as `protocols.pooling` reads it, such as `mean` or `mean,layer3=max`. Raises `BadInputError` for
    a spec, pooling or checkpoint that can't be used, `NotFoundError` for a missing file, `UnavailableError`
    where weights can't be downloaded.
    """
    read_pooling(pooling)
    opener, name = TARGETS.opener(spec)
    return cast(OpenTarget, opener)(name, pooling)
