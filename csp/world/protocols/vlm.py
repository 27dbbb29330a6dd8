"""What a vision-language model (VLM) must offer, and how one is opened from a spec.

The adapters, and with them torch, are imported only when a model is opened.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from PIL import Image

from csp.errors import CspError
from csp.world.specs.registry import VLMS

MOST_TOKENS = 128
"""Of an answer: three concepts need about thirty; an endless answer is cut here."""


class StoppedError(CspError):
    """The person stopped the work before the answer was whole."""


def never() -> bool:
    """Stop at no time."""
    return False


class Vlm(Protocol):
    """A model that answers a question about pictures with text."""

    @property
    def spec(self) -> str:
        """The text it was opened from, without any key or password."""

    @property
    def name(self) -> str:
        """A short name for people."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 over the names and bytes of all weights; empty where a server does not tell."""

    def answer(
        self,
        images: Sequence[Image.Image],
        prompt: str,
        *,
        seed: int,
        most_tokens: int = MOST_TOKENS,
        stop: Callable[[], bool] = never,
    ) -> str:
        """Answer `prompt`, in which `{images}` marks where the pictures go, in order.

        Sampled as the model's makers advise; the same seed on the same machine gives the same answer. `stop`
        is asked between tokens or while waiting; `StoppedError` once it says so. Raises `BadInputError` for a
        prompt without the slot, `UnavailableError` when the model or server can't answer now.
        """


class OpenVlm(Protocol):
    """Opens a VLM from what follows `scheme:` in its spec."""

    def __call__(self, name: str) -> Vlm:
        """Open it."""


def open_vlm(spec: str) -> Vlm:
    """Open the VLM that `spec` names: `hf:ID-or-folder` or `openai:BASE_URL#MODEL`.

    Raises `BadInputError` for a spec or checkpoint that can't be used, `NotFoundError` for a missing folder,
    `UnavailableError` where weights can't be downloaded or a server doesn't answer.
    """
    opener, name = VLMS.opener(spec)
    return cast(OpenVlm, opener)(name)
