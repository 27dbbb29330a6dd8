"""Ports of this machine for servers that tests start as processes of their own."""

import socket


def free_port() -> int:
    """A free loopback port that nobody else is given while this process lives.

    It stays bound without listening, so that no connection and no other test takes it before its server has
    begun; a server that allows to use addresses again (SO_REUSEADDR), as all of ours do, may listen at it.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port: int = held.getsockname()[1]
    held.detach()  # open until the process ends
    return port
