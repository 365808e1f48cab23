"""A real server of Keyturn for all tests, and a browser's side of an application."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app")
os.environ["KEYTURN_KEY"] = API_KEY = "a-key-that-no-one-guesses"
ISSUER = "https://sessions.example.com"
ROOT = Path(__file__).parents[3]


class Server:
    """`keyturn serve`, which a test may stop and start again at the same address."""

    def __init__(self, *arguments: str, store: str = "sqlite::memory:") -> None:
        program = [str(ROOT / "node_modules/.bin/node"), "--conditions=keyturn-source", str(ROOT / "src/cli/main.ts")]
        self._command = [*program, "serve", store, "--log-level", "silent", "--issuer", ISSUER, *arguments]
        self._port = "0"
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "KEYTURN_API_KEY": API_KEY, "KEYTURN_PORT": self._port}
        for name in ("KEYTURN_KEY", "KEYTURN_URL"):
            environment.pop(name, None)
        self._process = subprocess.Popen(self._command, env=environment, stdout=subprocess.PIPE, text=True)
        for line in self._process.stdout:
            if found := re.fullmatch(r"keyturn listens on (http://\S+:(\d+))\n", line):
                self.url, self._port = found[1], found[2]
                return
        raise AssertionError("the server ended")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


# Before Django reads the settings.
main_server = Server("--reuse-interval", "0")
os.environ["KEYTURN_URL"] = main_server.url

import django  # noqa: E402

django.setup()

import pytest  # noqa: E402
from app import KEYTURN  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

import keyturn.runtime  # noqa: E402
from keyturn.native_api import NativeApi  # noqa: E402

PORT = "-8000"
ACCESS, REFRESH = f"sAccessToken{PORT}", f"sRefreshToken{PORT}"
OWN = {"origin": "http://localhost:8000"}


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


# Who ends the tests also ends their servers.
signal.signal(signal.SIGTERM, interrupt)


def pytest_unconfigure() -> None:
    main_server.stop()


class Page:
    """A page of the application in a browser, with its cookies or its tokens."""

    def __init__(self, mode: str = "cookie") -> None:
        self.client = Client()
        self.mode = mode
        self.tokens: dict[str, str] = {}
        self.anti_csrf: str | None = None

    def send(self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        sent = {"st-auth-mode": self.mode, "rid": "session"}
        if method not in {"GET", "HEAD"}:
            sent |= OWN
        if self.anti_csrf:
            sent["anti-csrf"] = self.anti_csrf
        if token := self.tokens.get("refresh" if target.endswith("/session/refresh") else "access"):
            sent["authorization"] = f"Bearer {token}"
        sent |= headers or {}
        response = self.client.generic(
            method, target, "" if body is None else json.dumps(body), "application/json",
            headers={name: value for name, value in sent.items() if value},
        )
        for name in ("access", "refresh"):
            if f"st-{name}-token" in response:
                self.tokens[name] = response[f"st-{name}-token"]
        self.anti_csrf = response.get("anti-csrf", self.anti_csrf)
        return response

    def cookie(self, name: str) -> str:
        return self.client.cookies[name].value if name in self.client.cookies else ""

    def log_in(self, **body: object) -> dict[str, Any]:
        response = self.send("POST", "/login", body)
        assert response.status_code == 200, response.content
        return json.loads(response.content)

    def status(self, target: str = "/me", method: str = "GET", **more: Any) -> int:
        return self.send(method, target, **more).status_code

    def refresh(self) -> Any:
        return self.send("POST", "/auth/session/refresh")


def message(response: Any) -> str:
    return json.loads(response.content)["message"]


def eventually(holds: Callable[[], bool], patience: float = 20) -> None:
    limit = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of the server by this process, as `METHOD path`."""
    seen: list[str] = []
    call = NativeApi.call

    def count(self: NativeApi, method: str, path: str, *args: Any, **more: Any) -> Any:
        seen.append(f"{method} {path}")
        return call(self, method, path, *args, **more)

    monkeypatch.setattr(NativeApi, "call", count)
    return seen


@pytest.fixture
def clock() -> Iterator[SimpleNamespace]:
    """This process's wall clock, which a test moves. The server's stays."""
    real, moved = time.time, SimpleNamespace(by=0.0)
    with mock.patch("time.time", side_effect=lambda: real() + moved.by):
        yield moved


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Overrides settings for a test."""
    active = []

    def override(**settings: Any) -> None:
        keyturn.runtime._forget()
        setting = override_settings(KEYTURN={**KEYTURN, **settings})
        setting.enable()
        active.append(setting)

    yield override
    for setting in reversed(active):
        setting.disable()


def synced() -> None:
    """Waits until the feed of this process has read the log."""
    feed = keyturn.runtime.get_runtime().feed
    eventually(feed.is_fresh)


def outsider() -> NativeApi:
    """Another program that uses the server."""
    return NativeApi(keyturn.runtime.get_runtime().options)

