"""Calls of the native API of `keyturn serve`."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from asgiref.sync import sync_to_async

from .errors import (
    GeneralError,
    GeneralErrorCode,
    InvalidDataError,
    SessionError,
    SessionNotFoundError,
    TokenTheftDetectedError,
    UnauthorizedError,
)
from .options import Options

P = ParamSpec("P")
T = TypeVar("T")

# The server closes idle connections after 65 s.
_MAX_IDLE = 30.0
_MAX_POOLED = 32
# Lets the system notice within 5 s that the server of a stream has vanished without a word.
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}


class WouldBlock(BaseException):
    """A call of the server is needed where nothing may wait."""


_may_not_wait: ContextVar[bool] = ContextVar("keyturn_may_not_wait", default=False)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Calls of the server raise WouldBlock in this context."""
    token = _may_not_wait.set(True)
    try:
        yield
    finally:
        _may_not_wait.reset(token)


def refuse_to_wait() -> None:
    """Raises WouldBlock in a context that may not wait."""
    if _may_not_wait.get():
        raise WouldBlock


def asynchronous(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The function as a coroutine that runs it in a thread."""
    run: Callable[P, Coroutine[Any, Any, T]] = sync_to_async(function, thread_sensitive=False)
    return run


class Conflict(SessionError):  # noqa: N818 -- internal
    """The session info has another version."""


class NativeApi:
    """A client of the server, for any number of threads, with a pool of connections."""

    def __init__(self, options: Options) -> None:
        url = urlsplit(options.server)
        self._host = url.hostname or ""
        self._port = url.port
        self._is_secure = url.scheme == "https"
        self._prefix = url.path
        self._timeout = options.timeout
        self._headers = {} if options.api_key is None else {"api-key": options.api_key}
        self._idle: list[tuple[HTTPConnection, float]] = []
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        form: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Sends a request. `repeatable`: it may be sent twice, if a connection fails before the response."""
        refuse_to_wait()
        headers = dict(self._headers)
        payload = None
        if body is not None:
            payload = _encode(body)
            headers["content-type"] = "application/json"
        elif form is not None:
            payload = urlencode(form).encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        try:
            response, data = self._exchange(method, path, payload, headers, timeout or self._timeout)
        except (OSError, HTTPException) as error:
            if not repeatable or isinstance(error, (TimeoutError, ConnectionRefusedError)):
                raise _unavailable(error) from error
            try:
                response, data = self._exchange(method, path, payload, headers, timeout or self._timeout)
            except (OSError, HTTPException) as again:
                raise _unavailable(again) from again
        return _read(response, data)

    def open_stream(self, path: str, headers: Mapping[str, str], timeout: float) -> tuple[HTTPConnection, HTTPResponse]:
        """Sends a request for a stream, on a connection of its own that the caller must close."""
        connection = self._connect(timeout)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEPALIVE.items():
                if hasattr(socket, name):
                    connection.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            connection.request("GET", self._prefix + path, headers={**self._headers, **headers})
            response = connection.getresponse()
            if response.status != 200:
                raise GeneralError("STORE_UNAVAILABLE", f"the server refused the stream with {response.status}")
        except BaseException:
            connection.close()
            raise
        return connection, response

    def _exchange(
        self, method: str, path: str, payload: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> tuple[HTTPResponse, bytes]:
        connection = self._take() or self._connect(timeout)
        try:
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            connection.request(method, self._prefix + path, payload, dict(headers))
            response = connection.getresponse()
            data = response.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if connection.sock is not None and len(self._idle) < _MAX_POOLED:
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()
        return response, data

    def _connect(self, timeout: float) -> HTTPConnection:
        kind = HTTPSConnection if self._is_secure else HTTPConnection
        return kind(self._host, self._port, timeout=timeout)

    def _take(self) -> HTTPConnection | None:
        """A connection of the pool that the server has not closed."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if time.monotonic() - since < _MAX_IDLE and not _is_closed(connection):
                return connection
            connection.close()


def encoded(part: str) -> str:
    """A part of a path or a query."""
    return quote(part, safe="")


def _encode(body: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"the data is not JSON: {error}") from error


def _is_closed(connection: HTTPConnection) -> bool:
    # Nothing is expected on an idle connection: what can be read is its end.
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _unavailable(cause: Exception) -> GeneralError:
    return GeneralError("STORE_UNAVAILABLE", f"the session server cannot be reached: {type(cause).__name__}")


def _read(response: HTTPResponse, data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        body = None
    if response.status < 300 and isinstance(body, dict):
        return body
    fields = body if isinstance(body, dict) else {}
    raise _error_of(response, str(fields.get("error", "")), str(fields.get("message", "")), fields)


def _error_of(response: HTTPResponse, code: str, message: str, fields: Mapping[str, object]) -> SessionError:
    match response.status, code:
        case 401, "unauthorized":
            return UnauthorizedError(message)
        case 401, "token_theft_detected":
            return TokenTheftDetectedError(str(fields.get("userId")), str(fields.get("handle")))
        case 401 | 403, _:
            return GeneralError("MISUSE", 'the server refused KEYTURN["API_KEY"]')
        case 404, "not_found" if message.startswith("The session"):
            return SessionNotFoundError("the session does not exist, has expired or was revoked")
        case 404, _:
            return GeneralError("MISUSE", 'there is no native API at KEYTURN["SERVER"], or no such application')
        case 409, _:
            return Conflict(message)
        case 400 | 413, _:
            return InvalidDataError(message)
        case status, _:
            retry_after = response.headers.get("retry-after") or ""
            kind: GeneralErrorCode = "REFRESH_BUSY" if code == "refresh_busy" else "STORE_UNAVAILABLE"
            words = f"the session server answered {status}"
            return GeneralError(kind, words, int(retry_after) if retry_after.isdecimal() else 1)
