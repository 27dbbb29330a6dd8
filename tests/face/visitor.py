"""A visitor without a browser: talks to the app over its WebSocket, as Streamlit's own script does."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests import patience


class Visitor:
    """An open connection; `session` is known once a page was asked for."""

    def __init__(self, channel: ClientConnection) -> None:
        self._channel = channel
        self.session = ""
        self._buttons: set[str] = set()

    def run(self, page: str, query: str = "", *, press: str = "", padding: int = 0) -> list[ForwardMsg]:
        """Asks for a page and gives all that came; ConnectionError when the server hung up.

        `press`: the key of a button that was on the page before. `padding`: so many letters are sent along as
        what stands in a box.
        """
        asked = BackMsg()
        asked.rerun_script.page_name = page
        asked.rerun_script.query_string = query
        if press:
            widget = asked.rerun_script.widget_states.widgets.add()
            (widget.id,) = (one for one in self._buttons if one.endswith(f"-{press}"))
            widget.trigger_value = True
        if padding:
            widget = asked.rerun_script.widget_states.widgets.add()
            widget.id, widget.string_value = "padding", "x" * padding
        came: list[ForwardMsg] = []
        try:
            self._channel.send(asked.SerializeToString())
            while not came or came[-1].WhichOneof("type") != "script_finished":
                came.append(self._heard())
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from error
        return came

    def _heard(self) -> ForwardMsg:
        message, given = ForwardMsg(), self._channel.recv(patience.SECONDS)
        assert isinstance(given, bytes)
        message.ParseFromString(given)
        if message.WhichOneof("type") == "new_session":
            self.session = message.new_session.initialize.session_id
        if button := message.delta.new_element.button.id:
            self._buttons.add(button)
        return message


def alerts(came: list[ForwardMsg]) -> str:
    """The notices among what came, as they read: without escapes and the word joiners of `plain`."""
    bodies = "\n".join(message.delta.new_element.alert.body for message in came)
    return bodies.strip().replace("\\", "").replace("\u2060", "")


@contextmanager
def visiting(
    address: str, headers: Mapping[str, str] | None = None, *, host: str = "", origin: str = ""
) -> Iterator[Visitor]:
    """A connection to the server at this address, by another name or from another page if need be."""
    server = urlsplit(address)
    with (
        socket.create_connection((server.hostname, server.port)) as wire,
        connect(
            f"ws://{host or server.netloc}/_stcore/stream",
            sock=wire,
            origin=Origin(origin or address),
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=headers,
            max_size=None,
            open_timeout=patience.SECONDS,
            ping_interval=None,  # a busy server may be silent for long
            proxy=None,
        ) as channel,
    ):
        yield Visitor(channel)


def welcome(
    address: str, headers: Mapping[str, str] | None = None, *, host: str = "", origin: str = ""
) -> int:
    """What the server answers to such a connection: 101 when it takes it."""
    try:
        with visiting(address, headers, host=host, origin=origin):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
