"""A login, and the verification of a request."""

from collections.abc import Mapping
from typing import Any, Literal, overload

from django.http import HttpRequest, HttpResponseBase

from . import management
from .csrf import cross_site_request, has_custom_header, is_guarded, is_proven, may_log_in
from .errors import GeneralError, SessionError, TryRefreshTokenError, UnauthorizedError
from .exchange import Exchange, exchange_of
from .native_api import WouldBlock, asynchronous, without_waiting
from .options import Blacklisting
from .runtime import issued_token
from .session import Session
from .tokens import AccessToken, TransferMode, decode_unverified
from .wire import PRIVATE, access_token_edit, clearing_edit, session_edit

__all__ = ["acreate_new_session", "aget_session", "create_new_session", "get_session"]

NO_PROOF = 'the request has no valid anti-CSRF header, which KEYTURN["ANTI_CSRF"] requires'
_EXPIRED = "the access token has expired or is invalid: refresh the session"


def create_new_session(
    response: HttpResponseBase | None, user_id: str | int, jwt_payload: Mapping[str, Any] | None = None,
    session_info: Mapping[str, Any] | None = None, *, request: HttpRequest | None = None, tenant_id: str = "public",
    persistent: bool = True, keep_existing_session: bool = False, allow_cross_site_post: bool = False,
) -> Session:
    """Starts a session for a user who has just logged in, and sends its tokens to the client. 1 call; 2 if the client
    had a session before, which is revoked.

    `request`: the request of the login; by default the one that is being handled. `jwt_payload`: the application's
    claims, in every access token. `session_info`: session data, which stays on the server. `persistent=False`: the
    cookies end with the browser.
    """
    exchange = exchange_of(request)
    options = exchange.options
    wanted = (exchange.request.headers.get("st-auth-mode") or "").strip().lower()
    mode: TransferMode = "header" if wanted == "header" else "cookie"
    if mode == "cookie" and not may_log_in(exchange.request, options, allow_cross_site_post):
        raise cross_site_request(exchange.request)
    replaced = [] if keep_existing_session else _replaced_sessions(exchange)
    issued = exchange.runtime.api.call("POST", "/v1/sessions", {
        "userId": str(user_id), "tenantId": tenant_id, "transferMode": mode,
        "jwtPayload": jwt_payload or {}, "sessionInfo": session_info or {},
        "persistent": persistent, "antiCsrf": mode == "cookie" and options.anti_csrf == "token",
        **exchange.client(),
    })
    token = issued_token(issued["accessToken"])
    try:
        # With another issuer or audience, no token would be valid, and the client would refresh again and again.
        for setting, ours, claim in (("ISSUER", options.issuer, "iss"), ("AUDIENCE", options.audience, "aud")):
            if ours != token.claims.get(claim):
                words = f'KEYTURN["{setting}"] must be that of the server, {token.claims.get(claim)!r}'
                raise GeneralError("MISUSE", words)
        if replaced:
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
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: bool = True, access_token_blacklisting: Blacklisting | None = None,
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
    request: HttpRequest, response: HttpResponseBase | None = None, enable_csrf_protection: bool | None = None,
    *, required: bool = True, access_token_blacklisting: Blacklisting | None = None,
) -> Session | None:
    """The asynchronous form of `get_session`. Uses a thread only if the server must be called."""
    def get() -> Session | None:
        return get_session(
            request, response, enable_csrf_protection,
            required=required, access_token_blacklisting=access_token_blacklisting,
        )
    try:
        with without_waiting():
            return get()
    except WouldBlock:
        return await asynchronous(get)()


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
    exchange.send(PRIVATE, response)
    if checked is not token:
        exchange.send(access_token_edit(options, checked), response)
    return Session(exchange, checked, response)


def _find_token(exchange: Exchange, proven: bool) -> AccessToken | None:
    """The verified access token of a request: a bearer token first, then the cookie."""
    read = exchange.runtime.verifier.read
    kind, token = read(exchange.bearer() or "")
    if kind != "unrecognized":
        if kind != "valid" or token is None:
            raise TryRefreshTokenError(_EXPIRED)
        if token.mode != "header":
            raise UnauthorizedError("the access token of a session in cookie mode was sent in the Authorization header")
        return token
    candidates = exchange.access_tokens_in_cookies()
    if candidates and not proven:
        raise cross_site_request(exchange.request)
    readings = [read(candidate.text) for candidate in candidates]
    valid = [each.token for each in readings if each.kind == "valid" and each.token is not None]
    if len({token.handle for token in valid}) > 1:
        raise TryRefreshTokenError("the request has the cookies of two active sessions")
    if valid:
        return max(valid, key=lambda token: float(token.claims["exp"]))
    if all(each.kind == "unrecognized" for each in readings):
        return None
    raise TryRefreshTokenError(_EXPIRED)


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
    exchange.session, exchange.change = Session(exchange, token, response), change
    return exchange.session


def _replaced_sessions(exchange: Exchange) -> list[str]:
    """The sessions that a login replaces, by valid tokens in the request and by an earlier call."""
    read = exchange.runtime.verifier.read
    readings = [read(each.text) for each in exchange.access_tokens_in_cookies()]
    bearer = read(exchange.bearer() or "")
    readings += [bearer] if bearer.token is not None and bearer.token.mode == "header" else []
    found = {each.token.handle for each in readings if each.kind == "valid" and each.token is not None}
    if exchange.change != "ended" and exchange.session is not None:
        found.add(exchange.session.get_handle())
    return list(found)
