"""A Django project with sessions: settings, views and URLs in one module."""

from __future__ import annotations

import json
import os
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

import keyturn
from keyturn.signals import token_theft_detected

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "app"
INSTALLED_APPS = ["rest_framework", "corsheaders"]
DATABASES: dict[str, Any] = {}
USE_TZ = True
MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "keyturn.middleware.KeyturnMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["keyturn.drf.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
FRONT_ENDS = [origin for origin in os.environ.get("FRONT_END", "http://localhost:3000").split() if origin]
CORS_ALLOWED_ORIGINS = FRONT_ENDS
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = keyturn.REQUEST_HEADERS
CORS_EXPOSE_HEADERS = keyturn.RESPONSE_HEADERS
KEYTURN = {
    "ORIGIN": os.environ.get("APP_ORIGIN", "http://localhost:8000"),
    "TRUSTED_ORIGINS": FRONT_ENDS,
    "SERVER": os.environ.get("KEYTURN_URL", "http://127.0.0.1:3567"),
    "API_KEY": os.environ.get("KEYTURN_KEY"),
    "ISSUER": os.environ.get("KEYTURN_ISSUER", "https://sessions.example.com"),
    "ANTI_CSRF": os.environ.get("ANTI_CSRF", "origin"),
}


def describe(session: keyturn.Session) -> dict[str, Any]:
    return {"userId": session.get_user_id(), "handle": session.get_handle(), "payload": session.get_jwt_payload()}


def body_of(request: HttpRequest) -> dict[str, Any]:
    return json.loads(request.body or b"{}")


def style(request: HttpRequest) -> HttpResponse:
    return HttpResponse("body {}", content_type="text/css")


@csrf_exempt
def login(request: HttpRequest) -> JsonResponse:
    body = body_of(request)
    response = JsonResponse({})
    options = {name: value for name, value in body.items() if name == "persistent"}
    session = keyturn.create_new_session(
        response, body.get("userId", "ada"), body.get("payload", {"role": "reader"}), body.get("info"), **options
    )
    response.content = json.dumps(describe(session))
    return response


@csrf_exempt
def me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({**describe(keyturn.get_session(request)), "process": os.getpid()})


@csrf_exempt
def guarded(request: HttpRequest) -> JsonResponse:
    response = JsonResponse({})
    keyturn.get_session(request, response, True)
    return response


@csrf_exempt
def device(request: HttpRequest, handle: str) -> JsonResponse:
    keyturn.get_session(request)
    return JsonResponse({"revoked": keyturn.revoke_session(handle)})


def optional(request: HttpRequest) -> JsonResponse:
    session = keyturn.get_session(request, required=False)
    return JsonResponse({"userId": None if session is None else session.get_user_id()})


def strict(request: HttpRequest) -> JsonResponse:
    return JsonResponse(describe(keyturn.get_session(request, access_token_blacklisting="strict")))


def off(request: HttpRequest) -> JsonResponse:
    return JsonResponse(describe(keyturn.get_session(request, access_token_blacklisting="off")))


@csrf_exempt
def info(request: HttpRequest) -> JsonResponse:
    session = keyturn.get_session(request)
    if request.method == "PUT":
        session.update_session_info(body_of(request))
    return JsonResponse(session.get_session_info())


@csrf_exempt
def payload(request: HttpRequest) -> JsonResponse:
    session = keyturn.get_session(request)
    session.update_jwt_payload(body_of(request))
    return JsonResponse(describe(session))


@csrf_exempt
def logout(request: HttpRequest) -> JsonResponse:
    keyturn.get_session(request).revoke_session()
    return JsonResponse({})


@csrf_exempt
def revoke_others(request: HttpRequest) -> JsonResponse:
    session = keyturn.get_session(request)
    revoked = keyturn.revoke_all_sessions_for_user(session.get_user_id(), except_handle=session.get_handle())
    return JsonResponse({"revoked": revoked})


async def alogin(request: HttpRequest) -> JsonResponse:
    response = JsonResponse({})
    session = await keyturn.acreate_new_session(response, "ada", {"role": "reader"})
    response.content = json.dumps(describe(session))
    return response


async def ame(request: HttpRequest) -> JsonResponse:
    session = await keyturn.aget_session(request)
    if request.method == "PUT":
        await session.aupdate_session_info(body_of(request))
    return JsonResponse({**describe(session), "info": await session.aget_session_info() if request.GET else None})


# The decorator knows coroutines from Django 5 on.
alogin.csrf_exempt = ame.csrf_exempt = True  # type: ignore[attr-defined]


def drf_views() -> list[Any]:
    from rest_framework.request import Request  # noqa: PLC0415 -- after the settings
    from rest_framework.response import Response  # noqa: PLC0415
    from rest_framework.views import APIView  # noqa: PLC0415

    class Me(APIView):
        def get(self, request: Request) -> Response:
            return Response({"userId": request.user.pk, "payload": request.auth.get_jwt_payload()})

        post = get

    return [path("drf/me", Me.as_view())]


def report_theft(user_id: str, handle: str, **_: object) -> None:
    print(f"theft caught: session {handle} of {user_id}", flush=True)  # noqa: T201


token_theft_detected.connect(report_theft)

urlpatterns = [
    path("style.css", style),
    path("devices/<str:handle>", device),
    path("login", login),
    path("me", me),
    path("guarded", guarded),
    path("optional", optional),
    path("strict", strict),
    path("off", off),
    path("info", info),
    path("payload", payload),
    path("logout", logout),
    path("revoke-others", revoke_others),
    path("async/login", alogin),
    path("async/me", ame),
    *drf_views(),
]
