"""Sessions of the Keyturn server for Django and Django REST framework."""

from . import endpoints, errors, management, requests, session
from .endpoints import *
from .errors import *
from .management import *
from .middleware import set_headers_for_options_api
from .requests import *
from .session import *
from .wire import REQUEST_HEADERS, RESPONSE_HEADERS

__all__ = ["REQUEST_HEADERS", "RESPONSE_HEADERS", "set_headers_for_options_api"]
__all__ += endpoints.__all__ + errors.__all__ + management.__all__ + requests.__all__ + session.__all__
