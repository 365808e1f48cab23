"""Calls by handle and by user, without a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from .errors import GeneralError, SessionNotFoundError
from .native_api import Conflict, asynchronous, encoded
from .runtime import get_runtime

Json = dict[str, Any]
_ATTEMPTS = 5
_PAGE = 1000


def revoke_session(handle: str) -> bool:
    """Revokes a session. Returns whether it existed."""
    runtime = get_runtime()
    try:
        runtime.api.call("DELETE", f"/v1/sessions/{encoded(handle)}", repeatable=True)
    except SessionNotFoundError:
        return False
    runtime.feed.note_revoked(handle)
    return True


def revoke_sessions(handles: Iterable[str]) -> list[str]:
    """Revokes several sessions. Returns the handles of those that existed."""
    return _revoked(get_runtime().api.call("POST", "/v1/sessions/revoke", {"handles": list(handles)}, repeatable=True))


def revoke_all_sessions_for_user(
    user_id: str | int, *, except_handle: str | None = None, tenant_id: str | None = None
) -> list[str]:
    """Revokes all sessions of a user, or all but one. Returns their handles."""
    query = _query(tenantId=tenant_id, **{"except": except_handle})
    return _revoked(get_runtime().api.call("DELETE", _sessions_of(user_id) + query, repeatable=True))


def get_all_session_handles_for_user(user_id: str | int) -> list[str]:
    """The handles of a user's active sessions, newest first."""
    return [session["handle"] for session in list_sessions(user_id)]


def list_sessions(user_id: str | int, *, tenant_id: str | None = None) -> list[Json]:
    """A user's active sessions, newest first, each with `handle`, `createdAt`, `expiresAt`, `ip` and `userAgent`."""
    found: list[Json] = []
    after = None
    while True:
        path = _sessions_of(user_id) + _query(limit=str(_PAGE), after=after, tenantId=tenant_id)
        page = get_runtime().api.call("GET", path, repeatable=True)
        found += page["sessions"]
        after = page["next"]
        if after is None:
            return found


def get_session_by_handle(handle: str) -> Json:
    """An active session with its `jwtPayload` and `sessionInfo`."""
    return get_runtime().api.call("GET", f"/v1/sessions/{encoded(handle)}", repeatable=True)


def get_session_info(handle: str) -> Json:
    """The session data."""
    info: Json = get_session_by_handle(handle)["sessionInfo"]
    return info


def update_session_info(handle: str, info: Mapping[str, Any] | Callable[[Json], Mapping[str, Any]]) -> None:
    """Replaces the session data. A function of the current data is called again if another update interferes."""
    path = f"/v1/sessions/{encoded(handle)}"
    if not callable(info):
        get_runtime().api.call("PATCH", path, {"sessionInfo": info})
        return
    for _ in range(_ATTEMPTS):
        current = get_session_by_handle(handle)
        body = {"sessionInfo": info(current["sessionInfo"]), "sessionInfoVersion": current["sessionInfoVersion"]}
        try:
            get_runtime().api.call("PATCH", path, body)
        except Conflict:
            continue
        return
    raise GeneralError("STORE_UNAVAILABLE", "other requests kept changing the session data")


def update_jwt_payload(handle: str, jwt_payload: Mapping[str, Any]) -> None:
    """Replaces the JWT payload. The session's client gets it with its next request."""
    get_runtime().api.call("PATCH", f"/v1/sessions/{encoded(handle)}", {"jwtPayload": jwt_payload})


arevoke_session = asynchronous(revoke_session)
arevoke_sessions = asynchronous(revoke_sessions)
arevoke_all_sessions_for_user = asynchronous(revoke_all_sessions_for_user)
aget_all_session_handles_for_user = asynchronous(get_all_session_handles_for_user)
alist_sessions = asynchronous(list_sessions)
aget_session_by_handle = asynchronous(get_session_by_handle)
aget_session_info = asynchronous(get_session_info)
aupdate_session_info = asynchronous(update_session_info)
aupdate_jwt_payload = asynchronous(update_jwt_payload)


def _revoked(answer: Json) -> list[str]:
    handles: list[str] = answer["revoked"]
    get_runtime().feed.note_revoked(*handles)
    return handles


def _sessions_of(user_id: str | int) -> str:
    return f"/v1/users/{encoded(str(user_id))}/sessions"


def _query(**parameters: str | None) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
