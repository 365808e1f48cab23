"""The life of a session, through clients that openapi-python-client makes of the documents."""

import sys

from cdi_client import AuthenticatedClient as CdiClient
from cdi_client.api.sessions import (
    create_session as create,
    get_session_data,
    get_sessions_of_user,
    refresh_session as refresh,
    remove_sessions,
    set_payload,
    verify_session,
)
from cdi_client.models import (
    Data,
    Done,
    Handles,
    NewPayload,
    NewSession,
    Pair,
    Refresh,
    Refreshed,
    RemovalOfUser,
    Removed,
    UserDataInJWT,
    Verification,
    Verified,
)
from cdi_client.models import JsonObject as CdiJsonObject
from cdi_client.models import Session as CdiSession
from cdi_client.models import Token
from native_client import AuthenticatedClient
from native_client.api.keys import read_keys
from native_client.api.sessions import (
    create_session,
    read_session,
    reauthenticate_session,
    refresh_session,
    update_session,
)
from native_client.api.tokens import introspect
from native_client.api.users import list_sessions, revoke_sessions_of_user
from native_client.models import (
    AccessToken,
    CreateSessionBody,
    Error,
    ErrorCode,
    IntrospectBody,
    JsonObject,
    JwtPayload,
    KeySet,
    ReauthenticateSessionBody,
    RefreshError,
    RefreshSessionBody,
    RevokedSessions,
    RevokeSessionsOfUserBody,
    Session,
    SessionPage,
    TokenPair,
    TokenState,
    UpdateSessionBody,
)

_, base_url, api_key = sys.argv


def native() -> None:
    client = AuthenticatedClient(base_url=base_url, token=api_key, raise_on_unexpected_status=True)
    payload = JwtPayload()
    payload["role"] = "x"
    info = JsonObject()
    info["a"] = 1
    body = CreateSessionBody(user_id="ada", jwt_payload=payload, session_info=info)
    pair = create_session.sync(client=client, body=body)
    assert isinstance(pair, TokenPair)
    handle = pair.handle

    session = read_session.sync(handle, client=client)
    assert isinstance(session, Session)
    assert (session.user_id, session.jwt_payload["role"], session.session_info_version) == ("ada", "x", 0)
    page = list_sessions.sync(client=client, user_id="ada", limit=5)
    assert isinstance(page, SessionPage)
    assert ([each.handle for each in page.sessions], page.next_) == ([handle], None)

    changes = JwtPayload()
    changes["role"] = "y"
    patch = JsonObject()
    patch["b"] = 2
    changed = update_session.sync(
        handle,
        client=client,
        body=UpdateSessionBody(
            jwt_payload=changes,
            access_token=pair.access_token,
            merge_session_info=patch,
            session_info_version=0,
        ),
    )
    assert isinstance(changed, AccessToken)
    replacement = UpdateSessionBody(session_info=JsonObject(), session_info_version=0)
    conflict = update_session.sync(handle, client=client, body=replacement)
    assert isinstance(conflict, Error) and conflict.error is ErrorCode.CONFLICT

    refreshed = refresh_session.sync(client=client, body=RefreshSessionBody(refresh_token=pair.refresh_token))
    assert isinstance(refreshed, TokenPair)
    state = introspect.sync(client=client, body=IntrospectBody(token=refreshed.access_token))
    assert isinstance(state, TokenState) and state.active and state.sub == "ada"
    again = reauthenticate_session.sync(
        handle, client=client, body=ReauthenticateSessionBody(access_token=refreshed.access_token)
    )
    assert isinstance(again, TokenPair) and again.handle == handle

    keys = read_keys.sync(client=client)
    assert isinstance(keys, KeySet) and keys.keys
    revoked = revoke_sessions_of_user.sync(client=client, body=RevokeSessionsOfUserBody(user_id="ada"))
    assert isinstance(revoked, RevokedSessions) and revoked.revoked == [handle]
    gone = read_session.sync(handle, client=client)
    assert isinstance(gone, Error) and gone.error is ErrorCode.NOT_FOUND
    refused = refresh_session.sync(client=client, body=RefreshSessionBody(refresh_token=again.refresh_token))
    assert isinstance(refused, RefreshError) and refused.error == "unauthorized"
    ended = introspect.sync(client=client, body=IntrospectBody(token=refreshed.access_token))
    assert isinstance(ended, TokenState) and not ended.active


def cdi() -> None:
    client = CdiClient(
        base_url=base_url, token=api_key, prefix="", auth_header_name="api-key", raise_on_unexpected_status=True
    )
    payload = UserDataInJWT()
    payload["role"] = "x"
    data = CdiJsonObject()
    data["a"] = 1
    pair = create.sync(
        client=client,
        body=NewSession(
            user_id="grace", user_data_in_jwt=payload, user_data_in_database=data, enable_anti_csrf=False
        ),
    )
    assert isinstance(pair, Pair)
    assert isinstance(pair.session, CdiSession)
    assert isinstance(pair.access_token, Token) and isinstance(pair.refresh_token, Token)
    handle = pair.session.handle

    def verify(token: str) -> str:
        verified = verify_session.sync(
            client=client,
            body=Verification(
                access_token=token, do_anti_csrf_check=False, enable_anti_csrf=False, check_database=True
            ),
        )
        assert isinstance(verified, Verified)
        return verified.status.value

    assert verify(pair.access_token.token) == "OK"
    changes = UserDataInJWT()
    changes["role"] = "y"
    done = set_payload.sync(client=client, body=NewPayload(session_handle=handle, user_data_in_jwt=changes))
    assert isinstance(done, Done) and done.status.value == "OK"
    refreshed = refresh.sync(
        client=client,
        body=Refresh(
            refresh_token=pair.refresh_token.token, enable_anti_csrf=False, use_dynamic_signing_key=True
        ),
    )
    assert isinstance(refreshed, Refreshed) and isinstance(refreshed.access_token, Token)
    stored = get_session_data.sync(client=client, session_handle=handle)
    assert isinstance(stored, Data) and stored.to_dict()["userDataInDatabase"] == {"a": 1}
    listed = get_sessions_of_user.sync(client=client, user_id="grace")
    assert isinstance(listed, Handles) and listed.session_handles == [handle]
    removed = remove_sessions.sync(client=client, body=RemovalOfUser(user_id="grace"))
    assert isinstance(removed, Removed) and removed.session_handles_revoked == [handle]
    assert verify(refreshed.access_token.token) == "UNAUTHORISED"


native()
cdi()
print("both clients ran the life of a session")
