"""Access tokens: JWTs of the type `at+jwt`, verified in this process with the key set of the server."""

import random
import re
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jwt
from jwt.api_jwt import decode_complete

from .errors import GeneralError
from .native_api import NativeApi, refuse_to_wait
from .options import Options

_MAX_LENGTH = 8192
_MAX_AGE = 86_400
_CLOCK_TOLERANCE = 5
_FRESH = 60.0
_RETRY = 5.0
_FIRST_RETRY = 1.0
_ALGORITHMS = {"ES256", "EdDSA", "RS256"}
_HANDLE = re.compile(r"[ch][A-Za-z0-9_-]{22}")
_REFRESH_TOKEN = re.compile(
    r"kt1\.[A-Za-z0-9_-]{16}\.([ch][A-Za-z0-9_-]{22})\.(\d{1,10})\.(\d{1,10})(?:\.[A-Za-z0-9_-]{43}){3}"
)
_RESERVED = {"iss", "sub", "sid", "aud", "exp", "iat", "nbf", "jti", "cnf", "typ", "auth_time", "keyturn"}

TransferMode = Literal["cookie", "header"]


@dataclass(frozen=True)
class AccessToken:
    """An access token with its header and its claims."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def handle(self) -> str:
        return str(self.claims["sid"])

    @property
    def mode(self) -> TransferMode:
        return mode_of(self.handle)

    @property
    def own(self) -> dict[str, Any]:
        """The claims that are only for Keyturn."""
        own: dict[str, Any] = self.claims["keyturn"]
        return own

    @property
    def payload(self) -> dict[str, Any]:
        return {name: value for name, value in self.claims.items() if name not in _RESERVED}


class Reading(NamedTuple):
    """The result of reading a text: `unrecognized` if it is no access token of Keyturn."""

    kind: Literal["valid", "expired", "invalid", "unrecognized"]
    token: AccessToken | None = None


class RefreshToken(NamedTuple):
    """A text in the format of a refresh token."""

    text: str
    handle: str
    generation: int
    branch: int


def mode_of(handle: str) -> TransferMode:
    """How a session's tokens are sent: the first letter of its handle says it."""
    return "cookie" if handle.startswith("c") else "header"


def parse_refresh_token(text: str) -> RefreshToken | None:
    found = _REFRESH_TOKEN.fullmatch(text)
    return None if found is None else RefreshToken(text, found[1], int(found[2]), int(found[3]))


def decode_unverified(text: str) -> AccessToken | None:
    """The claims of an access token, unverified: to compare, never to authorize. None if it is no such token."""
    try:
        found = decode_complete(text, options={"verify_signature": False}) if len(text) <= _MAX_LENGTH else None
    except (jwt.InvalidTokenError, RecursionError):
        return None
    claims = {} if found is None else found["payload"]
    sid = claims.get("sid")
    is_ours = isinstance(claims.get("keyturn"), dict) and isinstance(sid, str) and _HANDLE.fullmatch(sid)
    return AccessToken(text, found["header"], claims) if found is not None and is_ours else None


class KeySet:
    """The public keys of the server: cached for a minute, fetched by one thread at a time."""

    def __init__(self, api: NativeApi) -> None:
        self._api = api
        self._keys: dict[str, tuple[str, Any]] | None = None
        self._read_at = self._tried_at = float("-inf")
        # Processes that started together must not all fetch in the same second.
        self._fresh_for = _FRESH * random.uniform(0.8, 1)  # noqa: S311
        self._lock = threading.Lock()

    def find(self, kid: str) -> tuple[str, Any] | None:
        """The algorithm and the key of this id. An unknown id causes a fetch, but at most one in 5 s."""
        keys = self._keys
        is_old = time.monotonic() - self._read_at > self._fresh_for
        if keys is None or ((is_old or kid not in keys) and self._may_try(_RETRY)):
            keys = self._load(keys)
        return keys.get(kid)

    def expire(self) -> None:
        """A key was removed: the next verification fetches the keys."""
        self._read_at = self._tried_at = float("-inf")

    def _may_try(self, interval: float) -> bool:
        return time.monotonic() - self._tried_at >= interval

    def _load(self, known: dict[str, tuple[str, Any]] | None) -> dict[str, tuple[str, Any]]:
        refuse_to_wait()
        # With keys at hand, no thread waits for another one's fetch.
        if not self._lock.acquire(blocking=known is None):
            return known or {}
        try:
            if self._keys is None or self._keys is known:
                if known is None and not self._may_try(_FIRST_RETRY):
                    raise GeneralError("STORE_UNAVAILABLE", "the key set could not be fetched a moment ago")
                self._tried_at = time.monotonic()
                self._keys = _parse_keys(self._api.call("GET", "/v1/keys", repeatable=True))
                self._read_at = time.monotonic()
            return self._keys
        except GeneralError:
            if known is None:
                raise
            return known
        finally:
            self._lock.release()


def _parse_keys(answer: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    # A symmetric key in a key set never counts.
    found = [key for key in answer.get("keys", []) if key.get("alg") in _ALGORITHMS and key.get("use") == "sig"]
    return {key["kid"]: (key["alg"], jwt.PyJWK(key).key) for key in found}


class Verifier:
    """Verifies access tokens: form, key, signature, claims and times."""

    def __init__(self, options: Options, keys: KeySet) -> None:
        self._options = options
        self._keys = keys

    def read(self, text: str) -> Reading:
        token = decode_unverified(text)
        if token is None or token.header.get("typ") != "at+jwt":
            return Reading("unrecognized")
        found = self._keys.find(str(token.header.get("kid")))
        if found is None or token.header.get("alg") != found[0]:
            return Reading("invalid")
        try:
            jwt.decode(
                text, found[1], algorithms=[found[0]], issuer=self._options.issuer, audience=self._options.audience,
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["sub", "jti"]},
            )
        except jwt.InvalidTokenError:
            return Reading("invalid")
        return self._judge(token)

    def _judge(self, token: AccessToken) -> Reading:
        claims, own = token.claims, token.own
        times = [claims.get(name) for name in ("iat", "exp", "auth_time")]
        counts = [own.get(name) for name in ("gen", "brn", "ri", "pv")]
        if own.get("v") != 1 or own.get("app", "default") != (self._options.application or "default"):
            return Reading("invalid")
        if not all(isinstance(number, (int, float)) and number >= 0 for number in times + counts):
            return Reading("invalid")
        now = time.time()
        if max(claims["iat"], claims.get("nbf", 0)) > now + _CLOCK_TOLERANCE:
            return Reading("invalid")
        # Whatever `exp` says, no token is accepted for longer than a day.
        return Reading("expired" if min(claims["exp"], claims["iat"] + _MAX_AGE) <= now else "valid", token)
