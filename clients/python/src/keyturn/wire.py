"""The front-end protocol: its headers and cookies in requests and responses."""

import json
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponseBase

from .options import Options
from .tokens import AccessToken, TransferMode

__all__ = ["REQUEST_HEADERS", "RESPONSE_HEADERS", "set_headers_for_options_api"]

_MAX_COOKIE_HEADER = 16_384
_MAX_COOKIES = 200
_ACCESS_COOKIE_LIFE = 365 * 86_400
_MAX_COOKIE_LIFE = 400 * 86_400
_SAME_SITE: dict[str, Literal["Lax", "Strict", "None"]] = {"lax": "Lax", "strict": "Strict", "none": "None"}
_NEVER = "Thu, 01 Jan 1970 00:00:00 GMT"

NEVER_STORED = "private, no-store"
REQUEST_HEADERS = ["content-type", "rid", "fdi-version", "anti-csrf", "authorization", "st-auth-mode"]
RESPONSE_HEADERS = ["front-token", "st-access-token", "st-refresh-token", "anti-csrf", "retry-after"]


class Cookie(NamedTuple):
    """The new value of a cookie. `max_age`: None ends with the browser, 0 clears it."""

    value: str
    max_age: int | None


class Edit(NamedTuple):
    """A change of a response: headers to set, or to remove (None), and the cookies of the tokens, if they change."""

    headers: Mapping[str, str | None]
    access: Cookie | None = None
    refresh: Cookie | None = None


PRIVATE = Edit({})
"""No shared cache may store the response to a verified session, unless the application says otherwise."""

NO_SESSION = Edit({"front-token": "remove"})
"""Tells the client that it has no session, and clears nothing."""

_CLEARED: dict[str, str | None] = {"front-token": "remove", "anti-csrf": None}
CLEARING: dict[TransferMode, Edit] = {
    "cookie": Edit(_CLEARED, Cookie("", 0), Cookie("", 0)),
    "header": Edit({**_CLEARED, "st-access-token": "", "st-refresh-token": ""}),
}
"""Clears the client's tokens of one transfer mode."""


def read_cookies(request: HttpRequest, name: str) -> list[str]:
    """All values of a cookie. Django's own dictionary would keep only one of them."""
    header = request.META.get("HTTP_COOKIE") or ""
    pairs = header.split(";") if len(header) <= _MAX_COOKIE_HEADER else []
    cookies = [pair.partition("=") for pair in pairs] if len(pairs) <= _MAX_COOKIES else []
    values = [value.strip(" \t") for key, _, value in cookies if key.strip(" \t") == name]
    return [unquote(value) for value in values if value]


def bearer_token(request: HttpRequest) -> str:
    """The token of `Authorization: Bearer`; empty if there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def wanted_mode(request: HttpRequest) -> TransferMode:
    """How the client wants to get the tokens of a login."""
    return "header" if request.headers.get("st-auth-mode", "").strip().lower() == "header" else "cookie"


def access_token_edit(token: AccessToken) -> Edit:
    """Sends an access token to the client."""
    front: dict[str, str | None] = {"front-token": _front_token(token)}
    if token.mode == "header":
        return Edit({**front, "st-access-token": token.text})
    return Edit(front, Cookie(token.text, _remaining(token, token.claims["iat"] + _ACCESS_COOKIE_LIFE)))


def session_edit(token: AccessToken, issued: Mapping[str, Any]) -> Edit:
    """Sends a pair of tokens to the client, and an anti-CSRF token if the server has made one."""
    headers, access, _ = access_token_edit(token)
    if token.mode == "header":
        return Edit({**headers, "st-refresh-token": issued["refreshToken"]})
    proof = {"anti-csrf": issued["antiCsrfToken"]} if "antiCsrfToken" in issued else {}
    end = min(issued["sessionExpiresAt"] / 1000, token.claims["iat"] + _MAX_COOKIE_LIFE)
    return Edit({**headers, **proof}, access, Cookie(issued["refreshToken"], _remaining(token, end)))


def apply_edit(response: HttpResponseBase, edit: Edit, options: Options) -> None:
    """Changes a response. One with tokens is never cached."""
    if edit is PRIVATE:
        response.headers.setdefault("Cache-Control", "private")
        return
    for name, value in edit.headers.items():
        if value is None:
            del response.headers[name]
        else:
            response.headers[name] = value
            add_to_list(response, "Access-Control-Expose-Headers", [name])
    for name, path, cookie in (
        (options.access_token_cookie, "/", edit.access),
        (options.refresh_token_cookie, options.refresh_path, edit.refresh),
    ):
        if cookie is not None:
            response.set_cookie(
                name, cookie.value, max_age=cookie.max_age, expires=_NEVER if cookie.max_age == 0 else None, path=path,
                domain=options.cookie_domain, secure=options.is_secure, httponly=True,
                samesite=_SAME_SITE[options.cookie_same_site],
            )
    add_to_list(response, "Vary", ["Cookie", "Authorization"])
    response.headers["Cache-Control"] = NEVER_STORED


def set_headers_for_options_api(response: HttpResponseBase) -> None:
    """Adds what a CORS preflight must allow to the response of a view that answers preflights itself."""
    add_to_list(response, "Access-Control-Allow-Headers", REQUEST_HEADERS)
    response.headers["Access-Control-Allow-Credentials"] = "true"


def add_to_list(response: HttpResponseBase, header: str, names: Iterable[str]) -> None:
    """Adds names to a header that is a list, unless it has them. `Vary: *` stays."""
    present = [name.strip() for name in response.headers.get(header, "").split(",") if name.strip()]
    known = {name.lower() for name in present}
    missing = [name for name in names if name.lower() not in known and "*" not in known]
    if missing:
        response.headers[header] = ", ".join(present + missing)


def _remaining(token: AccessToken, end: float) -> int | None:
    is_temporary = token.own.get("tmp") is True
    return None if is_temporary else max(1, int(end - time.time()))


def _front_token(token: AccessToken) -> str:
    front = {"uid": token.claims["sub"], "ate": token.claims["exp"] * 1000, "up": token.claims}
    return b64encode(json.dumps(front, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")).decode()
