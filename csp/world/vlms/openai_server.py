"""VLMs behind an OpenAI-compatible server: `openai:BASE_URL#MODEL`, e.g. `openai:http://localhost:8000/v1#smolvlm`.

The key comes from the environment and is sent in one header, nothing else: `CSP_VLM_API_KEY` to the server
that the spec names, else `OPENAI_API_KEY` to api.openai.com or this machine. It is neither kept nor shown.
"""

import asyncio
import io
import json
import os
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any, TypeVar

import httpx
from PIL import Image

from csp.errors import BadInputError, UnavailableError
from csp.world.pictures.data_url import data_url
from csp.world.protocols.vlm import MOST_TOKENS, StoppedError, never
from csp.world.vlms.http import Server
from csp.world.vlms.prompts import message_parts

Answered = TypeVar("Answered")

SECONDS_BETWEEN_LOOKS = 0.2
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class OpenAiVlm:
    """A model on a server; the pictures are sent as PNG, so the server sees the very same pixels."""

    spec: str
    name: str
    server: Server
    weights_hash: str = field(default="", init=False)

    def answer(
        self,
        images: Sequence[Image.Image],
        prompt: str,
        *,
        seed: int,
        most_tokens: int = MOST_TOKENS,
        stop: Callable[[], bool] = never,
    ) -> str:
        """See `Vlm`; the same seed gives the same answer where the server honours it."""
        waiting = iter(images)
        content = [
            part if part["type"] == "text" else _picture(next(waiting))
            for part in message_parts(prompt, len(images))
        ]
        question = {
            "model": self.name,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": most_tokens,
            "seed": seed,
        }
        document = _run(self.server.request("POST", "chat/completions", question), stop)
        return _said(document, self.server.address)


def open_vlm(name: str) -> OpenAiVlm:
    """Open the model `BASE_URL#MODEL`, once its server answers.

    Raises `BadInputError` for an address that can't be used, `UnavailableError` where no server answers there
    or it refuses the key.
    """
    address, _, model = name.partition("#")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    in_range = url.port is None or 0 < url.port < 2**16
    if not model or url.scheme not in ("http", "https") or not url.host or not in_range:
        raise BadInputError(
            f"'openai:{name}' names no server and model: write openai:http://HOST:PORT/v1#MODEL."
        )
    if url.userinfo or url.query:
        raise BadInputError(
            "The address of a VLM server may hold no key or password: put the key into CSP_VLM_API_KEY."
        )
    server = Server(address.rstrip("/"), _key(url.host))
    _run(server.reachable())
    return OpenAiVlm(f"openai:{name}", model, server)


def _run(work: Coroutine[Any, Any, Answered], stop: Callable[[], bool] = never) -> Answered:
    """In a thread of its own: whoever asks (a notebook, a browser test) may have an event loop running.

    Ctrl-C, and with it a cancelled job, ends the waiting as `stop` does.
    """
    left = Event()
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(asyncio.run, _wanted(work, lambda: left.is_set() or stop())).result()
        finally:
            left.set()


async def _wanted(work: Coroutine[Any, Any, Answered], stop: Callable[[], bool]) -> Answered:
    """Wait for the answer, and look now and then whether the person still wants it."""
    asking = asyncio.create_task(work)
    try:
        while not asking.done():
            if stop():
                raise StoppedError("Stopped before the model had answered.")
            await asyncio.wait({asking}, timeout=SECONDS_BETWEEN_LOOKS)
        return asking.result()
    finally:
        asking.cancel()


def _key(host: str) -> str:
    own = os.environ.get("CSP_VLM_API_KEY", "")
    trusted = host == "api.openai.com" or host in _OWN_MACHINE
    return own or (os.environ.get("OPENAI_API_KEY", "") if trusted else "")


def _picture(image: Image.Image) -> dict[str, Any]:
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"type": "image_url", "image_url": {"url": data_url(file.getvalue(), "png")}}


def _said(document: Any, address: str) -> str:
    """The text of an answer, or of a refusal; "" where the model said nothing."""
    try:
        message = document["choices"][0]["message"]
        return _text(message.get("content") or message.get("refusal") or "").strip()
    except (LookupError, TypeError, AttributeError):
        raise UnavailableError(
            f"The server at {address} does not answer as an OpenAI-compatible one does ({_short(document)})."
        ) from None


def _text(content: Any) -> str:
    """A text as it is, or the texts among its parts. Raises LookupError or TypeError for anything else."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _short(document: Any) -> str:
    try:
        return json.dumps(document)[:100]
    except RecursionError:
        return "JSON that is nested too deeply"
