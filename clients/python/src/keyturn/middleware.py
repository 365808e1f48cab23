"""The middleware: the endpoints of the front-end protocol, tokens in responses, and answers to errors."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from .endpoints import refresh_session, sign_out
from .errors import GeneralError, SessionError, UnauthorizedError
from .exchange import Exchange, current_exchange
from .native_api import asynchronous
from .runtime import get_runtime
from .wire import NEVER_STORED, REQUEST_HEADERS, add_to_list, bearer_token

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
            route = self._route_of(request)
            return exchange.finish(self._get_response(request) if route is None else _serve(request, route))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answers the errors that views raise. Django answers errors of the configuration."""
        return error_response(request, exception) if isinstance(exception, SessionError) else None

    async def _respond_later(self, request: HttpRequest) -> HttpResponseBase:
        with _exchange(request) as exchange:
            route = self._route_of(request)
            answer = self._get_response(request) if route is None else asynchronous(_serve)(request, route)
            return exchange.finish(await answer)

    def _route_of(self, request: HttpRequest) -> str | None:
        found = None if request.method == "OPTIONS" else self._route.fullmatch(request.path_info)
        return None if found is None else found[1]


def set_headers_for_options_api(response: HttpResponseBase) -> None:
    """Adds what a CORS preflight must allow to the response of a view that answers preflights itself."""
    add_to_list(response, "Access-Control-Allow-Headers", REQUEST_HEADERS)
    response.headers["Access-Control-Allow-Credentials"] = "true"


def error_response(request: HttpRequest, error: SessionError) -> HttpResponse | None:
    """The answer to an error: a status and a message, without details. None for `MISUSE`."""
    if error.code not in _ANSWERS:
        return None
    status, message = _ANSWERS[error.code]
    response = _json(status or get_runtime().options.session_expired_status_code, {"message": message})
    if isinstance(error, GeneralError):
        response.headers["Retry-After"] = str(error.retry_after)
    # No challenge in cookie mode: browsers do not support it.
    mode = (request.headers.get("st-auth-mode") or "").lower()
    if status == 0 and (mode == "header" or bearer_token(request) is not None):
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _serve(request: HttpRequest, route: str) -> HttpResponse:
    if request.method != "POST":
        response = _json(405, {"message": "method not allowed"})
        response.headers["Allow"] = "POST, OPTIONS"
        return response
    try:
        if route == "session/refresh":
            refresh_session(request)
            return _json(200, {})
        if sign_out(request):
            return _json(200, {"status": "OK"})
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


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return JsonResponse(body, status=status, headers={
        "Cache-Control": NEVER_STORED, "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
    })
