"""Requests to a server that may be slow, busy, broken or gone: tried again, then told in one sentence."""

import asyncio
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from csp.errors import BadInputError, CspError, UnavailableError
from csp.world.specs.registry import reason

LARGEST = 4_000_000
"""Bytes of an answer; more is none."""
LONGEST_WAIT = 120.0
"""Seconds that a server may ask us to wait before the next try."""
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)
_CONNECT_SECONDS = 10.0


class _TryAgainError(Exception):
    """Something that may pass; `wait` is how long the server asks us to wait, if it says."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class _BusyError(_TryAgainError):
    """An answer, though not the one asked for."""


@dataclass(frozen=True)
class Server:
    """A server by its base address. The key shows in no message and no repr."""

    address: str
    _key: str = ""
    seconds: float = 180.0
    """How long one try may take, however the server fills the time."""
    tries: int = 5
    pause: float = 1.0
    """Before the second try; doubled for each one after, and spread by chance."""

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """Ask, again after what may pass; the JSON of the answer.

        Raises `BadInputError` for a question that the server won't take, `UnavailableError` for the rest.
        """
        for left in reversed(range(self.tries)):
            try:
                return await self._try(method, path, body)
            except _TryAgainError as error:
                if not left or (error.wait or 0) > LONGEST_WAIT:
                    raise UnavailableError(
                        f"The server at {self.address} {error} ({self.tries - left} times asked)."
                    ) from error
                await asyncio.sleep(self._pause(self.tries - left, error.wait))

    async def reachable(self) -> None:
        """Raise `UnavailableError` where no server answers, or one that refuses the key."""
        probe = Server(self.address, self._key, seconds=_CONNECT_SECONDS)
        try:
            await probe._try("GET", "models", None)
        except (BadInputError, _BusyError):
            return  # it answers, and only can't list its models
        except _TryAgainError as error:
            raise UnavailableError(f"The server at {self.address} {error}.") from error

    def _pause(self, tried: int, asked: float | None) -> float:
        if asked is not None:
            return asked
        return float(self.pause * 2 ** (tried - 1) * random.uniform(0.75, 1.25))  # noqa: S311 (no secret)

    async def _try(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(self.seconds, connect=min(_CONNECT_SECONDS, self.seconds))
        try:
            async with httpx.AsyncClient(timeout=timeout) as client, asyncio.timeout(self.seconds):
                request = client.build_request(method, f"{self.address}/{path}", json=body, headers=headers)
                response = await client.send(request, stream=True)
                try:
                    content = await _content(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _TryAgainError(f"did not answer within {self.seconds:g} seconds") from error
        except httpx.ConnectError as error:
            raise _TryAgainError(f"can't be reached ({reason(error)})") from error
        except httpx.HTTPError as error:
            raise _TryAgainError(f"broke off in the middle of its answer ({reason(error)})") from error
        return self._read(response, content)

    def _read(self, response: httpx.Response, content: bytes) -> Any:
        status = response.status_code
        if status in _PASSING:
            raise _BusyError(f"is busy or broken (HTTP {status})", _retry_after(response))
        if status in (401, 403):
            raise UnavailableError(
                f"The server at {self.address} refuses the key (HTTP {status}): set CSP_VLM_API_KEY."
            )
        if status >= 300:
            raise self._refused(status, content)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _BusyError("gave half an answer, or one that is no JSON") from error

    def _refused(self, status: int, content: bytes) -> CspError:
        text = content[:2000].decode(errors="replace")
        try:
            document = json.loads(text)
            text = str(document["error"]["message"])
        except (ValueError, LookupError, TypeError, RecursionError):
            pass
        said = reason(Exception(text.replace(self._key, "…") if self._key else text))[:160]
        return BadInputError(
            f"The server at {self.address} does not take the question (HTTP {status}: {said})."
        )


async def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST:
            raise _TryAgainError(f"answers endlessly (over {LARGEST:,} bytes)")
    return bytes(content)


def _retry_after(response: httpx.Response) -> float | None:
    """What the header `Retry-After` asks for, in seconds from now: a number, or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
