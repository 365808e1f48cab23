"""The setting `KEYTURN` of a Django project."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

Blacklisting = Literal["off", "feed", "strict"]

_LOCAL_HOST = re.compile(r"(?:.*\.)?localhost|127(?:\.\d{1,3}){3}|::1")


@dataclass(frozen=True)
class Options:
    """The settings, checked and with defaults."""

    origin: str
    server: str
    api_key: str | None
    application: str
    issuer: str
    audience: str | None
    trusted_origins: frozenset[str]
    base_path: str
    gateway_path: str
    cookie_domain: str | None
    cookie_same_site: Literal["Lax", "Strict", "None"]
    access_token_cookie: str
    refresh_token_cookie: str
    anti_csrf: Literal["origin", "custom-header", "token"]
    blacklisting: Blacklisting
    fail_open: bool
    max_staleness: float
    expired_status: int
    timeout: float
    client_ip: Callable[[Any], str | None]

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def refresh_path(self) -> str:
        """The path of the refresh endpoint as browsers request it: the path of the refresh token's cookie."""
        return f"{self.gateway_path}{self.base_path}/session/refresh"


def remote_address(request: Any) -> str | None:  # noqa: ANN401 -- the request of any framework
    """The address of the peer. Behind a proxy, set `CLIENT_IP` to a function that reads the proxy's header."""
    address = request.META.get("REMOTE_ADDR")
    return address if isinstance(address, str) and address else None


def _origin_of(text: object) -> str | None:
    """The origin that a text names, in lower case and without a default port, as browsers send it; None otherwise."""
    if not isinstance(text, str):
        return None
    url = urlsplit(text)
    if not url.scheme or not url.netloc or url.path.strip("/") or url.query or url.fragment or "*" in text:
        return None
    return f"{url.scheme}://{url.netloc.lower().removesuffix({'https': ':443', 'http': ':80'}.get(url.scheme, '//'))}"


