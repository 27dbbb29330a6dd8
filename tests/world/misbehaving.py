"""A real HTTP server on loopback that misbehaves as servers do: slow, busy, broken, half an answer."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


def says(text: str | None) -> dict[str, Any]:
    """An answer as OpenAI-compatible servers give it."""
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


class Handler(BaseHTTPRequestHandler):
    """Does what the server's list of behaviours says, one for each question; the last one for all after."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.seen.append({"path": self.path, "key": self.headers.get("Authorization")})
        self.answer(200, {"data": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key, at = self.headers.get("Authorization"), time.monotonic()
        self.server.seen.append({"path": self.path, "key": key, "at": at, "body": body})
        place = sum("body" in one for one in self.server.seen) - 1
        self.server.behaviours[min(place, len(self.server.behaviours) - 1)](self)

    def answer(self, status: int, document: Any, **headers: str) -> None:
        """Answer whole."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """Keeps what it was asked in `seen`; `leave` ends what hangs."""

    daemon_threads = True

    def __init__(self, behaviours: list[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours = behaviours
        self.seen: list[dict[str, Any]] = []
        self.leave = threading.Event()

    @property
    def address(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What was asked of the model."""
        return [one for one in self.seen if "body" in one]


@contextmanager
def serving(*behaviours: Behaviour) -> Iterator[Server]:
    """A server in a thread of its own, gone afterwards."""
    server = Server(list(behaviours))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.leave.set()
        server.shutdown()
        server.server_close()
        thread.join()


def tells(text: str | None) -> Behaviour:
    """Answer well."""
    return lambda handler: handler.answer(200, says(text))


def fails(status: int, message: str = "no", **headers: str) -> Behaviour:
    """Answer with an error."""
    return lambda handler: handler.answer(status, {"error": {"message": message}}, **headers)


def hangs(handler: Handler) -> None:
    """Never answer."""
    handler.server.leave.wait()
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.server.leave.wait(0.05):
        try:
            handler.wfile.write(b" ")
        except OSError:
            break
    handler.close_connection = True


def breaks_off(handler: Handler) -> None:
    """Promise more than is sent, then hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"mess')
    handler.close_connection = True


def gives(content: bytes) -> Behaviour:
    """Answer with any bytes."""
    return lambda handler: handler.answer(200, content)
