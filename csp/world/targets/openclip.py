"""Target models of OpenCLIP: the image tower of an encoder, which has no classes.

`openclip:ARCH/PRETRAINED`, `openclip:hf-hub:OWNER/NAME`, `openclip:local-dir:PATH`, as an encoder is named.
"""

import numpy as np
from PIL import Image

from csp.world.encoders.openclip import load_openclip
from csp.world.protocols.pooling import Pooling
from csp.world.torch_models.layers import weights_hash
from csp.world.torch_models.target import TorchTarget


def open_target(name: str, pooling: Pooling) -> TorchTarget:
    """Open an image tower with its own preprocessing. Raises as the encoder of that name does."""
    loaded = load_openclip(name)
    tower = loaded.model.visual
    height, width = np.shape(loaded.transform(Image.new("RGB", (64, 64))))[1:]
    return TorchTarget(
        spec=f"openclip:{name}",
        name=f"{loaded.name}, image tower",
        classes=(),
        weights_hash=weights_hash(tower),
        input_size=(height, width),
        module=tower,
        transform=loaded.transform,
        pooling=pooling,
        notes=loaded.notes,
    )
