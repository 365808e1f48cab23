"""Authentication for Django REST framework."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .errors import UnauthorizedError
from .requests import get_session
from .session import Session


class SessionUser:
    """The user of a session, known by id only: no database is asked."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, user_id: str) -> None:
        self.pk = self.id = user_id

    def __str__(self) -> str:
        return self.pk


class SessionAuthentication(BaseAuthentication):
    """`request.user` is a SessionUser, and `request.auth` the Session. Override `get_user` to load your own users."""

    def authenticate(self, request: Request) -> tuple[Any, Session] | None:
        session = get_session(request._request, required=False)
        return None if session is None else (self.get_user(session), session)

    def get_user(self, session: Session) -> Any:  # noqa: ANN401 -- the user of any application
        return SessionUser(session.get_user_id())

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Called for a request that a permission refuses because nobody is logged in. The framework would answer with
        its own status and message; the middleware answers this error as front ends expect it."""
        raise UnauthorizedError("the request has no session")
