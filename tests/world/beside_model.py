"""A tiny classifier that takes age and sex beside the picture: `python:tests.world.beside_model:any`."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from csp.world.protocols.columns import Column
from csp.world.torch_models.layers import weights_hash
from csp.world.torch_models.target import TorchTarget

SIZE = 16


class Net(nn.Module):
    """Sees a picture, an age in years and one of two sexes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.sexes = nn.Embedding(2, 2)
        self.joined = nn.Linear(9, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, picture: Tensor, age: Tensor, sex: Tensor) -> Tensor:
        """Logits of three classes."""
        seen = self.conv(picture).relu().mean((2, 3))
        joined = self.joined(torch.cat([seen, age[:, None] / 100, self.sexes(sex)], 1)).relu()
        logits: Tensor = self.head(joined)
        return logits


def net() -> Net:
    """With fixed random weights."""
    torch.manual_seed(3)
    return Net().eval()


def prepared(image: Image.Image) -> np.ndarray:
    """The picture as the model takes it."""
    pixels = np.asarray(image.resize((SIZE, SIZE)), np.float32) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def open_target(name: str, pooling: str) -> TorchTarget:
    """Open it; a name that is a number is the age that it states as its default."""
    module = net()
    default = float(name) if name.isdigit() else None
    return TorchTarget(
        spec=f"python:tests.world.beside_model:{name}",
        name="beside",
        classes=("nevus", "melanoma", "keratosis"),
        weights_hash=weights_hash(module),
        input_size=(SIZE, SIZE),
        module=module,
        transform=prepared,
        pooling=pooling,
        columns=(Column("age", default=default), Column("sex", ("female", "male"))),
    )
