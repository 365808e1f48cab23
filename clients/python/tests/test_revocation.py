"""How a process learns that a session has ended, and what happens if it cannot."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode

import pytest
from conftest import ACCESS, Page, Server, eventually, message, outsider, synced

import keyturn
from keyturn.errors import GeneralError
from keyturn.native_api import NativeApi
from keyturn.runtime import get_runtime
from keyturn.tokens import KeySet


def settled(page: Page, calls: list[str]) -> None:
    """After the first requests, none needs the server."""
    synced()
    assert page.status() == 200
    calls.clear()


def test_the_feed_refuses_a_revoked_session_without_a_call(page: Page, calls: list[str]) -> None:
    handle = page.log_in()["handle"]
    settled(page, calls)
    for _ in range(20):
        assert page.status() == 200
    assert calls == []
    kept = page.cookie(ACCESS)
    outsider().call("DELETE", f"/v1/sessions/{handle}")
    calls.clear()
    eventually(lambda: page.status() == 401)
    assert calls == []
    assert page.cookie(ACCESS) == ""
    page.client.cookies[ACCESS] = kept
    assert page.status("/strict") == 401
    page.client.cookies[ACCESS] = kept
    assert page.status("/off") == 200


def test_strict_refuses_on_the_next_request(page: Page, configure, calls: list[str]) -> None:
    configure(ACCESS_TOKEN_BLACKLISTING="strict")
    page = Page()
    handle = page.log_in()["handle"]
    assert page.status() == 200
    outsider().call("DELETE", f"/v1/sessions/{handle}")
    refused = page.send("GET", "/me")
    assert (refused.status_code, message(refused), refused["front-token"]) == (401, "unauthorised", "remove")


def test_this_process_refuses_at_once_what_it_has_revoked(page: Page, calls: list[str]) -> None:
    handle = page.log_in()["handle"]
    settled(page, calls)
    keyturn.revoke_session(handle)
    assert page.status() == 401


def test_a_payload_that_was_changed_elsewhere_reaches_the_client(page: Page, calls: list[str]) -> None:
    handle = page.log_in()["handle"]
    settled(page, calls)
    keyturn.update_jwt_payload(handle, {"role": "admin"})
    eventually(lambda: json.loads(page.send("GET", "/me").content)["payload"] == {"role": "admin"})
    calls.clear()
    assert json.loads(page.send("GET", "/me").content)["payload"] == {"role": "admin"}
    assert calls == []


def test_a_session_method_of_a_revoked_session_clears_its_tokens(page: Page) -> None:
    handle = page.log_in()["handle"]
    synced()
    request_of = Page()
    request_of.client.cookies[ACCESS] = page.cookie(ACCESS)
    outsider().call("DELETE", f"/v1/sessions/{handle}")
    refused = request_of.send("GET", "/info")
    assert (refused.status_code, message(refused), request_of.cookie(ACCESS)) == (401, "unauthorised", "")


def test_a_stale_feed_falls_back_to_strict(configure, calls: list[str], monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("no streams here")

    monkeypatch.setattr(NativeApi, "events", fails)
    configure()
    page = Page()
    handle = page.log_in()["handle"]
    calls.clear()
    assert page.status() == 200
    assert calls.count("POST /v1/introspect") == 1
    outsider().call("DELETE", f"/v1/sessions/{handle}")
    assert page.status() == 401


def test_a_token_that_has_expired_by_the_clock_of_the_server_is_refreshed(configure, clock) -> None:
    server = Server("--access-token-validity", "1s", "--reuse-interval", "0")
    try:
        configure(SERVER=server.url, ACCESS_TOKEN_BLACKLISTING="strict")
        page = Page()
        page.log_in()
        token = page.cookie(ACCESS)
        eventually(lambda: not get_runtime().api.introspect(token)["active"])
        clock.by = -3
        refused = page.send("GET", "/me")
        assert (refused.status_code, message(refused), "front-token" in refused) == (401, "try refresh token", False)
        assert page.cookie(ACCESS) == token
        assert page.refresh().status_code == 200
    finally:
        server.stop()


def test_keys_that_were_read_before_one_was_removed_are_not_fresh() -> None:
    removed = {
        "kid": "old", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }

    class Api:
        calls = 0

        def call(self, *_: object, **_more: object) -> dict[str, list[object]]:
            self.calls += 1
            if self.calls > 1:
                return {"keys": [{**removed, "kid": "new"}]}
            keys.expire()
            return {"keys": [removed]}

    keys = KeySet(Api())  # type: ignore[arg-type]
    keys.find("old")
    assert keys.find("old") is None


@pytest.mark.parametrize(("on_failure", "status"), [("failOpen", 200), ("failClosed", 503)])
def test_an_outage_of_the_server(configure, on_failure: str, status: int) -> None:
    server = Server()
    try:
        configure(SERVER=server.url, ON_SERVER_FAILURE=on_failure, MAX_STALENESS=1)
        page = Page()
        page.log_in()
        synced()
        assert page.status() == 200
        server.stop()
        feed = get_runtime().feed
        assert page.status() == 200
        eventually(lambda: not feed.is_fresh())
        assert page.status() == status
        strict = page.send("GET", "/strict")
        assert (strict.status_code, strict["retry-after"], "front-token" in strict) == (503, "1", False)
        assert page.status("/auth/session/refresh", "POST") == 503
        assert page.cookie(ACCESS) != ""
    finally:
        server.stop()


def test_the_feed_goes_on_after_a_restart_of_the_server(configure, tmp_path, calls: list[str]) -> None:
    server = Server(store=f"sqlite:{tmp_path}/sessions.db")
    try:
        configure(SERVER=server.url)
        page = Page()
        handle = page.log_in()["handle"]
        settled(page, calls)
        server.stop()
        server.start()
        outsider().call("DELETE", f"/v1/sessions/{handle}")
        eventually(lambda: get_runtime().feed.is_revoked(handle))
        assert page.status() == 401
    finally:
        server.stop()


def test_a_silent_server_holds_up_hardly_any_request(configure, monkeypatch) -> None:
    def silent(self: NativeApi, *_: object, timeout: float | None = None, **more: object) -> None:
        waits.append(timeout)
        time.sleep(timeout or 0)
        raise GeneralError("STORE_UNAVAILABLE", "silent")

    configure()
    page = Page()
    page.log_in()
    assert page.status("/off") == 200
    waits: list[float | None] = []
    # Its follower does not start.
    monkeypatch.setattr(get_runtime().feed._daemon, "start", lambda: None)
    monkeypatch.setattr(NativeApi, "call", silent)
    for _ in range(5):
        assert page.status() == 200
    assert waits == [1.0]


def test_an_old_access_token_confirms_its_refresh_token_once(page: Page, calls: list[str], clock) -> None:
    page.log_in()
    assert page.refresh().status_code == 200
    synced()
    calls.clear()
    clock.by = 10
    for _ in range(3):
        assert page.status() == 200
    eventually(lambda: calls.count("POST /v1/introspect") == 1)
    assert page.status() == 200
    assert calls.count("POST /v1/introspect") == 1


def test_keys_are_fetched_once_and_unknown_ids_are_bounded(configure, calls: list[str]) -> None:
    configure(ACCESS_TOKEN_BLACKLISTING="off")
    page = Page()
    page.log_in()
    calls.clear()
    threads = [threading.Thread(target=Page.status, args=(page,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, rest = page.cookie(ACCESS).split(".", 1)
    for number in range(8):
        forged = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": f"unknown-{number}-kid-"})
        page.client.cookies[ACCESS] = f"{urlsafe_b64encode(forged.encode()).decode().rstrip('=')}.{rest}"
        assert page.status() == 401
    assert calls == ["GET /v1/keys"]


def test_a_busy_refresh_is_no_logout(page: Page, monkeypatch) -> None:
    page.log_in()
    call = NativeApi.call

    def busy(self: NativeApi, method: str, path: str, *args: object, **more: object) -> object:
        if path == "/v1/sessions/refresh":
            raise GeneralError("REFRESH_BUSY", "wait", 7)
        return call(self, method, path, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(NativeApi, "call", busy)
        answer = page.refresh()
    assert (answer.status_code, answer["retry-after"], "front-token" in answer) == (503, "7", False)
    assert page.refresh().status_code == 200
