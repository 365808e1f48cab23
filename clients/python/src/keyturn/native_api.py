"""Calls of the native API of `keyturn serve`."""

import json
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode

import httpcore
from asgiref.sync import sync_to_async

from . import errors
from .options import Options

P = ParamSpec("P")
T = TypeVar("T")

# The server closes idle connections after 65 s.
_MAX_IDLE = 30.0
_MAX_POOLED = 32
# Lets the system notice within 5 s that the server of a stream has vanished without a word.
_KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *(
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}.items() if hasattr(socket, name)
)]
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


class WouldBlock(BaseException):
    """A call of the server is needed where nothing may wait."""


_may_not_wait: ContextVar[bool] = ContextVar("keyturn_may_not_wait", default=False)


def refuse_to_wait() -> None:
    """Raises WouldBlock in a context that may not wait."""
    if _may_not_wait.get():
        raise WouldBlock


def asynchronous(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The function as a coroutine that runs it in a thread."""
    run: Callable[P, Coroutine[Any, Any, T]] = sync_to_async(function, thread_sensitive=False)
    return run


async def without_blocking(function: Callable[[], T]) -> T:
    """Calls a function on the event loop, and again in a thread if it must call the server."""
    token = _may_not_wait.set(True)
    try:
        return function()
    except WouldBlock:
        pass
    finally:
        _may_not_wait.reset(token)
    return await asynchronous(function)()


class Conflict(errors.SessionError):
    """The session info has another version."""


class NativeApi:
    """A client of the server, for any number of threads, with a pool of connections."""

    def __init__(self, options: Options) -> None:
        self._server = options.server
        self._timeout = options.timeout
        self._headers = {} if options.api_key is None else {"api-key": options.api_key}
        self._pool = httpcore.ConnectionPool(
            ssl.create_default_context(), max_connections=None, max_keepalive_connections=_MAX_POOLED,
            keepalive_expiry=_MAX_IDLE, socket_options=_KEEPALIVE,
        )

    def call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *,
        form: Mapping[str, str] | None = None, repeatable: bool = False, timeout: float | None = None,
    ) -> dict[str, Any]:
        """Sends a request. `repeatable`: it may be sent twice, if a connection fails before the response."""
        refuse_to_wait()
        headers, content = self._headers, None
        if body is not None:
            headers, content = {**headers, "content-type": "application/json"}, _encode(body)
        elif form is not None:
            headers = {**headers, "content-type": "application/x-www-form-urlencoded"}
            content = urlencode(form).encode()
        limits = dict.fromkeys(("connect", "read", "write"), timeout or self._timeout)
        while True:
            try:
                return _read(self._pool.request(
                    method, self._server + path, headers=list(headers.items()), content=content,
                    extensions={"timeout": limits},
                ))
            except _FAILURES as error:
                if not repeatable or isinstance(error, (httpcore.TimeoutException, httpcore.ConnectError)):
                    words = f"the session server cannot be reached: {type(error).__name__}"
                    raise errors.GeneralError("STORE_UNAVAILABLE", words) from error
                repeatable = False

    def introspect(self, token: str, *, timeout: float | None = None, **more: str) -> dict[str, Any]:
        """Whether a token is active now, and its claims."""
        return self.call("POST", "/v1/introspect", form={"token": token, **more}, repeatable=True, timeout=timeout)

    def events(self, path: str, headers: Mapping[str, str], silence: float) -> Iterator[dict[str, str]]:
        """The server-sent events of a stream, by field, until it ends or has been silent for so many seconds.

        A comment, which shows that the stream lives, is an event too.
        """
        sent = [*self._headers.items(), *headers.items()]
        limits = {"timeout": {"connect": self._timeout, "write": self._timeout, "read": silence}}
        with self._pool.stream("GET", self._server + path, headers=sent, extensions=limits) as response:
            if response.status != 200:
                raise errors.GeneralError("STORE_UNAVAILABLE", f"the server refused the stream with {response.status}")
            rest = b""
            for chunk in response.iter_stream():
                *complete, rest = (rest + chunk).split(b"\n\n")
                for event in complete:
                    fields = [line.partition(":") for line in event.decode().split("\n")]
                    yield {name: value.removeprefix(" ") for name, _, value in fields}


def given(members: Mapping[str, object]) -> dict[str, Any]:
    """The members of a request that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def _encode(body: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise errors.InvalidDataError(f"the data is not JSON: {error}") from error


def _read(response: httpcore.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content or b"{}")
    except ValueError:
        body = None
    if response.status < 300 and isinstance(body, dict):
        return body
    raise _error_of(response, body if isinstance(body, dict) else {})


def _error_of(response: httpcore.Response, body: Mapping[str, object]) -> errors.SessionError:
    code, message = str(body.get("error", "")), str(body.get("message", ""))
    match response.status, code:
        case 401, "unauthorized":
            return errors.UnauthorizedError(message)
        case 401, "invalid_access_token":
            return errors.TryRefreshTokenError("the access token has expired: refresh the session")
        case 401, "token_theft_detected":
            return errors.TokenTheftDetectedError(str(body.get("userId")), str(body.get("handle")))
        case 401 | 403, _:
            return errors.GeneralError("MISUSE", 'the server refused KEYTURN["API_KEY"]')
        case 404, "not_found" if message.startswith("The session"):
            return errors.SessionNotFoundError("the session does not exist, has expired or was revoked")
        case 404, _:
            return errors.GeneralError("MISUSE", 'there is no native API at KEYTURN["SERVER"], or no such application')
        case 409, _:
            return Conflict(message)
        case 400 | 413, _:
            return errors.InvalidDataError(message)
        case status, _:
            headers = {name.lower(): value for name, value in response.headers}
            retry_after = headers.get(b"retry-after", b"").decode("latin-1")
            kind: errors.GeneralErrorCode = "REFRESH_BUSY" if code == "refresh_busy" else "STORE_UNAVAILABLE"
            words = f"the session server answered {status}"
            return errors.GeneralError(kind, words, int(retry_after) if retry_after.isdecimal() else 1)
