"""A login, and the verification of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from . import management
from .csrf import cross_site_request, has_custom_header, is_guarded, is_proven, may_log_in
from .errors import GeneralError, SessionError, TryRefreshTokenError, UnauthorizedError
from .exchange import Exchange, exchange_of
from .native_api import WouldBlock, asynchronous, without_waiting
from .options import Blacklisting
from .runtime import issued_token
from .session import Session
from .tokens import AccessToken, TransferMode, decode_unverified
from .wire import access_token_edit, clearing_edit, session_edit

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

NO_PROOF = 'the request has no valid anti-CSRF header, which KEYTURN["ANTI_CSRF"] requires'


def create_new_session(
    response: HttpResponseBase | None,
    user_id: str | int,
    jwt_payload: Mapping[str, Any] | None = None,
    session_info: Mapping[str, Any] | None = None,
    *,
    request: HttpRequest | None = None,
    tenant_id: str = "public",
    persistent: bool = True,
    keep_existing_session: bool = False,
    allow_cross_site_post: bool = False,
) -> Session:
    """Starts a session for a user who has just logged in, and sends its tokens to the client. 1 call; 2 if the client
    had a session before, which is revoked.

    `request`: the request of the login; by default the one that is being handled. `jwt_payload`: the application's
    claims, in every access token. `session_info`: session data, which stays on the server. `persistent=False`: the
    cookies end with the browser.
    """
    exchange = exchange_of(request)
    options, api = exchange.options, exchange.runtime.api
    wanted = (exchange.request.headers.get("st-auth-mode") or "").strip().lower()
    mode: TransferMode = "header" if wanted == "header" else "cookie"
    if mode == "cookie" and not may_log_in(exchange.request, options, allow_cross_site_post):
        raise cross_site_request(exchange.request)
    replaced = [] if keep_existing_session else _replaced_sessions(exchange)
    body = {
        "userId": str(user_id), "tenantId": tenant_id,
        "jwtPayload": jwt_payload or {}, "sessionInfo": session_info or {},
        "transferMode": mode, "persistent": persistent, "antiCsrf": mode == "cookie" and options.anti_csrf == "token",
        **exchange.client(),
    }
    issued = api.call("POST", "/v1/sessions", body)
    token = issued_token(issued["accessToken"])
    # With another issuer or audience, no token would be valid, and the client would refresh again and again.
    for setting, wanted_here, found in (
        ("ISSUER", options.issuer, token.claims.get("iss")), ("AUDIENCE", options.audience, token.claims.get("aud")),
    ):
        if wanted_here != found:
            management.revoke_session(token.handle)
            raise GeneralError("MISUSE", f'KEYTURN["{setting}"] must be that of the server, {found!r}')
    if replaced:
        try:
            management.revoke_sessions(replaced)
        except SessionError:
            # The login fails, so its session must not exist.
            management.revoke_session(token.handle)
            raise
    other: TransferMode = "cookie" if mode == "header" else "header"
    if exchange.access_tokens_in_cookies() if other == "cookie" else decode_unverified(exchange.bearer() or ""):
        exchange.send(clearing_edit(options, other), response)
    exchange.send(session_edit(options, token, issued), response)
    return adopt(exchange, token, "created", response)


@overload
def get_session(
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: Literal[True] = True, access_token_blacklisting: Blacklisting | None = None,
) -> Session: ...
@overload
def get_session(
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: bool, access_token_blacklisting: Blacklisting | None = None,
) -> Session | None: ...
def get_session(
    request: HttpRequest,
    response: HttpResponseBase | None = None,
    enable_csrf_protection: bool | None = None,
    *,
    required: bool = True,
    access_token_blacklisting: Blacklisting | None = None,
) -> Session | None:
    """Verifies the session of a request; None if there is none and it is not `required`. 0 calls; 1 with `strict`.

    `enable_csrf_protection`: whether a request with cookies must come from a trusted page. By default, requests with
    unsafe methods must. `access_token_blacklisting` overrides the setting.
    """
    exchange = exchange_of(request)
    session = _find_session(exchange, response, is_guarded(request, enable_csrf_protection), access_token_blacklisting)
    if session is None and required:
        raise UnauthorizedError("the request has no access token")
    return session


@overload
async def aget_session(
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: Literal[True] = True, access_token_blacklisting: Blacklisting | None = None,
) -> Session: ...
@overload
async def aget_session(
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: bool, access_token_blacklisting: Blacklisting | None = None,
) -> Session | None: ...
async def aget_session(
    request: HttpRequest,
    response: HttpResponseBase | None = None,
    enable_csrf_protection: bool | None = None,
    *,
    required: bool = True,
    access_token_blacklisting: Blacklisting | None = None,
) -> Session | None:
    """The asynchronous form of `get_session`. Uses a thread only if the server must be called."""
    arguments = (request, response, enable_csrf_protection)
    try:
        with without_waiting():
            return get_session(*arguments, required=required, access_token_blacklisting=access_token_blacklisting)
    except WouldBlock:
        run = asynchronous(get_session)
        return await run(*arguments, required=required, access_token_blacklisting=access_token_blacklisting)


acreate_new_session = asynchronous(create_new_session)


def _find_session(
    exchange: Exchange, response: HttpResponseBase | None, guarded: bool, blacklisting: Blacklisting | None
) -> Session | None:
    if exchange.change == "ended":
        return None
    request, options = exchange.request, exchange.options
    guarded = guarded and exchange.change != "created"
    proven = not guarded or is_proven(request, options)
    if exchange.change != "none" and exchange.session is not None:
        if not proven and exchange.session.get_handle().startswith("c"):
            raise cross_site_request(request)
        return exchange.session
    token = _find_token(exchange, proven)
    if token is None:
        return None
    checked = exchange.runtime.check(token, blacklisting)
    if checked is None:
        exchange.runtime.feed.note_revoked(token.handle)
        exchange.send(clearing_edit(options, token.mode), response)
        raise UnauthorizedError("the session has expired or was revoked")
    if guarded and token.mode == "cookie" and not has_anti_csrf_proof(exchange, checked):
        raise TryRefreshTokenError(NO_PROOF)
    exchange.prefer_private(response)
    if checked is not token:
        exchange.send(access_token_edit(options, checked), response)
    return Session(exchange, checked, response)


def _find_token(exchange: Exchange, proven: bool) -> AccessToken | None:
    """The verified access token of a request: a bearer token first, then the cookie."""
    read = exchange.runtime.verifier.read
    bearer = exchange.bearer()
    reading = None if bearer is None else read(bearer)
    if reading is not None and reading.kind != "unrecognized":
        if reading.kind != "valid" or reading.token is None:
            raise TryRefreshTokenError("the access token has expired or is invalid: refresh the session")
        if reading.token.mode != "header":
            raise UnauthorizedError("the access token of a session in cookie mode was sent in the Authorization header")
        return reading.token
    candidates = exchange.access_tokens_in_cookies()
    if not candidates:
        return None
    if not proven:
        raise cross_site_request(exchange.request)
    readings = [read(candidate.text) for candidate in candidates]
    valid = [each.token for each in readings if each.kind == "valid" and each.token is not None]
    if len({token.handle for token in valid}) > 1:
        raise TryRefreshTokenError("the request has the cookies of two active sessions")
    if valid:
        return max(valid, key=lambda token: float(token.claims["exp"]))
    if all(each.kind == "unrecognized" for each in readings):
        return None
    raise TryRefreshTokenError("the access token has expired or is invalid: refresh the session")


def has_anti_csrf_proof(exchange: Exchange, token: AccessToken) -> bool:
    match exchange.options.anti_csrf:
        case "origin":
            return True
        case "custom-header":
            return has_custom_header(exchange.request)
        case "token":
            text = exchange.request.headers.get("anti-csrf") or ""
            return text != "" and exchange.runtime.has_anti_csrf_token(token, text)


def adopt(
    exchange: Exchange, token: AccessToken, change: Literal["created", "refreshed"], response: HttpResponseBase | None
) -> Session:
    exchange.session = Session(exchange, token, response)
    exchange.change = change
    return exchange.session


def _replaced_sessions(exchange: Exchange) -> list[str]:
    """The sessions that a login replaces, by valid tokens in the request and by an earlier call."""
    read = exchange.runtime.verifier.read
    bearer = exchange.bearer()
    sent = [("cookie", each.text) for each in exchange.access_tokens_in_cookies()]
    readings = [(mode, read(text)) for mode, text in [*sent, ("header", bearer or "")]]
    valid = [(mode, each.token) for mode, each in readings if each.kind == "valid" and each.token is not None]
    found = {token.handle for mode, token in valid if token.mode == mode}
    if exchange.change != "ended" and exchange.session is not None:
        found.add(exchange.session.get_handle())
    return list(found)
