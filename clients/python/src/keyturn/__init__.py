"""Sessions of the Keyturn server for Django and Django REST framework."""

from . import errors, management, requests, session, wire
from .errors import *
from .management import *
from .requests import *
from .session import *
from .wire import *

__all__ = errors.__all__ + management.__all__ + requests.__all__ + session.__all__ + wire.__all__
