"""A target model made of any torch classifier: what the adapters build, and what a user's own may build."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor, nn

from csp.world.models import LayerInfo, Pooling, TargetOutput
from csp.world.torch_layers import first_tensor, list_layers, read_layers

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

    def layers(self) -> list[LayerInfo]:
        """List the modules that can be read, found by one pass over blank images."""
        return list_layers(self.module, self.input_size)

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into the model's input."""
        return self.transform(image)

    def run(self, batch: Float32[np.ndarray, "b 3 h w"], layers: Sequence[str]) -> TargetOutput:
        """Read several layers in one pass. Raises `NotFoundError`, `BadInputError` if one can't be read."""
        activations, output = read_layers(self.module, torch.tensor(batch), layers, self.pooling)
        logits = first_tensor(output)
        if logits is None or logits.ndim != 2:
            raise TypeError(f"{self.name} is no classifier: it returns {type(output).__name__}")
        return TargetOutput(activations, probabilities(logits, self.multi_label).cpu().numpy())


def probabilities(logits: Tensor, multi_label: bool = False) -> Tensor:
    """Softmax over classes; of one logit `[1 - p, p]`, p its sigmoid; of independent labels sigmoids."""
    logits = logits.float()
    if logits.shape[1] == 1:
        positive = logits.sigmoid()
        return torch.cat([1 - positive, positive], 1)
    return logits.sigmoid() if multi_label else logits.softmax(1)


def class_names(names: Sequence[str], logits: int) -> tuple[str, ...]:
    """Name the columns of `probabilities`: a single logit makes two classes, "not x" and "x"."""
    if logits == 1 and len(names) == 1:
        return (f"not {names[0]}", names[0])
    return tuple(names)
