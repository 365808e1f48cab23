"""The setting `KEYTURN` of a Django project."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

Blacklisting = Literal["off", "feed", "strict"]

_LOCAL_HOST = re.compile(r"(?:.*\.)?localhost|127(?:\.\d{1,3}){3}|::1")


def remote_address(request: Any) -> str | None:  # noqa: ANN401 -- the request of any framework
    """The address of the peer. Behind a proxy, set `CLIENT_IP` to a function that reads the proxy's header."""
    return request.META.get("REMOTE_ADDR") or None


def _origin_of(text: object) -> str:
    """The origin that a text names, in lower case and without a default port, as browsers send it; else empty."""
    if not isinstance(text, str):
        return ""
    url = urlsplit(text)
    if not url.scheme or not url.netloc or url.path.strip("/") or url.query or url.fragment or "*" in text:
        return ""
    return f"{url.scheme}://{url.netloc.lower().removesuffix({'https': ':443', 'http': ':80'}.get(url.scheme, '//'))}"


def _is_origin_list(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(_origin_of(each) for each in value)


def _setting(default: object, fits: Callable[[object], bool], accepts: str) -> Any:  # noqa: ANN401 -- of any type
    """A setting: its default, its check, and what is accepted. With the default None, it may be absent or None."""
    return field(default=default, metadata={"fits": fits, "accepts": accepts})


def _text(default: str | None, pattern: str, accepts: str) -> Any:  # noqa: ANN401
    return _setting(default, lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value)), accepts)


def _number(default: int, low: float, high: float, accepts: str) -> Any:  # noqa: ANN401
    def fits(value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    return _setting(default, fits, accepts)


def _one_of(*values: str) -> Any:  # noqa: ANN401
    return _setting(values[0], lambda value: value in values, " or ".join(f'"{value}"' for value in values))


_PATH = r"(?:/[A-Za-z0-9._~-]+)*"
_COOKIE_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}"


@dataclass(frozen=True)
class Options:
    """The settings, checked, and with what follows from them."""

    origin: str = _setting(
        "", lambda value: _origin_of(value).startswith("http"), 'an origin: "https://app.example.com"')
    server: str = _text("http://127.0.0.1:3567", r"https?://[^\s?#]+", 'a URL: "https://sessions.example.com"')
    api_key: str | None = _text(None, r"[A-Za-z0-9=-]{20,}", "the server's --api-key")
    application: str | None = _text(None, r"[a-z0-9-]+", "the id of one of the server's applications (--app)")
    issuer: str | None = _text(None, r"\S+", "the server's --issuer")
    audience: str | None = _text(None, r".+", "the server's --audience")
    trusted_origins: frozenset[str] = _setting((), _is_origin_list, 'a list of origins: ["https://www.example.com"]')
    base_path: str = _text("/auth", _PATH, 'a path: "/auth"')
    gateway_path: str = _text("", _PATH, 'a path: "/api"')
    cookie_domain: str | None = _text(
        None, r"\.?[a-z0-9-]+(?:\.[a-z0-9-]+)+", "the host of ORIGIN or a parent domain of it")
    cookie_same_site: Literal["lax", "strict", "none"] = _one_of("lax", "strict", "none")
    access_token_cookie: str = _text(None, _COOKIE_NAME, "a cookie name")
    refresh_token_cookie: str = _text(None, _COOKIE_NAME, "a cookie name")
    anti_csrf: Literal["origin", "custom-header", "token"] = _one_of("origin", "custom-header", "token")
    access_token_blacklisting: Blacklisting = _one_of("feed", "off", "strict")
    on_server_failure: Literal["failOpen", "failClosed"] = _one_of("failOpen", "failClosed")
    max_staleness: float = _number(5, 1, 3600, "seconds, from 1 to 3600")
    session_expired_status_code: int = _number(401, 400, 499, "a status from 400 to 499")
    timeout: float = _number(5, 0.1, 60, "seconds, from 0.1 to 60")
    client_ip: Callable[[Any], str | None] = _setting(
        remote_address, callable, "a function of the request, or its dotted path")

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def refresh_path(self) -> str:
        """The path of the refresh endpoint as browsers request it: the path of the refresh token's cookie."""
        return f"{self.gateway_path}{self.base_path}/session/refresh"


def load_options(given: Mapping[str, Any]) -> Options:
    """Checks the settings. Raises ImproperlyConfigured, which names the setting that is wrong."""
    settings = {setting.name.upper(): setting for setting in fields(Options)}
    for name in given:
        if name not in settings:
            raise ImproperlyConfigured(f"KEYTURN has no setting {name}; there are {', '.join(settings)}")
    values = {}
    for name, setting in settings.items():
        value = given.get(name, setting.default)
        if name == "CLIENT_IP" and isinstance(value, str):
            value = import_string(value)
        if not setting.metadata["fits"](value) and not (setting.default is None and value is None):
            shown = "" if name == "API_KEY" else f"; received {value!r}"
            raise ImproperlyConfigured(f'KEYTURN["{name}"] must be {setting.metadata["accepts"]}{shown}')
        values[setting.name] = value
    return _complete(Options(**values))


def _complete(given: Options) -> Options:
    """The settings with what follows from them."""
    options = replace(given, origin=_origin_of(given.origin))
    url = urlsplit(options.origin)
    host = url.hostname or ""
    is_local = _LOCAL_HOST.fullmatch(host) is not None
    if not options.is_secure and not is_local:
        raise ImproperlyConfigured('KEYTURN["ORIGIN"] must be https, or http on localhost: others can read plain http')
    domain = (options.cookie_domain or "").removeprefix(".") or None
    if domain is not None and host != domain and not host.endswith(f".{domain}"):
        raise ImproperlyConfigured(f'KEYTURN["COOKIE_DOMAIN"] must be {host} or a parent of it; received {domain}')
    if options.cookie_same_site == "none" and not options.is_secure:
        raise ImproperlyConfigured('KEYTURN["COOKIE_SAME_SITE"] "none" requires an https ORIGIN')
    server = options.server.rstrip("/") + (f"/appid-{options.application}" if options.application else "")
    # Browsers send a cookie to every port of a host: the applications of one machine must not overwrite each other's.
    port = f"-{url.port}" if is_local and url.port else ""
    secured = "__Secure-" if options.is_secure else ""
    bound = "__Host-" if options.is_secure and domain is None else secured
    return replace(
        options, server=server, issuer=options.issuer or server, cookie_domain=domain,
        trusted_origins=frozenset({options.origin, *map(_origin_of, options.trusted_origins)}),
        access_token_cookie=options.access_token_cookie or f"{bound}sAccessToken{port}",
        refresh_token_cookie=options.refresh_token_cookie or f"{secured}sRefreshToken{port}",
    )
