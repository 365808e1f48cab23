"""Access tokens: JWTs of the type `at+jwt`, verified in this process with the key set of the server."""

import random
import re
import threading
import time
from dataclasses import dataclass
from math import inf
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
Verdict = Literal["valid", "expired", "invalid"]


def mode_of(handle: str) -> TransferMode:
    """How a session's tokens are sent: the first letter of its handle says it."""
    return "cookie" if handle.startswith("c") else "header"


@dataclass(frozen=True)
class AccessToken:
    """An access token with its header and its claims. `own` are those that are only for Keyturn."""

    text: str
    handle: str
    mode: TransferMode
    header: dict[str, Any]
    claims: dict[str, Any]
    own: dict[str, Any]

    @property
    def payload(self) -> dict[str, Any]:
        return {name: value for name, value in self.claims.items() if name not in _RESERVED}


class RefreshToken(NamedTuple):
    """A text in the format of a refresh token."""

    text: str
    handle: str
    mode: TransferMode
    generation: int
    branch: int


def parse_refresh_token(text: str) -> RefreshToken | None:
    found = _REFRESH_TOKEN.fullmatch(text)
    return None if found is None else RefreshToken(text, found[1], mode_of(found[1]), int(found[2]), int(found[3]))


def decode_unverified(text: str) -> AccessToken | None:
    """The claims of an access token, unverified: to compare, never to authorize. None if it is no such token."""
    if len(text) > _MAX_LENGTH:
        return None
    try:
        found = decode_complete(text, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        return None
    header, claims = found["header"], found["payload"]
    handle, own = str(claims.get("sid")), claims.get("keyturn")
    is_ours = header.get("typ") == "at+jwt" and _HANDLE.fullmatch(handle) and isinstance(own, dict)
    return AccessToken(text, handle, mode_of(handle), header, claims, own) if is_ours else None


def issued_token(text: str) -> AccessToken:
    """The claims of a token that the server has just issued."""
    token = decode_unverified(text)
    if token is None:
        raise GeneralError("STORE_UNAVAILABLE", "the session server sent no access token")
    return token


class Key(NamedTuple):
    """A public key of the server."""

    algorithm: str
    value: Any


class KeySet:
    """The public keys of the server: cached for a minute, fetched by one thread at a time."""

    def __init__(self, api: NativeApi) -> None:
        self._api = api
        self._keys: dict[str, Key] = {}
        self._read_at = self._tried_at = -inf
        self._removals = 0
        # Processes that started together must not all fetch in the same second.
        self._fresh_for = _FRESH * random.uniform(0.8, 1)  # noqa: S311
        self._lock = threading.Lock()

    def find(self, kid: str) -> Key | None:
        """The key of this id. An unknown id causes a fetch, but at most one in 5 s."""
        keys = self._keys
        is_old = time.monotonic() - self._read_at > self._fresh_for
        if not keys or ((is_old or kid not in keys) and self._may_try(_RETRY)):
            keys = self._load(keys)
        return keys.get(kid)

    def expire(self) -> None:
        """A key was removed: the next verification fetches the keys."""
        self._removals += 1
        self._read_at = self._tried_at = -inf

    def _may_try(self, interval: float) -> bool:
        return time.monotonic() - self._tried_at >= interval

    def _load(self, known: dict[str, Key]) -> dict[str, Key]:
        refuse_to_wait()
        # With keys at hand, no thread waits for another one's fetch.
        if not self._lock.acquire(blocking=not known):
            return known
        try:
            # Unless another thread has fetched them meanwhile.
            if self._keys is known:
                if not known and not self._may_try(_FIRST_RETRY):
                    raise GeneralError("STORE_UNAVAILABLE", "the key set could not be fetched a moment ago")
                self._tried_at, removals = time.monotonic(), self._removals
                self._keys = _parse_keys(self._api.call("GET", "/v1/keys", repeatable=True))
                # An answer from before a removal still has the key.
                if removals == self._removals:
                    self._read_at = time.monotonic()
        except GeneralError:
            if not known:
                raise
        finally:
            self._lock.release()
        return self._keys


def _parse_keys(answer: dict[str, Any]) -> dict[str, Key]:
    # A symmetric key in a key set never counts.
    found = [key for key in answer.get("keys", []) if key.get("alg") in _ALGORITHMS and key.get("use") == "sig"]
    return {key["kid"]: Key(key["alg"], jwt.PyJWK(key).key) for key in found}


def judge_token(token: AccessToken, key: Key, options: Options) -> Verdict:
    """Verifies the signature, the claims and the times of an access token."""
    try:
        jwt.decode(
            token.text, key.value, algorithms=[key.algorithm], issuer=options.issuer, audience=options.audience,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["sub", "jti"]},
        )
    except jwt.InvalidTokenError:
        return "invalid"
    claims, own, now = token.claims, token.own, time.time()
    numbers = [claims.get(name) for name in ("iat", "exp", "auth_time")]
    numbers += [own.get(name) for name in ("gen", "brn", "ri", "pv")]
    if own.get("v") != 1 or own.get("app", "default") != (options.application or "default"):
        return "invalid"
    if not all(isinstance(number, (int, float)) and number >= 0 for number in numbers):
        return "invalid"
    if max(claims["iat"], claims.get("nbf", 0)) > now + _CLOCK_TOLERANCE:
        return "invalid"
    # Whatever `exp` says, no token is accepted for longer than a day.
    return "expired" if min(claims["exp"], claims["iat"] + _MAX_AGE) <= now else "valid"
