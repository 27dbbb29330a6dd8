"""A target model made of any torch classifier: what the adapters build, and what a user's own may build."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from PIL import Image
from torch import Tensor, nn

from csp.errors import BadInputError
from csp.world.protocols.columns import Column, Values
from csp.world.protocols.pooling import Pooling
from csp.world.protocols.sae import SaeOn, latent_layers
from csp.world.protocols.target import Contributions, Held, LayerInfo, TargetOutput
from csp.world.torch_models.ablation import ablated_logits, held_logits
from csp.world.torch_models.explain import gradient_times_activation, linear_head, neuron_maps, unit_slopes
from csp.world.torch_models.layers import answer_of, forward, list_layers, read_layers, weights_hash
from csp.world.torch_models.rewriting.mending import checkpoint_bytes, mended_state
from csp.world.torch_models.rewriting.random_weights import with_random_weights
from csp.world.torch_models.splicing.attention import name_heads
from csp.world.torch_models.splicing.autoencoder import Autoencoder
from csp.world.torch_models.splicing.beside import Beside
from csp.world.torch_models.splicing.splice import Spliced

Preprocess = Callable[[Image.Image], Float32[np.ndarray, "3 h w"]]


@dataclass(frozen=True)
class TorchTarget:
    """A classifier in evaluation mode whose first output tensor is its logits `[b, classes]`."""

    spec: str
    name: str
    classes: tuple[str, ...]
    weights_hash: str
    input_size: tuple[int, int]
    module: nn.Module
    transform: Preprocess
    pooling: Pooling = "mean"
    multi_label: bool = False
    notes: tuple[str, ...] = ()
    """What to know of the model before relying on it, each in a sentence."""
    columns: tuple[Column, ...] = ()
    """What `module` takes beside the picture, as arguments of these names."""
    values: Values | None = None

    def __post_init__(self) -> None:
        """What attention heads give are layers, too."""
        name_heads(self.module)

    def given(self, values: Values) -> "TorchTarget":
        """The same model, for batches of pictures with these values beside them."""
        return replace(self, values=values)

    def with_saes(self, saes: Sequence[SaeOn]) -> "TorchTarget":
        """The same model, in which the latents of SAEs are layers (`protocols.sae.latent_layers`)."""
        part = next(self.module.parameters(), torch.zeros(()))
        spliced = {
            name: (one.layer, one.sae.to(part.device))
            for name, one in latent_layers(saes).items()
            if isinstance(one.sae, Autoencoder)
        }
        said = tuple(f"{name}: {note}" for name, (_, sae) in spliced.items() for note in sae.notes)
        return replace(self, module=Spliced(self.module, spliced).eval(), notes=self.notes + said)

    def sae_fits(self, batch: Float32[np.ndarray, "b 3 h w"]) -> dict[str, tuple[float, float, int]]:
        """How well each SAE fits what its layer gives of pictures (`Autoencoder.fit`)."""
        found: dict[str, tuple[float, float, int]] = {}

        def keep(name: str, sae: nn.Module, output: Tensor) -> None:
            assert isinstance(sae, Autoencoder)
            found[name] = sae.fit(output)

        if isinstance(self.module, Spliced):
            saes = zip(self.module.read.items(), self.module.saes, strict=True)
            for (name, layer), sae in saes:
                forward(self._ready, torch.tensor(batch), {layer: partial(keep, name, sae)})
        return found

    def layers(self) -> list[LayerInfo]:
        """List the modules that can be read, found by one pass over blank images."""
        return list_layers(self._usual, self.input_size)

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into the model's input."""
        return self.transform(image)

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Read several layers in one pass. Raises `NotFoundError`, `BadInputError` if one can't be read."""
        places: dict[str, Float32[np.ndarray, "b c 2"]] = {}
        activations, output = read_layers(self._ready, torch.tensor(batch), layers, self.pooling, places)
        if not self.classes:
            return TargetOutput(activations, None, places)
        logits = answer_of(output)
        if logits is None or logits.ndim != 2:
            shape = f"axes {tuple(logits.shape)}" if logits is not None else f"a {type(output).__name__}"
            raise BadInputError(
                f"{self.name} is no classifier: it gives {shape}, not one row of numbers an image: "
                "open the part of it that gives classes, or name no classes."
            )
        found = probabilities(logits, self.multi_label).cpu().numpy()
        if found.shape[1] != len(self.classes):
            raise BadInputError(
                f"{self.name} gives {found.shape[1]} numbers an image but names {len(self.classes)} classes: "
                "name as many classes as its head has."
            )
        return TargetOutput(activations, found, places)

    def maps(
        self, batch: Float32[np.ndarray, "b 3 h w"], layer: str, neurons: Sequence[int]
    ) -> Float32[np.ndarray, "b m y x"]:
        """Where neurons fire: their output before it is pooled; BadInputError for a layer without space."""
        return neuron_maps(self._ready, torch.tensor(batch), layer, neurons)

    def contributions(self, batch: Float32[np.ndarray, "b 3 h w"], layer: str) -> Contributions:
        """What each neuron adds to the class said, by gradient x activation: exact for a linear head."""
        chosen: list[Tensor] = []

        def scores(logits: Tensor) -> Tensor:
            compared = compared_logits(logits, self.multi_label)
            chosen.append(compared.argmax(1))
            return compared.gather(1, chosen[0][:, None])[:, 0]

        values = gradient_times_activation(self._ready, torch.tensor(batch), layer, scores)
        return Contributions(values, chosen[0].cpu().numpy(), self.head(layer) is not None)

    def slopes(self, batch: Float32[np.ndarray, "b 3 h w"], layer: str) -> Float32[np.ndarray, "b c classes"]:
        """How fast each class's logit rises, against the other classes, when a neuron's map rises evenly."""

        def scores(logits: Tensor) -> Tensor:
            return compared_logits(logits, self.multi_label)

        return unit_slopes(self._ready, torch.tensor(batch), layer, self.pooling, scores)

    def ablated(
        self,
        batch: Float32[np.ndarray, "b 3 h w"],
        layer: str,
        neurons: Sequence[int],
        values: Float32[np.ndarray, " m"],
    ) -> Float32[np.ndarray, "m b classes"]:
        """Class probabilities with one neuron at a time held at its value, on its whole map."""
        if self.columns:  # the columns' branch has a row an image, so the layer's can't be repeated
            each = [
                ((neuron,), np.full((len(batch), 1), value))
                for neuron, value in zip(neurons, values, strict=True)
            ]
            return np.stack([self.held(batch, {layer: one}) for one in each])
        logits = ablated_logits(self._ready, torch.tensor(batch), layer, neurons, torch.tensor(values))
        found = [probabilities(each, self.multi_label).cpu().numpy() for each in logits]
        return np.stack(found)

    def held(self, batch: Float32[np.ndarray, "b 3 h w"], held: Held) -> Float32[np.ndarray, "b classes"]:
        """Class probabilities with neurons of several layers held, on their whole maps, in one pass."""
        logits = held_logits(self._ready, torch.tensor(batch), held)
        return probabilities(logits, self.multi_label).cpu().numpy()

    def mended(
        self,
        layer: str,
        neurons: Sequence[int],
        values: Float64[np.ndarray, " m"],
        metadata: Mapping[str, str],
    ) -> bytes:
        """A safetensors checkpoint with neurons held at values; `BadInputError` where that is not exact."""
        state = mended_state(self._usual, self._noise(), layer, self.pooling, neurons, values)
        return checkpoint_bytes(state, self.spec, self.classes, metadata)

    def said_by_softmax(self) -> bool:
        """Whether its module gives probabilities though it is taken to give logits (`are_probabilities`)."""
        noise = torch.randn(2, 3, *self.input_size, generator=torch.Generator().manual_seed(0))
        answers = answer_of(forward(self._ready, noise, {}))
        return are_probabilities(None if answers is None else answers.cpu())

    def untrained(self, seed: int) -> "TorchTarget":
        """The same architecture, without SAEs, with weights drawn anew."""
        module = with_random_weights(self.module, seed)
        return replace(self, module=module, weights_hash=weights_hash(module))

    def head(self, layer: str) -> Float32[np.ndarray, "classes c"] | None:
        """The weights of the linear head on this layer's pooled output, on the scale of `compared_logits`."""
        weights = linear_head(self._usual, self._noise(), layer, self.pooling)
        if weights is None:
            return None
        return compared_logits(torch.tensor(weights).T, self.multi_label).T.numpy()

    @property
    def _ready(self) -> nn.Module:
        """The module as one that takes the picture alone."""
        return Beside(self.module, self.columns, self.values) if self.columns else self.module

    @property
    def _usual(self) -> nn.Module:
        """The same for any number of pictures: the defaults enter."""
        return Beside(self.module, self.columns, None) if self.columns else self.module

    def _noise(self) -> Tensor:
        return torch.rand(2, 3, *self.input_size, generator=torch.Generator().manual_seed(0))


