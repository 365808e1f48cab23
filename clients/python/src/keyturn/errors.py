"""The errors that Keyturn raises. No message contains a token, a cookie or a key."""

from typing import Literal

__all__ = [
    "CrossSiteRequestError", "GeneralError", "InvalidDataError", "SessionError", "SessionNotFoundError",
    "TokenTheftDetectedError", "TryRefreshTokenError", "UnauthorizedError",
]

GeneralErrorCode = Literal["STORE_UNAVAILABLE", "REFRESH_BUSY", "MISUSE"]


class SessionError(Exception):
    """The base of every error of Keyturn. The middleware answers each of them."""

    code: str = ""
    """Stable across versions. Compare codes, not messages."""


class UnauthorizedError(SessionError):
    """There is no session, or it has expired or was revoked: the user must log in again."""

    code = "UNAUTHORIZED"


class TryRefreshTokenError(SessionError):
    """The access token has expired or is invalid: the client must refresh the session, then repeat the request."""

    code = "TRY_REFRESH_TOKEN"


class TokenTheftDetectedError(SessionError):
    """Two parties used a refresh token. The session has been revoked for both."""

    code = "TOKEN_THEFT_DETECTED"

    def __init__(self, user_id: str, handle: str) -> None:
        super().__init__("a refresh token was used by two parties; the session has been revoked")
        self.user_id, self.handle = user_id, handle

    def get_user_id(self) -> str:
        return self.user_id

    def get_session_handle(self) -> str:
        return self.handle


class CrossSiteRequestError(SessionError):
    """The request came from another site. No session and no cookie was changed."""

    code = "CROSS_SITE_REQUEST"


class SessionNotFoundError(SessionError):
    """The session of a handle does not exist, has expired or was revoked."""

    code = "SESSION_NOT_FOUND"


class InvalidDataError(SessionError):
    """The server refused an argument: a user id, a JWT payload or session data. Nothing was stored."""

    code = "INVALID_DATA"


class GeneralError(SessionError):
    """Keyturn could not answer. This is never a logout: no session is revoked and no cookie is cleared.

    `code` is `STORE_UNAVAILABLE` (the server or its store failed), `REFRESH_BUSY` (the client must wait `retry_after`
    seconds, then refresh again) or `MISUSE` (a setting or an argument is invalid; the message says what to change).
    """

    def __init__(self, code: GeneralErrorCode, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.code, self.retry_after = code, retry_after
