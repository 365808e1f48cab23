"""The session of a request, and what the response to the request will carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, Literal, TypeVar

from django.http import HttpRequest, HttpResponseBase

from . import management
from .errors import GeneralError, SessionNotFoundError, UnauthorizedError
from .management import Change, Json
from .native_api import asynchronous, given
from .runtime import get_runtime
from .tokens import AccessToken, RefreshToken, TransferMode, decode_unverified, issued_token, parse_refresh_token
from .wire import CLEARING, Edit, access_token_edit, apply_edit, bearer_token, read_cookies, session_edit

__all__ = ["Session"]

T = TypeVar("T")
_MAX_CANDIDATES = 4


class Exchange:
    """What calls for one request share. The middleware writes the edits to the response that the view returns."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.runtime = get_runtime()
        self.options = self.runtime.options
        # What a call has done with the session of the request; `session` is the one that it created or refreshed.
        self.change: Literal["none", "created", "refreshed", "ended"] = "none"
        self.session: Session | None = None
        # The response that the view has passed. Edits are written to it at once: decorators may read them there.
        self.response: HttpResponseBase | None = None
        self._edits: list[Edit] = []

    def send(self, edit: Edit) -> None:
        """Changes the response."""
        self._edits.append(edit)
        if self.response is not None:
            apply_edit(self.response, edit, self.options)

    def start(self, issued: Mapping[str, Any], change: Literal["created", "refreshed"]) -> Session:
        """Sends the tokens that the server has issued: the request now has their session."""
        token = issued_token(issued["accessToken"])
        if token.mode == "header" and self.access_tokens_in_cookies():
            self.send(CLEARING["cookie"])
        self.send(session_edit(token, issued))
        self.session, self.change = Session(self, token), change
        return self.session

    def end(self, mode: TransferMode) -> None:
        """Clears the client's tokens: their session has ended."""
        self.send(CLEARING[mode])
        self.session, self.change = None, "ended"

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        """Writes everything to the response that is sent."""
        for edit in self._edits:
            apply_edit(response, edit, self.options)
        return response

    def may_write(self, handle: str) -> bool:
        """Whether the response does not carry the tokens of another session, or of none."""
        return self.change == "none" or (self.session is not None and self.session.get_handle() == handle)

    def access_tokens_in_cookies(self) -> list[AccessToken]:
        """Unverified. Tokens of sessions in header mode do not count."""
        texts = read_cookies(self.request, self.options.access_token_cookie)[:_MAX_CANDIDATES]
        tokens = [token for text in texts if (token := decode_unverified(text)) is not None]
        return [token for token in tokens if token.mode == "cookie"]

    def refresh_tokens(self) -> list[RefreshToken]:
        """A bearer token in the format of a refresh token, else the cookies, the newest first.

        A cookie counts only beside an access token's cookie of the same session: a sibling domain can set the former,
        but not the latter, because of its `__Host-` prefix.
        """
        bearer = parse_refresh_token(bearer_token(self.request))
        if bearer is not None:
            return [bearer] if bearer.mode == "header" else []
        texts = read_cookies(self.request, self.options.refresh_token_cookie)[:_MAX_CANDIDATES]
        handles = {token.handle for token in self.access_tokens_in_cookies()}
        found = [token for text in texts if (token := parse_refresh_token(text)) is not None]
        ours = [token for token in found if token.handle in handles]
        return sorted(ours, key=lambda token: (token.generation, token.branch), reverse=True)

    def client(self, mode: TransferMode) -> dict[str, Any]:
        """What the server learns about the user's client: its address, its user agent, and the tokens that it needs."""
        needs_proof = mode == "cookie" and self.options.anti_csrf == "token"
        ip, user_agent = self.options.client_ip(self.request), self.request.headers.get("user-agent")
        return given({"ip": ip, "userAgent": user_agent, "antiCsrf": needs_proof})


current_exchange: ContextVar[Exchange | None] = ContextVar("keyturn_exchange", default=None)


def exchange_of(request: Any, response: HttpResponseBase | None) -> Exchange:  # noqa: ANN401 -- of any framework
    """The exchange of a request. Raises GeneralError if the middleware has not seen it."""
    exchange = getattr(getattr(request, "_request", request), "_keyturn", None)
    if request is None:
        exchange = current_exchange.get()
    if not isinstance(exchange, Exchange):
        raise GeneralError("MISUSE", 'add "keyturn.middleware.KeyturnMiddleware" to MIDDLEWARE')
    if response is not None:
        exchange.response = response
    return exchange


class Session:
    """A verified session. If a method finds that it has ended, it raises UnauthorizedError and clears the tokens.

    Each method that calls the server has an asynchronous form: `await session.aget_session_info()`.
    """

    def __init__(self, exchange: Exchange, token: AccessToken) -> None:
        self._exchange, self._token = exchange, token

    def get_user_id(self) -> str:
        return str(self._token.claims["sub"])

    def get_jwt_payload(self) -> Json:
        """The application's claims. 0 calls."""
        return self._token.payload

    def get_handle(self) -> str:
        """The public identifier of the session."""
        return self._token.handle

    def get_tenant_id(self) -> str:
        return str(self._token.own["tid"])

    def get_time_created(self) -> datetime:
        """When the user logged in, or last authenticated again."""
        return datetime.fromtimestamp(self._token.claims["auth_time"], timezone.utc)

    def get_expiry(self) -> datetime:
        """When the access token expires. The session continues if it is refreshed."""
        return datetime.fromtimestamp(self._token.claims["exp"], timezone.utc)

    def get_access_token(self) -> str:
        """The JWT, for calls of other services."""
        return self._token.text

    def get_session_info(self) -> Json:
        """The session data. 1 call."""
        return self._while_alive(lambda: management.get_session_info(self._token.handle))

    def update_session_info(self, info: Change) -> None:
        """Replaces the session data. With a function of the current data, no update of another request is lost."""
        self._while_alive(lambda: management.update_session_info(self._token.handle, info))

    def update_jwt_payload(self, jwt_payload: Mapping[str, Any]) -> None:
        """Replaces the JWT payload, in this object, in the client's access token and in later requests. 1 call."""
        runtime = self._exchange.runtime
        self._token = self._while_alive(lambda: runtime.reissue(self._token, jwtPayload=jwt_payload))
        if self._exchange.may_write(self._token.handle):
            self._exchange.send(access_token_edit(self._token))

    def revoke_session(self) -> None:
        """Revokes the session and clears the client's tokens. 1 call."""
        management.revoke_session(self._token.handle)
        self._clear()

    aget_session_info = asynchronous(get_session_info)
    aupdate_session_info = asynchronous(update_session_info)
    aupdate_jwt_payload = asynchronous(update_jwt_payload)
    arevoke_session = asynchronous(revoke_session)

    def _while_alive(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except SessionNotFoundError:
            self._exchange.runtime.feed.note_revoked(self._token.handle)
            self._clear()
            raise UnauthorizedError("the session has expired or was revoked") from None

    def _clear(self) -> None:
        if self._exchange.may_write(self._token.handle):
            self._exchange.end(self._token.mode)