def _text(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _number(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _one_of(*values: str) -> tuple[Callable[[object], bool], str]:
    return lambda value: value in values, " or ".join(f'"{value}"' for value in values)


def _is_origin_list(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(_origin_of(each) for each in value)


_PATH = _text(r"(?:/[A-Za-z0-9._~-]+)*")
_COOKIE_NAME = (_text(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}"), "a cookie name")

# The default, the check, and what is accepted. With the default None, a setting may be absent or None.
_RULES: dict[str, tuple[Any, Callable[[object], bool], str]] = {
    "ORIGIN": ("", lambda value: (_origin_of(value) or "").startswith("http"), 'an origin: "https://app.example.com"'),
    "SERVER": ("http://127.0.0.1:3567", _text(r"https?://[^\s?#]+"), 'a URL: "https://sessions.example.com"'),
    "API_KEY": (None, _text(r"[A-Za-z0-9=-]{20,}"), "the server's --api-key"),
    "APPLICATION": (None, _text(r"[a-z0-9-]+"), "the id of one of the server's applications (--app)"),
    "ISSUER": (None, _text(r"\S+"), "the server's --issuer"),
    "AUDIENCE": (None, _text(r".+"), "the server's --audience"),
    "TRUSTED_ORIGINS": ((), _is_origin_list, 'a list of origins: ["https://www.example.com"]'),
    "BASE_PATH": ("/auth", _PATH, 'a path: "/auth"'),
    "GATEWAY_PATH": ("", _PATH, 'a path: "/api"'),
    "COOKIE_DOMAIN": (None, _text(r"\.?[a-z0-9-]+(?:\.[a-z0-9-]+)+"), "the host of ORIGIN or a parent domain of it"),
    "COOKIE_SAME_SITE": ("lax", *_one_of("lax", "strict", "none")),
    "ACCESS_TOKEN_COOKIE": (None, *_COOKIE_NAME),
    "REFRESH_TOKEN_COOKIE": (None, *_COOKIE_NAME),
    "ANTI_CSRF": ("origin", *_one_of("origin", "custom-header", "token")),
    "ACCESS_TOKEN_BLACKLISTING": ("feed", *_one_of("off", "feed", "strict")),
    "ON_SERVER_FAILURE": ("failOpen", *_one_of("failOpen", "failClosed")),
    "MAX_STALENESS": (5, _number(1, 3600), "seconds, from 1 to 3600"),
    "SESSION_EXPIRED_STATUS_CODE": (401, _number(400, 499), "a status from 400 to 499"),
    "TIMEOUT": (5, _number(0.1, 60), "seconds, from 0.1 to 60"),
    "CLIENT_IP": (remote_address, callable, "a function of the request, or its dotted path"),
}


def load_options(given: Mapping[str, Any]) -> Options:
    """Checks the settings. Raises ImproperlyConfigured, which names the setting that is wrong."""
    for name in given:
        if name not in _RULES:
            raise ImproperlyConfigured(f"KEYTURN has no setting {name}; there are {', '.join(_RULES)}")
    values = {name: default for name, (default, _, _) in _RULES.items()} | dict(given)
    if isinstance(values["CLIENT_IP"], str):
        values["CLIENT_IP"] = import_string(values["CLIENT_IP"])
    for name, (default, fits, accepts) in _RULES.items():
        if not fits(values[name]) and not (default is None and values[name] is None):
            shown = "" if name == "API_KEY" else f"; received {values[name]!r}"
            raise ImproperlyConfigured(f'KEYTURN["{name}"] must be {accepts}{shown}')
    return _build(values)


def _build(values: Mapping[str, Any]) -> Options:
    origin = _origin_of(values["ORIGIN"]) or ""
    url = urlsplit(origin)
    host = url.hostname or ""
    is_local = _LOCAL_HOST.fullmatch(host) is not None
    is_secure = url.scheme == "https"
    if not is_secure and not is_local:
        raise ImproperlyConfigured('KEYTURN["ORIGIN"] must be https, or http on localhost: others can read plain http')
    domain = (values["COOKIE_DOMAIN"] or "").removeprefix(".") or None
    if domain is not None and host != domain and not host.endswith(f".{domain}"):
        raise ImproperlyConfigured(f'KEYTURN["COOKIE_DOMAIN"] must be {host} or a parent of it; received {domain}')
    if values["COOKIE_SAME_SITE"] == "none" and not is_secure:
        raise ImproperlyConfigured('KEYTURN["COOKIE_SAME_SITE"] "none" requires an https ORIGIN')
    application = values["APPLICATION"] or "default"
    app_path = f"/appid-{application}" if values["APPLICATION"] else ""
    server = values["SERVER"].rstrip("/") + app_path
    # Browsers send a cookie to every port of a host: the applications of one machine must not overwrite each other's.
    port = f"-{url.port}" if is_local and url.port else ""
    secured = "__Secure-" if is_secure else ""
    access_name = f"{'__Host-' if is_secure and domain is None else secured}sAccessToken{port}"
    return Options(
        origin=origin,
        server=server,
        api_key=values["API_KEY"],
        application=application,
        issuer=values["ISSUER"] or server,
        audience=values["AUDIENCE"],
        trusted_origins=frozenset({origin, *(_origin_of(each) or origin for each in values["TRUSTED_ORIGINS"])}),
        base_path=values["BASE_PATH"],
        gateway_path=values["GATEWAY_PATH"],
        cookie_domain=domain,
        cookie_same_site=values["COOKIE_SAME_SITE"].capitalize(),
        access_token_cookie=values["ACCESS_TOKEN_COOKIE"] or access_name,
        refresh_token_cookie=values["REFRESH_TOKEN_COOKIE"] or f"{secured}sRefreshToken{port}",
        anti_csrf=values["ANTI_CSRF"],
        blacklisting=values["ACCESS_TOKEN_BLACKLISTING"],
        fail_open=values["ON_SERVER_FAILURE"] == "failOpen",
        max_staleness=values["MAX_STALENESS"],
        expired_status=int(values["SESSION_EXPIRED_STATUS_CODE"]),
        timeout=values["TIMEOUT"],
        client_ip=values["CLIENT_IP"],
    )
