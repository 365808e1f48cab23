"""What runs beside requests: the follower of the server's revocations, and confirmations of refresh tokens.

Both are daemon threads, which start with the first request that needs them: after a fork, each process has its own, and
none of them delays the exit.
"""

import json
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf

from .errors import SessionError
from .native_api import NativeApi
from .tokens import AccessToken

_logger = logging.getLogger("keyturn")

# The server writes at least a comment every 15 s.
_SILENCE = 20.0
_RETRY = 1.0
_MAX_RETRY = 30.0
_PRUNE_INTERVAL = 60.0
_TOKEN_LIFE = 86_400.0
_MAX_QUEUE = 1000
_MAX_ATTEMPTS = 100_000


class Daemon:
    """A thread that starts when it is first needed."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._lock = threading.Lock()

    def start(self) -> None:
        if not self._thread.is_alive():
            # It raises if another request has just started it, and if the interpreter is exiting.
            with self._lock, suppress(RuntimeError):
                self._thread.start()


class Feed:
    """Knows which sessions were revoked, as long as their access tokens can live."""

    def __init__(self, api: NativeApi, max_staleness: float, on_keys_changed: Callable[[], None]) -> None:
        self._api = api
        self._max_staleness = max_staleness
        self._on_keys_changed = on_keys_changed
        self._lock = threading.Lock()
        self._daemon = Daemon("keyturn-feed", self._run)
        self._revoked: dict[str, float] = {}
        self._versions: dict[str, tuple[int, float]] = {}
        self._last_id: str | None = None
        self._retry = _RETRY
        # Infinite while the stream is read.
        self._live_until = -inf
        self._pruned_at = time.monotonic()

    def is_fresh(self) -> bool:
        """Whether the stream is read, or was until a moment ago. Starts the follower."""
        self._daemon.start()
        return time.monotonic() - self._live_until <= self._max_staleness

    def is_revoked(self, handle: str) -> bool:
        return handle in self._revoked

    def payload_version(self, handle: str) -> int:
        """The newest version of the session's JWT payload that the stream has named; 0 if none."""
        return self._versions.get(handle, (0, 0.0))[0]

    def note_revoked(self, *handles: str) -> None:
        """Sessions that this process has revoked: they are refused before the stream names them."""
        with self._lock:
            self._revoked.update(dict.fromkeys(handles, time.time() + _TOKEN_LIFE))
            self._prune()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                headers = {} if self._last_id is None else {"last-event-id": self._last_id}
                for event in self._api.events("/v1/revocations", headers, _SILENCE):
                    self._apply(event)
            except Exception as error:
                if self._live_until == inf:
                    _logger.warning("the stream of revocations ended: %r; sessions are checked with the server", error)
            ended = time.monotonic()
            self._live_until = min(self._live_until, ended)
            # A stream that never worked is tried less and less often.
            if ended - began < 1:
                self._retry = min(self._retry * 1.5, _MAX_RETRY)
            time.sleep(self._retry * random.uniform(0.8, 1.2))  # noqa: S311

    def _apply(self, event: dict[str, str]) -> None:
        name, data = event.get("event"), json.loads(event.get("data") or "{}")
        with self._lock:
            match name:
                case "revoked":
                    self._revoked.update(dict.fromkeys(data["handles"], data["until"] / 1000))
                case "payload":
                    self._versions[data["handle"]] = (data["version"], data["until"] / 1000)
                case "synced":
                    self._live_until = inf
            self._prune()
        if name == "keys":
            self._on_keys_changed()
        self._retry = float(event["retry"]) / 1000 if "retry" in event else self._retry
        self._last_id = event.get("id", self._last_id)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < _PRUNE_INTERVAL:
            return
        now = time.time()
        self._pruned_at = time.monotonic()
        self._revoked = {handle: until for handle, until in self._revoked.items() if until > now}
        self._versions = {handle: seen for handle, seen in self._versions.items() if seen[1] > now}


class Confirmations:
    """Tells the server which refresh tokens the clients have certainly stored, after the responses.

    From then on, a use of the token before is a theft. One call per refresh; it may be lost without harm.
    """

    def __init__(self, api: NativeApi) -> None:
        self._api = api
        self._attempted: dict[str, tuple[int, int]] = {}
        self._queue: queue.Queue[str] = queue.Queue(_MAX_QUEUE)
        self._daemon = Daemon("keyturn-confirmations", self._run)

    def observe(self, token: AccessToken) -> None:
        """Called with every access token in use."""
        own = token.own
        place = (own["gen"], own["brn"])
        # The age as the server computes it: at least twice the reuse interval after the second of `iat`.
        is_young = (time.time() - token.claims["iat"] - 1) * 1000 < 2 * own["ri"]
        if own["gen"] == 0 or is_young or self._attempted.get(token.handle, (-1, -1)) >= place:
            return
        if len(self._attempted) >= _MAX_ATTEMPTS:
            self._attempted.clear()
        self._attempted[token.handle] = place
        with suppress(queue.Full):
            self._queue.put_nowait(token.text)
        self._daemon.start()

    def _run(self) -> None:
        while True:
            # An error only delays the detection of a theft.
            with suppress(SessionError):
                self._api.introspect(self._queue.get())
