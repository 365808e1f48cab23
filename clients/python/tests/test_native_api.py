"""Connections to the server: which calls are repeated, and what becomes of idle connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest
from conftest import KEYTURN

from keyturn.errors import GeneralError
from keyturn.native_api import NativeApi
from keyturn.options import load_options

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'


class Peer:
    """A server that answers each request as the script says; None closes the connection without an answer."""

    def __init__(self) -> None:
        self.script: list[bytes | None] = []
        self.requests: list[str] = []
        self.connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        while data := connection.recv(65_536):
            self.requests.append(data.decode().split("\r\n")[0].removesuffix(" HTTP/1.1"))
            answer = self.script.pop(0) if self.script else OK
            if answer is None:
                connection.close()
                return
            connection.sendall(answer)

    def close(self) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def api_of(peer: Peer, **settings: object) -> NativeApi:
    return NativeApi(load_options({**KEYTURN, "SERVER": peer.url, **settings}))


def test_a_call_that_may_be_sent_twice_is_repeated_once(peer: Peer) -> None:
    api = api_of(peer)
    peer.script = [None]
    assert api.call("DELETE", "/a", repeatable=True) == {}
    assert peer.requests == ["DELETE /a"] * 2
    peer.script = [None, None]
    with pytest.raises(GeneralError):
        api.call("GET", "/b", repeatable=True)
    assert peer.requests[2:] == ["GET /b"] * 2


def test_no_other_call_is_repeated(peer: Peer) -> None:
    peer.script = [None]
    with pytest.raises(GeneralError) as raised:
        api_of(peer).call("POST", "/v1/sessions")
    assert (raised.value.code, peer.requests) == ("STORE_UNAVAILABLE", ["POST /v1/sessions"])


def test_a_connection_is_used_again_unless_the_server_has_closed_it(peer: Peer) -> None:
    api = api_of(peer)
    for _ in range(3):
        api.call("POST", "/a")
    assert len(peer.connections) == 1
    peer.connections[0].shutdown(socket.SHUT_RDWR)
    assert api.call("POST", "/a") == {}
    assert (len(peer.connections), len(peer.requests)) == (2, 4)


def test_a_silent_server_is_not_waited_for_twice(peer: Peer) -> None:
    peer.script = [b""]
    with pytest.raises(GeneralError):
        api_of(peer, TIMEOUT=0.2).call("GET", "/a", repeatable=True)
    assert peer.requests == ["GET /a"]


@pytest.mark.parametrize(("answer", "code", "retry_after"), [
    (b'HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 24\r\n\r\n{"error":"refresh_busy"}', "REFRESH_BUSY", 7),
    (b"HTTP/1.1 503 No\r\nretry-after: Mon\r\ncontent-length: 0\r\n\r\n", "STORE_UNAVAILABLE", 1),
    (b"HTTP/1.1 302 No\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n", "STORE_UNAVAILABLE", 1),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "STORE_UNAVAILABLE", 1),
    (b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", "MISUSE", 1),
])
def test_an_answer_that_is_none(peer: Peer, answer: bytes, code: str, retry_after: int) -> None:
    peer.script = [answer]
    with pytest.raises(GeneralError) as raised:
        api_of(peer).call("GET", "/a")
    assert (raised.value.code, raised.value.retry_after, len(peer.requests)) == (code, retry_after, 1)


def test_the_events_of_a_stream(peer: Peer) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    peer.script = [head + b":\n\nid: 1\nevent: revoked\ndata:{}\n\nretry: 5\n\nid: 2"]
    events = api_of(peer).events("/a", {"last-event-id": "0"}, silence=5)
    assert list(islice(events, 3)) == [{"": ""}, {"id": "1", "event": "revoked", "data": "{}"}, {"retry": "5"}]
    events.close()
