"""What a sparse autoencoder (SAE) must offer, how one is opened, and what its latents are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.world.specs.registry import SAES


class Sae(Protocol):
    """Reads `width` numbers of each position of a layer, and gives `count` latents for them."""

    @property
    def spec(self) -> str:
        """The text it was opened from."""

    @property
    def kind(self) -> str:
        """How latents fire: `relu`, `topk`, `batchtopk`, `jumprelu`, `gated`."""

    @property
    def width(self) -> int:
        """How many numbers a position it reads."""

    @property
    def count(self) -> int:
        """How many latents it has."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 over all that decides what it gives."""

    def directions(self) -> Float32[np.ndarray, "l d"]:
        """What each latent adds to the layer for 1 of it, before any scaling back: the decoder's rows."""


@dataclass(frozen=True)
class SaeOn:
    """An SAE, and the layer that it reads."""

    layer: str
    sae: Sae


class OpenSae(Protocol):
    """Opens an SAE from what follows `scheme:` in its spec."""

    def __call__(self, name: str) -> Sae:
        """Open it."""


def open_sae(spec: str) -> Sae:
    """Open the SAE that `spec` names, e.g. `saelens:FOLDER`.

    Raises `BadInputError` for a spec or file that can't be used, `NotFoundError` for a missing file.
    """
    opener, name = SAES.opener(spec)
    return cast(OpenSae, opener)(name)


def read_sae(text: str) -> tuple[str, str]:
    """The layer and the spec of `LAYER=SPEC`; raises `BadInputError` for another form."""
    layer, equals, spec = (part.strip() for part in text.partition("="))
    if not (equals and layer and spec):
        raise BadInputError(
            f"The SAE '{text}' does not say which layer it reads: write LAYER=SPEC, such as "
            "layer4=saelens:/path/folder."
        )
    return layer, spec


def latent_layers(saes: Sequence[SaeOn]) -> dict[str, SaeOn]:
    """The SAEs by the name of the layer of their latents: `layer4.topk`; a second one `layer4.topk-2`."""
    named: dict[str, SaeOn] = {}
    for one in saes:
        name = free = f"{one.layer}.{one.sae.kind}"
        number = 2
        while free in named:
            free, number = f"{name}-{number}", number + 1
        named[free] = one
    return named
