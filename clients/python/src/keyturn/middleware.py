"""The middleware: the endpoints of the front-end protocol, tokens in responses, and answers to errors."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from .errors import GeneralError, SessionError, UnauthorizedError
from .native_api import asynchronous
from .requests import refresh_session, sign_out
from .runtime import get_runtime
from .session import Exchange, current_exchange
from .wire import NEVER_STORED, bearer_token, wanted_mode

# The status, 0 for the configured one, and the message, which front ends know. `MISUSE` is for Django to answer.
_ANSWERS = {
    "UNAUTHORIZED": (0, "unauthorised"),
    "TRY_REFRESH_TOKEN": (0, "try refresh token"),
    "TOKEN_THEFT_DETECTED": (0, "token theft detected"),
    "CROSS_SITE_REQUEST": (403, "cross-site request refused"),
    "SESSION_NOT_FOUND": (404, "session not found"),
    "INVALID_DATA": (400, "invalid data"),
    "STORE_UNAVAILABLE": (503, "session service unavailable"),
    "REFRESH_BUSY": (503, "session service unavailable"),
}
_HEADERS = {
    "Cache-Control": NEVER_STORED, "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
}


class KeyturnMiddleware:
    """Place it above everything that uses sessions. It runs in WSGI and in ASGI."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        base = re.escape(get_runtime().options.base_path)
        self._route = re.compile(base + r"/(?:[a-zA-Z0-9-]+/)?(session/refresh|signout)/?")
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._respond_later(request)
        with _exchange(request) as exchange:
            return exchange.finish(self._handler_of(request)(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answers the errors that views raise. Django answers errors of the configuration."""
        return error_response(request, exception) if isinstance(exception, SessionError) else None

    async def _respond_later(self, request: HttpRequest) -> HttpResponseBase:
        with _exchange(request) as exchange:
            return exchange.finish(await self._handler_of(request)(request))

    def _handler_of(self, request: HttpRequest) -> Callable[[HttpRequest], Any]:
        """What answers a request: an endpoint, or else the application."""
        found = None if request.method == "OPTIONS" else self._route.fullmatch(request.path_info)
        if found is None:
            return self._get_response
        endpoint = partial(_serve, route=found[1])
        return asynchronous(endpoint) if self._is_async else endpoint


def error_response(request: HttpRequest, error: SessionError) -> HttpResponse | None:
    """The answer to an error: a status and a message, without details. None for `MISUSE`."""
    if error.code not in _ANSWERS:
        return None
    status, message = _ANSWERS[error.code]
    actual = status or get_runtime().options.session_expired_status_code
    response = JsonResponse({"message": message}, status=actual, headers=_HEADERS)
    if isinstance(error, GeneralError):
        response.headers["Retry-After"] = str(error.retry_after)
    # No challenge in cookie mode: browsers do not support it.
    if status == 0 and (wanted_mode(request) == "header" or bearer_token(request) != ""):
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _serve(request: HttpRequest, route: str) -> HttpResponse:
    if request.method != "POST":
        headers = {**_HEADERS, "Allow": "POST, OPTIONS"}
        return JsonResponse({"message": "method not allowed"}, status=405, headers=headers)
    try:
        if route == "session/refresh":
            refresh_session(request)
            return JsonResponse({}, headers=_HEADERS)
        if sign_out(request):
            return JsonResponse({"status": "OK"}, headers=_HEADERS)
        raise UnauthorizedError("the request has no session")
    except SessionError as error:
        answer = error_response(request, error)
        if answer is None:
            raise
        return answer


@contextmanager
def _exchange(request: HttpRequest) -> Iterator[Exchange]:
    exchange = request._keyturn = Exchange(request)  # type: ignore[attr-defined]
    token = current_exchange.set(exchange)
    try:
        yield exchange
    finally:
        current_exchange.reset(token)
