"""Sessions of the Keyturn server for Django and Django REST framework."""

from .endpoints import arefresh_session, asign_out, refresh_session, sign_out
from .errors import (
    CrossSiteRequestError,
    GeneralError,
    InvalidDataError,
    SessionError,
    SessionNotFoundError,
    TokenTheftDetectedError,
    TryRefreshTokenError,
    UnauthorizedError,
)
from .management import (
    aget_all_session_handles_for_user,
    aget_session_by_handle,
    aget_session_info,
    alist_sessions,
    arevoke_all_sessions_for_user,
    arevoke_session,
    arevoke_sessions,
    aupdate_jwt_payload,
    aupdate_session_info,
    get_all_session_handles_for_user,
    get_session_by_handle,
    get_session_info,
    list_sessions,
    revoke_all_sessions_for_user,
    revoke_session,
    revoke_sessions,
    update_jwt_payload,
    update_session_info,
)
from .middleware import set_headers_for_options_api
from .requests import (
    acreate_new_session,
    aget_session,
    create_new_session,
    get_session,
)
from .session import Session
from .wire import REQUEST_HEADERS, RESPONSE_HEADERS

__all__ = [
    "REQUEST_HEADERS", "RESPONSE_HEADERS",
    "CrossSiteRequestError", "GeneralError", "InvalidDataError", "Session", "SessionError", "SessionNotFoundError",
    "TokenTheftDetectedError", "TryRefreshTokenError", "UnauthorizedError", "acreate_new_session",
    "aget_all_session_handles_for_user", "aget_session", "aget_session_by_handle", "aget_session_info",
    "alist_sessions", "arefresh_session", "arevoke_all_sessions_for_user", "arevoke_session", "arevoke_sessions",
    "asign_out", "aupdate_jwt_payload", "aupdate_session_info", "create_new_session",
    "get_all_session_handles_for_user", "get_session", "get_session_by_handle", "get_session_info", "list_sessions",
    "refresh_session", "revoke_all_sessions_for_user", "revoke_session", "revoke_sessions",
    "set_headers_for_options_api", "sign_out", "update_jwt_payload", "update_session_info",
]
