"""A refresh and a sign-out: what the middleware serves below `BASE_PATH`."""

from django.http import HttpRequest, HttpResponseBase

from . import management
from .csrf import classify_origin, cross_site_request, has_custom_header, is_proven
from .errors import GeneralError, SessionNotFoundError, TokenTheftDetectedError, UnauthorizedError
from .exchange import Exchange, exchange_of
from .native_api import asynchronous
from .requests import NO_PROOF, adopt, get_session, has_anti_csrf_proof
from .runtime import issued_token
from .session import Session
from .signals import token_theft_detected
from .tokens import AccessToken, RefreshToken, TransferMode, mode_of, parse_refresh_token
from .wire import NO_SESSION, clearing_edit, session_edit

__all__ = ["arefresh_session", "asign_out", "refresh_session", "sign_out"]


def refresh_session(request: HttpRequest, response: HttpResponseBase | None = None) -> Session:
    """Exchanges the refresh token of a request. The middleware does it at `BASE_PATH` + `/session/refresh`. 1 call.

    If it fails, clears the client's tokens only if they can never be used again.
    """
    exchange = exchange_of(request)
    options = exchange.options
    if exchange.change == "ended":
        raise UnauthorizedError("the session of this request was revoked")
    if exchange.change == "created" and exchange.session is not None:
        return exchange.session
    mode, tokens = exchange.refresh_tokens()
    tokens = [token for token in tokens if mode_of(token.handle) == mode]
    is_cross_site = not is_proven(request, options) if mode == "cookie" and tokens else (
        not tokens and classify_origin(request, options) == "untrusted")
    if is_cross_site:
        raise cross_site_request(request)
    if not tokens:
        exchange.send(NO_SESSION, response)
        raise UnauthorizedError("the request has no refresh token")
    proof = None
    if mode == "cookie":
        if len({token.handle for token in tokens}) > 1:
            raise UnauthorizedError("the request has refresh tokens of several sessions")
        proof = request.headers.get("anti-csrf") if options.anti_csrf == "token" else None
        has_header = has_custom_header(request) if options.anti_csrf == "custom-header" else bool(proof)
        if options.anti_csrf != "origin" and not has_header:
            raise UnauthorizedError(NO_PROOF)
    # The client does not have the new refresh token yet, so there is nothing to rotate.
    if exchange.change == "refreshed" and exchange.session is not None:
        return exchange.session
    return _exchange_refresh_token(exchange, mode, tokens, proof, response)


def sign_out(request: HttpRequest, response: HttpResponseBase | None = None) -> bool:
    """Revokes the session of a request and clears its tokens. Returns whether there was one. 1 call.

    Accepts an access token that has expired, or a refresh token: the user must be able to leave.
    """
    exchange = exchange_of(request)
    session = None
    if exchange.change == "none":
        refresh_token = parse_refresh_token(exchange.bearer() or "")
        if refresh_token is not None:
            if mode_of(refresh_token.handle) != "header":
                raise UnauthorizedError("a token of a session in cookie mode was sent in the Authorization header")
            exchange.runtime.api.call("POST", "/v1/revoke", form={"token": refresh_token.text}, repeatable=True)
            exchange.end("header", response)
            return True
        expired = _identify_expired(exchange)
        session = None if expired is None else Session(exchange, expired, response)
    session = session or get_session(request, response, enable_csrf_protection=True, required=False)
    if session is not None:
        session.revoke_session()
    return session is not None


arefresh_session = asynchronous(refresh_session)
asign_out = asynchronous(sign_out)


def _exchange_refresh_token(
    exchange: Exchange, mode: TransferMode, tokens: list[RefreshToken], proof: str | None,
    response: HttpResponseBase | None,
) -> Session:
    options = exchange.options
    body = {**exchange.client(), "antiCsrf": mode == "cookie" and options.anti_csrf == "token"}
    if proof is not None:
        body["antiCsrfToken"] = proof
    for token in tokens:
        try:
            issued = exchange.runtime.api.call("POST", "/v1/sessions/refresh", {**body, "refreshToken": token.text})
        except TokenTheftDetectedError as theft:
            exchange.runtime.feed.note_revoked(theft.handle)
            exchange.end(mode, response)
            token_theft_detected.send(sender=Session, user_id=theft.user_id, handle=theft.handle)
            raise
        except UnauthorizedError:
            continue
        access = issued_token(issued["accessToken"])
        if mode == "header" and exchange.access_tokens_in_cookies():
            exchange.send(clearing_edit(options, "cookie"), response)
        exchange.send(session_edit(options, access, issued), response)
        return adopt(exchange, access, "refreshed", response)
    if _has_ended(exchange, mode, tokens[0].handle):
        exchange.end(mode, response)
    else:
        exchange.send(NO_SESSION, response)
    raise UnauthorizedError("the refresh token is invalid, or its session has expired or was revoked")


def _has_ended(exchange: Exchange, mode: TransferMode, handle: str) -> bool:
    """Whether the tokens of a refused refresh can never be used again: they are ours, and their session is gone."""
    issuers = {token.claims.get("iss") for token in exchange.access_tokens_in_cookies() if token.handle == handle}
    if mode == "cookie" and issuers != {exchange.options.issuer}:
        return False
    try:
        management.get_session_by_handle(handle)
    except SessionNotFoundError:
        return True
    except GeneralError:
        return False
    return False


def _identify_expired(exchange: Exchange) -> AccessToken | None:
    """The token of a sign-out whose only fault is its age, if its request may use it."""
    bearer = exchange.bearer()
    texts = [each.text for each in exchange.access_tokens_in_cookies()] if bearer is None else [bearer]
    readings = [exchange.runtime.verifier.read(text) for text in texts]
    expired = {each.token.handle: each.token for each in readings if each.kind == "expired" and each.token is not None}
    if len(expired) != 1 or any(each.kind == "valid" for each in readings):
        return None
    [token] = expired.values()
    if token.mode != ("cookie" if bearer is None else "header"):
        return None
    is_proof = token.mode == "header" or (
        is_proven(exchange.request, exchange.options) and has_anti_csrf_proof(exchange, token))
    return token if is_proof else None
