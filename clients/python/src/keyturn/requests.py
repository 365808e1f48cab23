"""The calls with a request: a login, the verification of a session, a refresh and a sign-out."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, overload

from django.http import HttpRequest, HttpResponseBase

from . import errors, management
from .csrf import classify_origin, cross_site_request, is_guarded, is_proven, may_log_in, required_proof
from .native_api import asynchronous, without_blocking
from .options import Blacklisting
from .session import Exchange, Session, exchange_of
from .signals import token_theft_detected
from .tokens import AccessToken, RefreshToken, decode_unverified, issued_token, mode_of, parse_refresh_token
from .wire import CLEARING, NO_SESSION, PRIVATE, access_token_edit, bearer_token, wanted_mode

__all__ = [
    "acreate_new_session", "aget_session", "arefresh_session", "asign_out", "create_new_session", "get_session",
    "refresh_session", "sign_out",
]

_NO_PROOF = 'the request has no valid anti-CSRF header, which KEYTURN["ANTI_CSRF"] requires'
_WRONG_PLACE = "a token of a session in cookie mode was sent in the Authorization header"
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
    exchange = exchange_of(request, response)
    request, options = exchange.request, exchange.options
    mode = wanted_mode(request)
    if mode == "cookie" and not may_log_in(request, options, allow_cross_site_post):
        raise cross_site_request(request)
    replaced = [] if keep_existing_session else _replaced_sessions(exchange)
    issued = exchange.runtime.api.call("POST", "/v1/sessions", {
        "userId": str(user_id), "tenantId": tenant_id, "transferMode": mode, "persistent": persistent,
        "jwtPayload": jwt_payload or {}, "sessionInfo": session_info or {}, **exchange.client(mode),
    })
    token = issued_token(issued["accessToken"])
    try:
        # With another issuer or audience, no token would be valid, and the client would refresh again and again.
        for setting, ours, claim in (("ISSUER", options.issuer, "iss"), ("AUDIENCE", options.audience, "aud")):
            if ours != token.claims.get(claim):
                words = f'KEYTURN["{setting}"] must be that of the server, {token.claims.get(claim)!r}'
                raise errors.GeneralError("MISUSE", words)
        if replaced:
            management.revoke_sessions(replaced)
    except errors.SessionError:
        # The login fails, so its session must not exist.
        management.revoke_session(token.handle)
        raise
    if mode == "cookie" and decode_unverified(bearer_token(request)) is not None:
        exchange.send(CLEARING["header"])
    return exchange.start(issued, "created")


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
    exchange = exchange_of(request, response)
    session = _find_session(exchange, is_guarded(request, enable_csrf_protection), access_token_blacklisting)
    if session is None and required:
        raise errors.UnauthorizedError("the request has no access token")
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
async def aget_session(*arguments: Any, **options: Any) -> Session | None:
    """The asynchronous form of `get_session`. Uses a thread only if the server must be called."""
    return await without_blocking(partial(get_session, *arguments, **options))


def refresh_session(request: HttpRequest, response: HttpResponseBase | None = None) -> Session:
    """Exchanges the refresh token of a request. The middleware does it at `BASE_PATH` + `/session/refresh`. 1 call.

    If it fails, clears the client's tokens only if they can never be used again.
    """
    exchange = exchange_of(request, response)
    if exchange.change == "ended":
        raise errors.UnauthorizedError("the session of this request was revoked")
    if exchange.session is not None and exchange.change == "created":
        return exchange.session
    tokens = exchange.refresh_tokens()
    if not tokens:
        if classify_origin(request, exchange.options) == "untrusted":
            raise cross_site_request(request)
        exchange.send(NO_SESSION)
        raise errors.UnauthorizedError("the request has no refresh token")
    if tokens[0].mode == "cookie":
        if not is_proven(request, exchange.options):
            raise cross_site_request(request)
        if len({token.handle for token in tokens}) > 1:
            raise errors.UnauthorizedError("the request has refresh tokens of several sessions")
        if required_proof(request, exchange.options) == "":
            raise errors.UnauthorizedError(_NO_PROOF)
    # The client does not have the new refresh token yet, so there is nothing to rotate.
    if exchange.session is not None:
        return exchange.session
    return _rotate(exchange, tokens)


def sign_out(request: HttpRequest, response: HttpResponseBase | None = None) -> bool:
    """Revokes the session of a request and clears its tokens. Returns whether there was one. 1 call.

    Accepts an access token that has expired, or a refresh token: the user must be able to leave.
    """
    exchange = exchange_of(request, response)
    session = None
    if exchange.change == "none":
        refresh_token = parse_refresh_token(bearer_token(exchange.request))
        if refresh_token is not None:
            if refresh_token.mode != "header":
                raise errors.UnauthorizedError(_WRONG_PLACE)
            exchange.runtime.api.call("POST", "/v1/revoke", form={"token": refresh_token.text}, repeatable=True)
            exchange.end("header")
            return True
        session = _find_expired(exchange)
    session = session or get_session(request, response, enable_csrf_protection=True, required=False)
    if session is not None:
        session.revoke_session()
    return session is not None


acreate_new_session = asynchronous(create_new_session)
arefresh_session = asynchronous(refresh_session)
asign_out = asynchronous(sign_out)


def _find_session(exchange: Exchange, guarded: bool, blacklisting: Blacklisting | None) -> Session | None:
    if exchange.change == "ended":
        return None
    guarded = guarded and exchange.change != "created"
    proven = not guarded or is_proven(exchange.request, exchange.options)
    if exchange.session is not None:
        if not proven and mode_of(exchange.session.get_handle()) == "cookie":
            raise cross_site_request(exchange.request)
        return exchange.session
    token = _find_token(exchange, proven)
    if token is None:
        return None
    checked = exchange.runtime.check(token, blacklisting)
    if checked is None:
        exchange.runtime.feed.note_revoked(token.handle)
        exchange.send(CLEARING[token.mode])
        raise errors.UnauthorizedError("the session has expired or was revoked")
    if guarded and token.mode == "cookie" and not _has_anti_csrf_proof(exchange, checked):
        raise errors.TryRefreshTokenError(_NO_PROOF)
    exchange.send(PRIVATE)
    if checked is not token:
        exchange.send(access_token_edit(checked))
    return Session(exchange, checked)


def _find_token(exchange: Exchange, proven: bool) -> AccessToken | None:
    """The verified access token of a request: a bearer token first, then the cookie."""
    judge = exchange.runtime.judge
    bearer = decode_unverified(bearer_token(exchange.request))
    if bearer is not None:
        if judge(bearer) != "valid":
            raise errors.TryRefreshTokenError(_EXPIRED)
        if bearer.mode != "header":
            raise errors.UnauthorizedError(_WRONG_PLACE)
        return bearer
    tokens = exchange.access_tokens_in_cookies()
    if not tokens:
        return None
    if not proven:
        raise cross_site_request(exchange.request)
    valid = [token for token in tokens if judge(token) == "valid"]
    if not valid:
        raise errors.TryRefreshTokenError(_EXPIRED)
    if len({token.handle for token in valid}) > 1:
        raise errors.TryRefreshTokenError("the request has the cookies of two active sessions")
    return max(valid, key=lambda token: float(token.claims["exp"]))


def _has_anti_csrf_proof(exchange: Exchange, token: AccessToken) -> bool:
    proof = required_proof(exchange.request, exchange.options)
    if proof and exchange.options.anti_csrf == "token":
        return exchange.runtime.has_anti_csrf_token(token, proof)
    return proof != ""


def _replaced_sessions(exchange: Exchange) -> list[str]:
    """The sessions that a login replaces, by valid tokens in the request and by an earlier call."""
    tokens = exchange.access_tokens_in_cookies()
    bearer = decode_unverified(bearer_token(exchange.request))
    if bearer is not None and bearer.mode == "header":
        tokens.append(bearer)
    found = {token.handle for token in tokens if exchange.runtime.judge(token) == "valid"}
    if exchange.session is not None:
        found.add(exchange.session.get_handle())
    return list(found)


def _rotate(exchange: Exchange, tokens: list[RefreshToken]) -> Session:
    """Exchanges the first of the tokens of a session that the server accepts."""
    mode, handle = tokens[0].mode, tokens[0].handle
    body = exchange.client(mode)
    if body["antiCsrf"]:
        body["antiCsrfToken"] = required_proof(exchange.request, exchange.options)
    for token in tokens:
        try:
            issued = exchange.runtime.api.call("POST", "/v1/sessions/refresh", {**body, "refreshToken": token.text})
        except errors.TokenTheftDetectedError as theft:
            exchange.runtime.feed.note_revoked(theft.handle)
            exchange.end(mode)
            token_theft_detected.send(sender=Session, user_id=theft.user_id, handle=theft.handle)
            raise
        except errors.UnauthorizedError:
            continue
        return exchange.start(issued, "refreshed")
    # Tokens that can never be used again are cleared: they are ours, and their session is gone.
    issuers = {token.claims.get("iss") for token in exchange.access_tokens_in_cookies() if token.handle == handle}
    if (mode == "header" or issuers == {exchange.options.issuer}) and exchange.runtime.is_gone(handle):
        exchange.end(mode)
    else:
        exchange.send(NO_SESSION)
    raise errors.UnauthorizedError("the refresh token is invalid, or its session has expired or was revoked")


def _find_expired(exchange: Exchange) -> Session | None:
    """The session of a token whose only fault is its age, if its request may use it."""
    bearer = decode_unverified(bearer_token(exchange.request))
    tokens = exchange.access_tokens_in_cookies() if bearer is None else [bearer]
    judged = [(token, exchange.runtime.judge(token)) for token in tokens]
    expired = {token.handle: token for token, verdict in judged if verdict == "expired"}
    if len(expired) != 1 or any(verdict == "valid" for _, verdict in judged):
        return None
    [token] = expired.values()
    if bearer is None:
        may_use = is_proven(exchange.request, exchange.options) and _has_anti_csrf_proof(exchange, token)
    else:
        may_use = token.mode == "header"
    return Session(exchange, token) if may_use else None
