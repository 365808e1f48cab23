"""A request that the middleware has seen, and what its response will carry."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from django.http import HttpRequest, HttpResponseBase

from .errors import GeneralError
from .runtime import get_runtime
from .tokens import AccessToken, RefreshToken, TransferMode, decode_unverified, parse_refresh_token
from .wire import Edit, apply_edit, bearer_token, clearing_edit, read_cookies

if TYPE_CHECKING:
    from .session import Session

_MAX_CANDIDATES = 4

current_exchange: ContextVar[Exchange | None] = ContextVar("keyturn_exchange", default=None)


class Exchange:
    """What calls for one request share. The middleware writes the edits to the response that the view returns."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.runtime = get_runtime()
        self.options = self.runtime.options
        self.session: Session | None = None
        # What a call has done with the session of the request.
        self.change: Literal["none", "created", "refreshed", "ended"] = "none"
        self._edits: list[Edit] = []

    def send(self, edit: Edit, response: HttpResponseBase | None) -> None:
        """Notes a change of the response. It is written to `response` at once: decorators may read it there."""
        self._edits.append(edit)
        if response is not None:
            apply_edit(response, edit, self.options)

    def end(self, mode: TransferMode, response: HttpResponseBase | None) -> None:
        """Clears the client's tokens: their session has ended."""
        self.send(clearing_edit(self.options, mode), response)
        self.change = "ended"

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        """Writes everything to the response that is sent."""
        for edit in self._edits:
            apply_edit(response, edit, self.options)
        return response

    def may_write(self, handle: str) -> bool:
        """Whether the response does not carry the tokens of another session, or of none."""
        other = self.session
        return self.change == "none" or (self.change != "ended" and other is not None and other.get_handle() == handle)

    def bearer(self) -> str | None:
        return bearer_token(self.request)

    def access_tokens_in_cookies(self) -> list[AccessToken]:
        """Unverified. Tokens of sessions in header mode do not count."""
        texts = read_cookies(self.request, self.options.access_token_cookie)[:_MAX_CANDIDATES]
        tokens = [token for text in texts if (token := decode_unverified(text)) is not None]
        return [token for token in tokens if token.mode == "cookie"]

    def refresh_tokens(self) -> tuple[TransferMode, list[RefreshToken]]:
        """A bearer token in the format of a refresh token, else the cookies, the newest first.

        A cookie counts only beside an access token's cookie of the same session: a sibling domain can set the former,
        but not the latter, because of its `__Host-` prefix.
        """
        bearer = parse_refresh_token(self.bearer() or "")
        if bearer is not None:
            return "header", [bearer]
        texts = read_cookies(self.request, self.options.refresh_token_cookie)[:_MAX_CANDIDATES]
        handles = {token.handle for token in self.access_tokens_in_cookies()}
        found = [token for text in texts if (token := parse_refresh_token(text)) is not None]
        ours = [token for token in found if token.handle in handles]
        return "cookie", sorted(ours, key=lambda token: (token.generation, token.branch), reverse=True)

    def client(self) -> dict[str, Any]:
        """The address and the user agent of the user's client, for the server."""
        ip, user_agent = self.options.client_ip(self.request), self.request.headers.get("user-agent")
        return {name: value for name, value in (("ip", ip), ("userAgent", user_agent)) if value is not None}


def exchange_of(request: Any) -> Exchange:  # noqa: ANN401 -- also a request of Django REST framework
    """The exchange of a request. Raises GeneralError if the middleware has not seen it."""
    exchange = getattr(getattr(request, "_request", request), "_keyturn", None)
    if request is None:
        exchange = current_exchange.get()
    if isinstance(exchange, Exchange):
        return exchange
    raise GeneralError("MISUSE", 'add "keyturn.middleware.KeyturnMiddleware" to MIDDLEWARE')
