"""Cross-site requests: which ones may use the cookies that the browser adds to them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from .errors import CrossSiteRequestError
from .options import Options

if TYPE_CHECKING:
    from django.http import HttpRequest

_logger = logging.getLogger("keyturn")
_NEAR = {None, "same-origin", "same-site", "none"}


def classify_origin(request: HttpRequest, options: Options) -> Literal["trusted", "untrusted", "unknown"]:
    """Two headers that pages cannot set say where a request comes from. The stricter of the two decides."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is None:
        if site is None:
            return "unknown"
        return "trusted" if site in {"same-origin", "none"} else "untrusted"
    if origin == "null":
        # A form of a page with `Referrer-Policy: no-referrer`. Without a domain, cookies reach their own host only.
        return "trusted" if site == "same-origin" and options.cookie_domain is None else "untrusted"
    if origin not in options.trusted_origins:
        return "untrusted"
    # The own origin cannot be another site: another site has redirected this request.
    return "trusted" if origin != options.origin or site in _NEAR else "untrusted"


def is_proven(request: HttpRequest, options: Options) -> bool:
    """Whether a request comes from a trusted page, or from a client that no page controls."""
    verdict = classify_origin(request, options)
    return verdict == "trusted" or (verdict == "unknown" and has_custom_header(request))


def has_custom_header(request: HttpRequest) -> bool:
    return (request.headers.get("rid") or "").strip() != ""


def is_guarded(request: HttpRequest, enable_csrf_protection: bool | None) -> bool:
    """Whether the origin is checked: by default, for requests that may change something, or open a WebSocket."""
    if enable_csrf_protection is not None:
        return enable_csrf_protection
    is_upgrade = "websocket" in (request.headers.get("upgrade") or "").lower()
    return is_upgrade or request.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}


def may_log_in(request: HttpRequest, options: Options, allow_cross_site_post: bool) -> bool:
    """Whether a login may set cookies. From another site, only a navigation of the tab may: the way back from an
    identity provider. A form of another site may if the application has compared its `state`."""
    if classify_origin(request, options) != "untrusted":
        return True
    site, mode, destination = (request.headers.get(f"sec-fetch-{name}") for name in ("site", "mode", "dest"))
    opens_in_tab = mode == "navigate" and destination == "document"
    if request.method == "POST":
        if allow_cross_site_post and site is None:
            return mode is None and destination is None
        is_allowed = allow_cross_site_post and opens_in_tab
    else:
        is_allowed = request.method == "GET" and "origin" not in request.headers and opens_in_tab
    return is_allowed and site in {"cross-site", "same-site"} and "sec-purpose" not in request.headers


def cross_site_request(request: HttpRequest) -> CrossSiteRequestError:
    """The error for a request of another site, which is logged: the application may not know its own front end."""
    origin = (request.headers.get("origin") or "")[:200]
    _logger.warning('a request from the origin %r was refused; KEYTURN["TRUSTED_ORIGINS"] adds front ends', origin)
    return CrossSiteRequestError("the origin of the request is not trusted")