def compared_logits(logits: Tensor, multi_label: bool = False) -> Tensor:
    """Logits as a person compares them: less their mean over the classes; independent labels as they are.

    Of one logit z `[-z / 2, z / 2]`, which is what its two classes have.
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        return torch.cat([-logits / 2, logits / 2], 1)
    return logits if multi_label else logits - logits.mean(1, keepdim=True)


def logits_of(output: Any, ends_in: str) -> Any:
    """What a model gives; of one that ends in `softmax` or `sigmoid`, numbers of the same probabilities."""
    found = answer_of(output)
    if found is None or not ends_in:
        return output
    return found.log() if ends_in == "softmax" else found.logit(1e-7)


def are_probabilities(answers: Tensor | None) -> bool:
    """Whether a model's answers are of a softmax already, which no graph may say: rows of several numbers
    from 0 to 1 that add up to 1."""
    if answers is None or answers.ndim != 2 or answers.shape[1] < 2:
        return False
    rows = answers.float()
    within = bool(((rows >= 0) & (rows <= 1)).all())
    return within and bool(torch.allclose(rows.sum(1), torch.ones(len(rows)), atol=0.01))


def probabilities(logits: Tensor, multi_label: bool = False) -> Tensor:
    """Softmax over classes; of one logit `[1 - p, p]`, p its sigmoid; of independent labels sigmoids."""
    logits = logits.float()
    if logits.shape[1] == 1:
        positive = logits.sigmoid()
        return torch.cat([1 - positive, positive], 1)
    return logits.sigmoid() if multi_label else logits.softmax(1)
