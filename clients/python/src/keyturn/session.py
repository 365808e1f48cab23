"""The session of a request."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from django.http import HttpResponseBase

from . import management
from .errors import SessionNotFoundError, UnauthorizedError
from .exchange import Exchange
from .management import Change, Json
from .native_api import asynchronous
from .runtime import issued_token
from .tokens import AccessToken
from .wire import access_token_edit

__all__ = ["Session"]

T = TypeVar("T")


class Session:
    """A verified session. If a method finds that it has ended, it raises UnauthorizedError and clears the tokens.

    Each method that calls the server has an asynchronous form: `await session.aget_session_info()`.
    """

    def __init__(self, exchange: Exchange, token: AccessToken, response: HttpResponseBase | None) -> None:
        self._exchange, self._token, self._response = exchange, token, response

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
        body = {"jwtPayload": jwt_payload, "accessToken": self._token.text}
        api = self._exchange.runtime.api
        answer = self._while_alive(lambda: api.call("PATCH", f"/v1/sessions/{self._token.handle}", body))
        self._token = issued_token(answer["accessToken"])
        if self._exchange.may_write(self._token.handle):
            self._exchange.send(access_token_edit(self._exchange.options, self._token), self._response)

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
            self._exchange.end(self._token.mode, self._response)
