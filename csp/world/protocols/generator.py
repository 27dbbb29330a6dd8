"""What an image generator must offer, and how one is opened from a spec.

`dermoscopy:drawn` draws the demo world's attributes, `hf:ID-or-folder` is a diffusers pipeline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

from PIL import Image

from csp.errors import BadInputError
from csp.world.specs.registry import GENERATORS


class CannotDrawError(BadInputError):
    """The generator has no picture for this text; another text may do."""


class ImageGenerator(Protocol):
    """Makes pictures from a text. The same text, count and seed give the same pictures."""

    @property
    def spec(self) -> str:
        """The text it was opened from."""

    @property
    def name(self) -> str:
        """A short name for people."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 that changes when its pictures do."""

    def generate(self, text: str, count: int, seed: int) -> Sequence[Image.Image]:
        """RGB pictures of what the text names. Raises `CannotDrawError` for a text it has no picture for."""


@dataclass(frozen=True)
class SwitchedCase:
    """A picture, whether it shows each of some attributes, and it with just that one switched."""

    picture: Image.Image
    shows: Mapping[str, bool]
    other: Mapping[str, Image.Image]


@runtime_checkable
class SwitchingGenerator(ImageGenerator, Protocol):
    """A generator whose pictures' attributes are known and can be switched one at a time."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that can be switched."""

    def switched(self, number: int, attributes: Sequence[str]) -> SwitchedCase:
        """The case of that number, and it with each of these attributes switched."""


class OpenGenerator(Protocol):
    """Opens a generator from what follows `scheme:` in its spec."""

    def __call__(self, name: str) -> ImageGenerator:
        """Open it."""


def open_generator(spec: str) -> ImageGenerator:
    """Open the generator that `spec` names.

    Raises `BadInputError` for a spec or folder that can't be used, `NotFoundError` for a missing folder,
    `UnavailableError` where weights can't be downloaded or a package is missing.
    """
    opener, name = GENERATORS.opener(spec)
    return cast(OpenGenerator, opener)(name)
