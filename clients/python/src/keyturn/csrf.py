"""Cross-site requests: which ones may use the cookies that the browser adds to them."""

import logging
from typing import Literal

from django.http import HttpRequest

from .errors import CrossSiteRequestError
from .options import Options

_logger = logging.getLogger("keyturn")
_PROOFS = {"custom-header": "rid", "token": "anti-csrf"}
_NEAR = {None, "same-origin", "same-site", "none"}


def classify_origin(request: HttpRequest, options: Options) -> Literal["trusted", "untrusted", "unknown"]:
    """Two headers that pages cannot set say where a request comes from. The stricter of the two decides."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is None and site is None:
        return "unknown"
    if origin is None:
        is_trusted = site in {"same-origin", "none"}
    elif origin == "null":
        # A form of a page with `Referrer-Policy: no-referrer`. Without a domain, cookies reach their own host only.
        is_trusted = site == "same-origin" and options.cookie_domain is None
    else:
        # The own origin cannot be another site: another site has redirected this request.
        is_trusted = origin in options.trusted_origins and (origin != options.origin or site in _NEAR)
    return "trusted" if is_trusted else "untrusted"


def is_proven(request: HttpRequest, options: Options) -> bool:
    """Whether a request comes from a trusted page, or from a client that no page controls."""
    verdict = classify_origin(request, options)
    has_custom_header = request.headers.get("rid", "").strip() != ""
    return verdict == "trusted" or (verdict == "unknown" and has_custom_header)


def required_proof(request: HttpRequest, options: Options) -> str | None:
    """The header that `ANTI_CSRF` requires besides the origin: empty if it is absent, None if none is required."""
    name = _PROOFS.get(options.anti_csrf)
    return None if name is None else request.headers.get(name, "").strip()


def is_guarded(request: HttpRequest, enable_csrf_protection: bool | None) -> bool:
    """Whether the origin is checked: by default, for requests that may change something, or open a WebSocket."""
    if enable_csrf_protection is not None:
        return enable_csrf_protection
    is_upgrade = "websocket" in request.headers.get("upgrade", "").lower()
    return is_upgrade or request.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}


def may_log_in(request: HttpRequest, options: Options, allow_cross_site_post: bool) -> bool:
    """Whether a login may set cookies. From another site, only a navigation of the tab may: the way back from an
    identity provider. A form of another site may if the application has compared its `state`."""
    if classify_origin(request, options) != "untrusted":
        return True
    site, mode, destination = (request.headers.get(f"sec-fetch-{name}") for name in ("site", "mode", "dest"))
    is_post = request.method == "POST" and allow_cross_site_post
    if is_post and site is None:
        return mode is None and destination is None
    is_get = request.method == "GET" and "origin" not in request.headers
    opens_in_tab = mode == "navigate" and destination == "document" and site in {"cross-site", "same-site"}
    return (is_post or is_get) and opens_in_tab and "sec-purpose" not in request.headers


def cross_site_request(request: HttpRequest) -> CrossSiteRequestError:
    """The error for a request of another site, which is logged: the application may not know its own front end."""
    origin = request.headers.get("origin", "")[:200]
    _logger.warning('a request from the origin %r was refused; KEYTURN["TRUSTED_ORIGINS"] adds front ends', origin)
    return CrossSiteRequestError("the origin of the request is not trusted")
