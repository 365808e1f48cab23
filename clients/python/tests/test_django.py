"""Django's ways to use it: asynchronous views, Django REST framework, settings, mistakes."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from conftest import ACCESS, KEYTURN, OWN, Page, Server, message, synced
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, RequestFactory

import keyturn
from keyturn.native_api import NativeApi, refuse_to_wait
from keyturn.options import load_options


def test_asynchronous_views(calls: list[str]) -> None:
    async def live() -> None:
        client = AsyncClient()
        login = await client.post("/async/login", headers=OWN)
        assert login.status_code == 200
        synced()
        assert (await client.get("/async/me")).status_code == 200
        calls.clear()
        assert json.loads((await client.get("/async/me")).content)["userId"] == "ada"
        assert calls == []
        changed = await client.put("/async/me?info=1", b'{"note": 1}', "application/json", headers=OWN)
        assert json.loads(changed.content)["info"] == {"note": 1}
        assert (await client.put("/async/me", headers={"origin": "https://evil.example"})).status_code == 403
        assert (await client.post("/auth/session/refresh", headers=OWN)).status_code == 200
        assert (await client.get("/me")).status_code == 200
        assert (await client.post("/auth/signout", headers=OWN)).status_code == 200
        assert (await client.get("/async/me")).status_code == 401

    asyncio.run(live())


def test_no_asynchronous_call_waits_on_the_event_loop(configure, monkeypatch) -> None:
    threads = set()
    call = NativeApi.call

    def note(self: NativeApi, *args: object, **more: object) -> object:
        refuse_to_wait()
        threads.add(threading.get_ident())
        return call(self, *args, **more)

    monkeypatch.setattr(NativeApi, "call", note)

    async def live() -> None:
        client = AsyncClient()
        for method, path in [("POST", "/async/login"), ("GET", "/async/me?info=1"), ("POST", "/auth/session/refresh"),
                             ("GET", "/async/me"), ("POST", "/auth/signout")]:
            response = await client.generic(method, path, headers=OWN)
            assert response.status_code == 200
        assert threading.get_ident() not in threads
        assert threads

    configure(ACCESS_TOKEN_BLACKLISTING="strict")
    asyncio.run(live())


def test_one_of_several_applications_of_a_server(configure) -> None:
    server = Server("--app", "shop")
    try:
        configure(SERVER=server.url, APPLICATION="shop", ISSUER="https://sessions.example.com/appid-shop")
        page = Page()
        handle = page.log_in()["handle"]
        synced()
        assert page.status() == 200
        assert page.refresh().status_code == 200
        configure(SERVER=server.url)
        assert page.status() == 401
        with pytest.raises(keyturn.SessionNotFoundError):
            keyturn.get_session_info(handle)
    finally:
        server.stop()


def test_rest_framework(page: Page, clock) -> None:
    refused = page.send("GET", "/drf/me")
    assert (refused.status_code, message(refused)) == (401, "unauthorised")
    page.log_in(payload={"role": "x"})
    assert json.loads(page.send("GET", "/drf/me").content) == {"userId": "ada", "payload": {"role": "x"}}
    assert page.status("/drf/me", "POST") == 200
    clock.by = 4000
    refused = page.send("GET", "/drf/me")
    assert (refused.status_code, message(refused)) == (401, "try refresh token")


def test_a_view_that_raises_later_still_sends_the_tokens(page: Page) -> None:
    page.log_in()
    refused = page.send("PUT", "/payload", {"exp": 1})
    assert (refused.status_code, message(refused)) == (400, "invalid data")


def test_without_the_middleware() -> None:
    request = RequestFactory().get("/")
    with pytest.raises(keyturn.GeneralError, match="MIDDLEWARE"):
        keyturn.get_session(request)
    with pytest.raises(keyturn.GeneralError, match="MIDDLEWARE"):
        keyturn.create_new_session(HttpResponse(), "ada")


@pytest.mark.parametrize(("settings", "message"), [
    ({"ORIGIN": "http://app.example.com"}, "https"),
    ({"ORIGIN": "app.example.com"}, "ORIGIN"),
    ({"ORIGIN": None}, "ORIGIN"),
    ({"ORIGINS": []}, "no setting ORIGINS"),
    ({"TRUSTED_ORIGINS": "https://www.example.com"}, "TRUSTED_ORIGINS"),
    ({"TRUSTED_ORIGINS": ["https://*.example.com"]}, "TRUSTED_ORIGINS"),
    ({"ANTI_CSRF": "VIA_TOKEN"}, "origin"),
    ({"ACCESS_TOKEN_BLACKLISTING": True}, "feed"),
    ({"COOKIE_DOMAIN": "example.org", "ORIGIN": "https://app.example.com"}, "COOKIE_DOMAIN"),
    ({"COOKIE_SAME_SITE": "none"}, "https"),
    ({"SESSION_EXPIRED_STATUS_CODE": 500}, "SESSION_EXPIRED_STATUS_CODE"),
    ({"TIMEOUT": "5"}, "TIMEOUT"),
])
def test_a_wrong_setting_is_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        load_options({**KEYTURN, **settings})


@pytest.mark.parametrize(("settings", "names"), [
    ({"ORIGIN": "http://localhost:8000"}, ("sAccessToken-8000", "sRefreshToken-8000")),
    ({"ORIGIN": "http://127.0.0.1"}, ("sAccessToken", "sRefreshToken")),
    ({"ORIGIN": "https://App.example.com:443/"}, ("__Host-sAccessToken", "__Secure-sRefreshToken")),
    ({"ORIGIN": "https://app.example.com", "COOKIE_DOMAIN": "example.com"},
     ("__Secure-sAccessToken", "__Secure-sRefreshToken")),
])
def test_names_of_cookies(settings: dict[str, object], names: tuple[str, str]) -> None:
    options = load_options({**KEYTURN, **settings})
    assert (options.access_token_cookie, options.refresh_token_cookie) == names


def test_a_wrong_api_key_is_no_logout(page: Page, configure) -> None:
    configure(API_KEY="another-key-of-20-characters")
    page = Page()
    page.client.raise_request_exception = False
    assert page.status("/login", "POST") == 500
    assert page.cookie(ACCESS) == ""


@pytest.mark.parametrize(("settings", "named"), [
    ({"ISSUER": "http://0.0.0.0:3567"}, r'ISSUER"\] .* .https://sessions\.example\.com'),
    ({"AUDIENCE": "shop"}, r'AUDIENCE"\] .* None'),
])
def test_a_setting_that_is_not_the_servers_is_named_at_the_first_login(configure, settings: dict, named: str) -> None:
    configure(**settings)
    before = keyturn.get_all_session_handles_for_user("ada")
    with pytest.raises(keyturn.GeneralError, match=named):
        Page().log_in()
    assert keyturn.get_all_session_handles_for_user("ada") == before


def test_the_address_of_the_client(configure) -> None:
    configure(CLIENT_IP="test_django.address_of")
    handle = Page().log_in()["handle"]
    assert keyturn.get_session_by_handle(handle)["ip"] == "203.0.113.7"


def address_of(request: HttpRequest) -> str:
    return "203.0.113.7"
