"""A session's life over the front-end protocol."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from conftest import ACCESS, REFRESH, Page, message
from django.http import HttpResponse

import keyturn
from keyturn.signals import token_theft_detected


def test_a_session_lives_in_cookies(page: Page) -> None:
    login = page.send("POST", "/login", {"payload": {"role": "größer"}})
    assert login.status_code == 200
    access, refresh = login.cookies[ACCESS], login.cookies[REFRESH]
    assert (access["path"], refresh["path"]) == ("/", "/auth/session/refresh")
    for cookie in (access, refresh):
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"], cookie["domain"]) == (True, "Lax", "", "")
        assert cookie["max-age"] > 0
        assert cookie["expires"]
    assert login["cache-control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(login["vary"].split(", "))
    assert "front-token" in login["access-control-expose-headers"]
    front = json.loads(b64decode(login["front-token"]))
    assert front["uid"] == "ada"
    assert front["up"]["role"] == "größer"
    assert front["ate"] == front["up"]["exp"] * 1000

    me = page.send("GET", "/me")
    assert json.loads(me.content)["payload"] == {"role": "größer"}
    assert me["cache-control"] == "private"
    assert page.status(method="POST") == 200

    before = page.cookie(REFRESH)
    refreshed = page.refresh()
    assert (refreshed.status_code, json.loads(refreshed.content)) == (200, {})
    assert page.cookie(REFRESH) != before
    assert page.status() == 200

    kept = page.cookie(ACCESS)
    signed_out = page.send("POST", "/auth/signout")
    assert json.loads(signed_out.content) == {"status": "OK"}
    assert signed_out["front-token"] == "remove"
    assert (page.cookie(ACCESS), page.cookie(REFRESH)) == ("", "")
    page.client.cookies[ACCESS] = kept
    assert page.status() == 401


def test_a_session_lives_in_headers() -> None:
    page = Page("header")
    login = page.send("POST", "/login")
    assert not login.cookies
    assert set(page.tokens) == {"access", "refresh"}
    assert page.status(method="POST") == 200
    before = dict(page.tokens)
    assert page.refresh().status_code == 200
    assert page.tokens["refresh"] != before["refresh"]
    assert page.send("POST", "/auth/signout")["st-access-token"] == ""
    page.tokens = before
    refused = page.refresh()
    assert (refused.status_code, message(refused)) == (401, "unauthorised")
    assert refused["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_is_refused_in_the_wrong_place(page: Page) -> None:
    page.log_in()
    other = Page()
    other.tokens["access"] = page.cookie(ACCESS)
    assert other.status() == 401
    mobile = Page("header")
    mobile.log_in()
    other = Page()
    other.client.cookies[ACCESS] = mobile.tokens["access"]
    assert other.status() == 401
    other.client.cookies[REFRESH] = mobile.tokens["refresh"]
    assert other.refresh().status_code == 401
    other = Page()
    other.tokens["refresh"] = page.cookie(REFRESH)
    assert other.refresh().status_code == 401
    for refresh_token in (page.cookie(REFRESH), "kt1.x"):
        headers = {"authorization": f"Bearer {refresh_token}"}
        assert other.status("/auth/signout", "POST", headers=headers) == 401
    assert page.status("/strict") == 200
    headers = {"authorization": f"Bearer {mobile.tokens['refresh']}"}
    assert mobile.status("/auth/signout", "POST", headers=headers) == 200
    assert mobile.refresh().status_code == 401


def test_a_token_of_another_program_does_not_hide_the_cookie(page: Page, clock) -> None:
    page.log_in()
    headers = {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30.x"}
    assert page.status(headers=headers) == 200
    clock.by = 4000
    assert page.status(headers=headers) == 401
    assert page.status("/auth/signout", "POST", headers=headers) == 200
    assert (page.cookie(ACCESS), page.cookie(REFRESH)) == ("", "")


@pytest.mark.parametrize("position", [5, 60, -60, -5])
def test_a_changed_token_is_refused(page: Page, position: int) -> None:
    page.log_in()
    token = page.cookie(ACCESS)
    changed = "A" if token[position] != "A" else "B"
    index = position % len(token)
    page.client.cookies[ACCESS] = token[:index] + changed + token[index + 1:]
    assert page.status() == 401


def test_an_expired_token_must_be_refreshed_and_can_sign_out(page: Page, clock) -> None:
    page.log_in()
    clock.by = 4000
    expired = page.send("GET", "/me")
    assert (expired.status_code, message(expired)) == (401, "try refresh token")
    assert "front-token" not in expired
    assert not expired.cookies
    assert page.status("/auth/signout", "POST") == 200
    assert (page.cookie(ACCESS), page.cookie(REFRESH)) == ("", "")


def test_no_session(page: Page) -> None:
    refused = page.send("GET", "/me")
    assert (refused.status_code, message(refused)) == (401, "unauthorised")
    assert "front-token" not in refused
    assert json.loads(page.send("GET", "/optional").content) == {"userId": None}
    refresh = page.refresh()
    assert (refresh.status_code, refresh["front-token"]) == (401, "remove")
    assert page.status("/auth/signout", "POST") == 401
    assert page.status("/auth/session/refresh", "GET") == 405
    assert page.status("/auth/nothing", "POST") == 404


def test_session_data_and_payload(page: Page) -> None:
    page.log_in(info={"note": 1})
    assert json.loads(page.send("GET", "/info").content) == {"note": 1}
    assert json.loads(page.send("PUT", "/info", {"note": "ü"}).content) == {"note": "ü"}
    changed = page.send("PUT", "/payload", {"role": "writer"})
    assert json.loads(changed.content)["payload"] == {"role": "writer"}
    assert "front-token" in changed
    assert json.loads(page.send("GET", "/me").content)["payload"] == {"role": "writer"}
    assert page.status("/payload", "PUT", body={"sub": "root"}) == 400
    with pytest.raises(keyturn.InvalidDataError, match="not JSON"):
        keyturn.update_session_info(page.log_in()["handle"], {"when": object()})


def test_data_is_updated_by_a_function(page: Page) -> None:
    handle = page.log_in(info={"count": 0})["handle"]
    seen = []

    def add_one(current: dict) -> dict:
        if not seen:
            keyturn.update_session_info(handle, {"count": 10})
        seen.append(current["count"])
        return {"count": current["count"] + 1}

    keyturn.update_session_info(handle, add_one)
    assert (seen, keyturn.get_session_info(handle)) == ([0, 10], {"count": 11})


def test_a_temporary_session_ends_with_the_browser(page: Page) -> None:
    page.log_in(persistent=False)
    for response in (page.send("PUT", "/payload", {}), page.refresh()):
        assert {response.cookies[name]["max-age"] for name in response.cookies} == {""}


def test_a_login_replaces_the_session_before(page: Page) -> None:
    first = page.log_in()["handle"]
    second = page.log_in()["handle"]
    assert keyturn.get_all_session_handles_for_user("ada").count(first) == 0
    assert second in keyturn.get_all_session_handles_for_user("ada")


def test_calls_by_user(page: Page) -> None:
    handles = [Page().log_in(userId="grace/ü")["handle"] for _ in range(3)]
    assert set(keyturn.get_all_session_handles_for_user("grace/ü")) == set(handles)
    assert keyturn.revoke_session(handles[0]) is True
    assert keyturn.revoke_session(handles[0]) is False
    assert keyturn.revoke_all_sessions_for_user("grace/ü", except_handle=handles[1]) == [handles[2]]
    assert keyturn.revoke_sessions(handles) == [handles[1]]
    with pytest.raises(keyturn.SessionNotFoundError):
        keyturn.get_session_info(handles[0])


@pytest.mark.parametrize("user_id", [".", "..", "%2e", "a/b", "?", "#", "a&b=c", "+", "🔑" * 255])
def test_calls_by_user_with_an_id_that_urls_could_change(user_id: str) -> None:
    handle = Page().log_in(userId=user_id)["handle"]
    assert keyturn.get_all_session_handles_for_user(user_id) == [handle]
    assert keyturn.revoke_all_sessions_for_user(user_id) == [handle]


def test_a_stolen_refresh_token_ends_the_session(page: Page) -> None:
    handle = page.log_in()["handle"]
    thief = Page()
    for name in (ACCESS, REFRESH):
        thief.client.cookies[name] = page.cookie(name)
    thefts = []

    def note(user_id: str, handle: str, **_: object) -> None:
        thefts.append((user_id, handle))

    token_theft_detected.connect(note)
    assert page.refresh().status_code == 200
    assert page.refresh().status_code == 200
    caught = thief.refresh()
    assert (caught.status_code, message(caught)) == (401, "token theft detected")
    assert caught["front-token"] == "remove"
    assert thief.cookie(ACCESS) == ""
    assert thefts == [("ada", handle)]
    assert page.status() == 401


def test_the_status_of_an_expired_session_can_be_440(page: Page, configure) -> None:
    configure(SESSION_EXPIRED_STATUS_CODE=440)
    page = Page()
    assert page.status() == 440
    assert page.refresh().status_code == 440
    assert page.status("/drf/me") == 440


def test_headers_of_a_preflight() -> None:
    response = HttpResponse()
    keyturn.set_headers_for_options_api(response)
    assert set(keyturn.REQUEST_HEADERS) <= set(response["access-control-allow-headers"].split(", "))
    assert response["access-control-allow-credentials"] == "true"
