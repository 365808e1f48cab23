"""What a session object does, in views of plain Django and of Django REST framework."""
import json

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from supertokens_python.recipe.session.exceptions import (
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_python.recipe.session.framework.django.syncio import verify_session
from supertokens_python.recipe.session.syncio import (
    create_new_session,
    get_all_session_handles_for_user,
    get_session,
    get_session_information,
    revoke_all_sessions_for_user,
    update_session_data_in_database,
)
from supertokens_python.types import RecipeUserId


@csrf_exempt
def login(request: HttpRequest) -> JsonResponse:
    body = json.loads(request.body)
    session = create_new_session(
        request,
        "public",
        RecipeUserId(body["user_id"]),
        body.get("payload", {}),
        body.get("info", {}),
    )
    return JsonResponse({"handle": session.get_handle()})


@method_decorator(verify_session(), name="dispatch")
class Me(APIView):
    """A view of Django REST framework behind the decorator: unsafe methods need the anti-CSRF token."""

    def get(self, request: Request) -> Response:
        session = request.supertokens
        return Response(
            {
                "user_id": session.get_user_id(),
                "handle": session.get_handle(),
                "payload": session.get_access_token_payload(),
            }
        )

    post = get


@csrf_exempt
def notes(request: HttpRequest) -> JsonResponse:
    """Plain Django: the view gets the session itself, with CSRF protection for all methods."""
    try:
        session = get_session(request, anti_csrf_check=True)
    except (UnauthorisedError, TryRefreshTokenError):
        return JsonResponse({"message": "try refresh token"}, status=401)
    assert session is not None
    if request.method == "PUT":
        session.sync_update_session_data_in_database(json.loads(request.body))
    return JsonResponse(session.sync_get_session_data_from_database())


@verify_session()
@api_view(["GET", "PATCH"])
def claims(request: Request) -> Response:
    session = request.supertokens
    if request.method == "PATCH":
        session.sync_merge_into_access_token_payload(request.data)
    return Response(session.get_access_token_payload())


@csrf_exempt
@verify_session(check_database=True)
def logout(request: HttpRequest) -> JsonResponse:
    request.supertokens.sync_revoke_session()
    return JsonResponse({})


@csrf_exempt
def handles(request: HttpRequest, user_id: str) -> JsonResponse:
    """What an administrator does, without a session of their own."""
    found = get_all_session_handles_for_user(user_id)
    if request.method == "DELETE":
        return JsonResponse({"revoked": revoke_all_sessions_for_user(user_id)})
    details = []
    for handle in found:
        update_session_data_in_database(handle, {"seen": True})
        info = get_session_information(handle)
        assert info is not None
        details.append(
            {
                "handle": info.session_handle,
                "user_id": info.user_id,
                "tenant_id": info.tenant_id,
                "info": info.session_data_in_database,
            }
        )
    return JsonResponse({"sessions": details})
