"""Requests that other sites cause."""

from __future__ import annotations

import pytest
from conftest import ACCESS, REFRESH, Page, message, synced

import keyturn

NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(("headers", "status"), [
    ({"origin": "http://localhost:8000"}, 200),
    ({"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}, 200),
    ({"origin": "http://localhost:8000", "sec-fetch-site": "cross-site"}, 403),
    ({"origin": "http://localhost:3000", "sec-fetch-site": "cross-site"}, 200),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
    ({"origin": "", "sec-fetch-site": "same-origin"}, 200),
    ({"origin": "", "sec-fetch-site": "cross-site"}, 403),
    ({"origin": "", "rid": "session"}, 200),
    ({"origin": "", "rid": ""}, 403),
])
def test_a_request_that_changes_something(page: Page, headers: dict[str, str], status: int) -> None:
    page.log_in()
    kept = page.cookie(ACCESS), page.cookie(REFRESH)
    assert page.status("/me", "POST", headers=headers) == status
    assert page.status("/guarded", "GET", headers=headers) == status
    assert page.status("/me", "GET", headers=headers) == 200
    assert page.status("/drf/me", "POST", headers=headers) == status
    if status == 403:
        for path in ("/auth/session/refresh", "/auth/signout"):
            refused = page.send("POST", path, headers=headers)
            assert (refused.status_code, message(refused)) == (403, "cross-site request refused")
            assert "front-token" not in refused
        assert (page.cookie(ACCESS), page.cookie(REFRESH)) == kept


@pytest.mark.parametrize(("method", "headers", "status"), [
    ("POST", {"origin": "https://evil.example"}, 403),
    ("GET", {**NAVIGATION, "origin": ""}, 200),
    ("GET", {**NAVIGATION, "origin": "", "sec-purpose": "prefetch"}, 403),
    ("GET", {**NAVIGATION, "origin": "", "sec-fetch-dest": "iframe"}, 403),
    ("POST", {**NAVIGATION, "origin": "https://idp.example"}, 403),
])
def test_a_login(page: Page, method: str, headers: dict[str, str], status: int) -> None:
    assert page.status("/login", method, headers=headers) == status


@pytest.mark.parametrize("mode", ["custom-header", "token"])
def test_another_proof_is_required(configure, mode: str, calls: list[str]) -> None:
    configure(ANTI_CSRF=mode)
    page = Page()
    page.log_in()
    assert (page.anti_csrf is not None) == (mode == "token")
    synced()
    assert page.status("/me", "POST") == 200
    calls.clear()
    assert page.status("/me", "POST") == 200
    assert calls == []
    assert page.refresh().status_code == 200
    assert page.status("/me", "POST") == 200
    page.anti_csrf = "wrong"
    headers = {} if mode == "token" else {"rid": ""}
    refused = page.send("POST", "/me", headers=headers)
    assert (refused.status_code, message(refused)) == (401, "try refresh token")
    assert page.status("/me", "GET", headers=headers) == 200
    kept = page.cookie(REFRESH)
    refused = page.send("POST", "/auth/session/refresh", headers=headers)
    assert (refused.status_code, page.cookie(REFRESH)) == (401, kept)
    assert page.status("/auth/signout", "POST", headers=headers) == 401
    assert page.cookie(REFRESH) == kept


def test_a_refused_refresh_clears_only_what_is_dead(page: Page) -> None:
    handle = page.log_in()["handle"]
    token = page.cookie(REFRESH)
    page.client.cookies[REFRESH] = token[:-1] + ("A" if token[-1] != "A" else "B")
    refused = page.refresh()
    assert (refused.status_code, refused["front-token"], bool(refused.cookies)) == (401, "remove", False)
    page.client.cookies[REFRESH] = token
    assert page.refresh().status_code == 200

    keyturn.revoke_session(handle)
    refused = page.refresh()
    assert (refused.status_code, page.cookie(ACCESS), page.cookie(REFRESH)) == (401, "", "")


def test_a_refresh_cookie_counts_only_beside_an_access_token_of_its_session(page: Page) -> None:
    page.log_in()
    planted = Page()
    planted.client.cookies[REFRESH] = page.cookie(REFRESH)
    assert planted.refresh().status_code == 401
    other = Page()
    other.log_in()
    other.client.cookies[REFRESH] = page.cookie(REFRESH)
    assert other.refresh().status_code == 401
    assert page.refresh().status_code == 200
