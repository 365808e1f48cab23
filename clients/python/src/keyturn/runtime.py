"""What all requests of a process share. It is made by the first one, and again in each process that is forked."""

import os
import threading
import time

from django.conf import settings
from django.core.signals import setting_changed

from .errors import GeneralError, SessionNotFoundError, TryRefreshTokenError
from .feed import Confirmations, Feed
from .native_api import NativeApi
from .options import Blacklisting, Options, load_options
from .tokens import AccessToken, KeySet, Verdict, issued_token, judge_token

# How long a verification waits for the server, and how long the server is then left alone.
_PATIENCE = 1.0
_PAUSE = 3.0
_FAILURES = 3
_MAX_PROOFS = 10_000


class Runtime:
    """The client of the server with its keys and its feed."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.api = NativeApi(options)
        self._keys = KeySet(self.api)
        self.feed = Feed(self.api, options.max_staleness, self._keys.expire)
        self._confirmations = Confirmations(self.api)
        self._failures = 0
        self._paused_until = 0.0
        self._proofs: set[tuple[str, str]] = set()

    def judge(self, token: AccessToken) -> Verdict:
        """Verifies a token with the keys of the server."""
        key = self._keys.find(str(token.header.get("kid")))
        return "invalid" if key is None else judge_token(token, key, self.options)

    def check(self, token: AccessToken, blacklisting: Blacklisting | None) -> AccessToken | None:
        """Checks a verified token for revocation. Returns it, or its successor if the session's JWT payload was changed
        elsewhere, or None if the session was revoked."""
        mode = blacklisting or self.options.access_token_blacklisting
        self._confirmations.observe(token)
        if mode == "off":
            return token
        is_old = False
        if mode == "feed":
            is_fresh = self.feed.is_fresh()
            if self.feed.is_revoked(token.handle):
                return None
            is_old = self.feed.payload_version(token.handle) > token.own["pv"]
            if is_fresh and not is_old:
                return token
        try:
            answer = self._introspect(token)
        except GeneralError:
            # What the feed knows counts: a payload that was replaced is not served.
            if mode == "strict" or is_old or self.options.on_server_failure == "failClosed":
                raise
            return token
        if not answer["active"]:
            # An expired token is not active either, and the clock of the server may be ahead.
            if not self.is_gone(token.handle):
                raise TryRefreshTokenError("the access token has expired: refresh the session")
            return None
        if not is_old and answer["payload"] == token.payload:
            return token
        try:
            return self.reissue(token)
        except SessionNotFoundError:
            return None

    def reissue(self, token: AccessToken, **changes: object) -> AccessToken:
        """A new access token of a session, with its JWT payload, which may be changed."""
        answer = self.api.call("PATCH", f"/v1/sessions/{token.handle}", {**changes, "accessToken": token.text})
        return issued_token(answer["accessToken"])

    def is_gone(self, handle: str) -> bool:
        """Whether the server has no such session. False if it does not answer."""
        try:
            self.api.call("GET", f"/v1/sessions/{handle}", repeatable=True)
        except SessionNotFoundError:
            return True
        except GeneralError:
            pass
        return False

    def has_anti_csrf_token(self, token: AccessToken, text: str) -> bool:
        """Whether an anti-CSRF token belongs to the session. One call for each anti-CSRF token and process."""
        proof = (token.handle, text)
        if proof in self._proofs:
            return True
        if not self.api.introspect(token.text, anti_csrf_token=text)["active"]:
            return False
        if len(self._proofs) >= _MAX_PROOFS:
            self._proofs.clear()
        self._proofs.add(proof)
        return True

    def _introspect(self, token: AccessToken) -> dict[str, object]:
        began = time.monotonic()
        if began < self._paused_until:
            raise GeneralError("STORE_UNAVAILABLE", "the session server failed a moment ago")
        try:
            answer = self.api.introspect(token.text, timeout=min(_PATIENCE, self.options.timeout))
        except GeneralError:
            self._failures += 1
            now = time.monotonic()
            if self._failures >= _FAILURES or now - began >= _PATIENCE:
                self._paused_until = now + _PAUSE
            raise
        self._failures = 0
        return answer


_runtime: Runtime | None = None
_lock = threading.Lock()


def get_runtime() -> Runtime:
    """The runtime of this process, from the setting `KEYTURN`."""
    global _runtime  # noqa: PLW0603
    with _lock:
        if _runtime is None:
            _runtime = Runtime(load_options(getattr(settings, "KEYTURN", {})))
        return _runtime


def _forget(*, setting: str = "KEYTURN", **_: object) -> None:
    """Begins anew: the settings have changed, or this is a forked process, which has the parent's connections, but not
    its threads."""
    global _runtime, _lock
    if setting == "KEYTURN":
        _runtime, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
setting_changed.connect(_forget, dispatch_uid="keyturn")
