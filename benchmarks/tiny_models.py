"""A classifier and an encoder of a few hundred weights, for measuring the program around models.

`python:benchmarks.tiny_models:NAME` names either.
"""

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import nn

from csp.world.torch_models.encoder import TorchEncoder
from csp.world.torch_models.layers import device, weights_hash
from csp.world.torch_models.target import TorchTarget

SIDE, NEURONS, DIMENSION = 16, 8, 16


def _pixels(image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
    return np.asarray(image.resize((SIDE, SIDE)), np.float32).transpose(2, 0, 1) / 255


def open_target(name: str, pooling: str) -> TorchTarget:
    """A convolution (layer `0`) and two classes."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, NEURONS, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(NEURONS, 2)
    )
    module.eval().to(device())
    return TorchTarget(
        spec=f"python:benchmarks.tiny_models:{name}",
        name=name,
        classes=("light", "dark"),
        weights_hash=weights_hash(module),
        input_size=(SIDE, SIDE),
        module=module,
        transform=_pixels,
        pooling=pooling,
    )


def open_encoder(name: str) -> TorchEncoder:
    """Weighted colours; texts by their letters."""
    torch.manual_seed(1)
    towers = nn.ModuleDict({"image": nn.Linear(3, DIMENSION), "text": nn.EmbeddingBag(256, DIMENSION)})
    towers.eval().to(device())

    def text_features(prompts: list[str]) -> torch.Tensor:
        letters = [torch.tensor(list(prompt.encode() or b" "), device=device()) for prompt in prompts]
        return torch.cat([towers["text"](each[None]) for each in letters])

    return TorchEncoder(
        spec=f"python:benchmarks.tiny_models:{name}",
        name=name,
        weights_hash=weights_hash(towers),
        dimension=DIMENSION,
        transform=_pixels,
        image_features=lambda batch: towers["image"](batch.to(device()).mean((2, 3))),
        text_features=text_features,
    )
