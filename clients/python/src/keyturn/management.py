"""Calls by handle and by user, without a request."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from .errors import GeneralError
from .native_api import Conflict, asynchronous, given
from .runtime import get_runtime

__all__ = [
    "aget_all_session_handles_for_user", "aget_session_by_handle", "aget_session_info", "alist_sessions",
    "arevoke_all_sessions_for_user", "arevoke_session", "arevoke_sessions", "aupdate_jwt_payload",
    "aupdate_session_info", "get_all_session_handles_for_user", "get_session_by_handle", "get_session_info",
    "list_sessions", "revoke_all_sessions_for_user", "revoke_session", "revoke_sessions", "update_jwt_payload",
    "update_session_info",
]

Json = dict[str, Any]
Change = Mapping[str, Any] | Callable[[Json], Mapping[str, Any]]
_ATTEMPTS = 5
_PAGE = 1000


def revoke_session(handle: str) -> bool:
    """Revokes a session. Returns whether it existed."""
    return revoke_sessions([handle]) != []


def revoke_sessions(handles: Iterable[str]) -> list[str]:
    """Revokes several sessions. Returns the handles of those that existed."""
    return _revoke("/v1/sessions/revoke", {"handles": list(handles)})


def revoke_all_sessions_for_user(
    user_id: str | int, *, except_handle: str | None = None, tenant_id: str | None = None
) -> list[str]:
    """Revokes all sessions of a user, or all but one. Returns their handles."""
    body = given({"userId": str(user_id), "except": except_handle, "tenantId": tenant_id})
    return _revoke("/v1/sessions/revoke-by-user", body)


def get_all_session_handles_for_user(user_id: str | int) -> list[str]:
    """The handles of a user's active sessions, newest first."""
    return [session["handle"] for session in list_sessions(user_id)]


def list_sessions(user_id: str | int, *, tenant_id: str | None = None) -> list[Json]:
    """A user's active sessions, newest first, each with `handle`, `createdAt`, `expiresAt`, `ip` and `userAgent`."""
    found: list[Json] = []
    query = given({"userId": str(user_id), "limit": _PAGE, "tenantId": tenant_id})
    while True:
        page = get_runtime().api.call("GET", f"/v1/sessions?{urlencode(query)}", repeatable=True)
        found += page["sessions"]
        query["after"] = page["next"]
        if page["next"] is None:
            return found


def get_session_by_handle(handle: str) -> Json:
    """An active session with its `jwtPayload` and `sessionInfo`."""
    return get_runtime().api.call("GET", _session(handle), repeatable=True)


def get_session_info(handle: str) -> Json:
    """The session data."""
    return dict(get_session_by_handle(handle)["sessionInfo"])


def update_session_info(handle: str, info: Change) -> None:
    """Replaces the session data. A function of the current data is called again if another update interferes."""
    api = get_runtime().api
    if not callable(info):
        api.call("PATCH", _session(handle), {"sessionInfo": info})
        return
    for _ in range(_ATTEMPTS):
        current = get_session_by_handle(handle)
        body = {"sessionInfo": info(current["sessionInfo"]), "sessionInfoVersion": current["sessionInfoVersion"]}
        with suppress(Conflict):
            api.call("PATCH", _session(handle), body)
            return
    raise GeneralError("STORE_UNAVAILABLE", "other requests kept changing the session data")


def update_jwt_payload(handle: str, jwt_payload: Mapping[str, Any]) -> None:
    """Replaces the JWT payload. The session's client gets it with its next request."""
    get_runtime().api.call("PATCH", _session(handle), {"jwtPayload": jwt_payload})


arevoke_session = asynchronous(revoke_session)
arevoke_sessions = asynchronous(revoke_sessions)
arevoke_all_sessions_for_user = asynchronous(revoke_all_sessions_for_user)
aget_all_session_handles_for_user = asynchronous(get_all_session_handles_for_user)
alist_sessions = asynchronous(list_sessions)
aget_session_by_handle = asynchronous(get_session_by_handle)
aget_session_info = asynchronous(get_session_info)
aupdate_session_info = asynchronous(update_session_info)
aupdate_jwt_payload = asynchronous(update_jwt_payload)


def _revoke(path: str, body: Json) -> list[str]:
    runtime = get_runtime()
    handles: list[str] = runtime.api.call("POST", path, body, repeatable=True)["revoked"]
    runtime.feed.note_revoked(*handles)
    return handles


def _session(handle: str) -> str:
    return f"/v1/sessions/{quote(handle, safe='')}"
