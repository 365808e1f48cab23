"""The test project for a server of WSGI. With CLOCK_FILE, its clock is ahead by the seconds in that file."""

import os
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app")
if clock_file := os.environ.get("CLOCK_FILE"):
    real = time.time
    time.time = lambda: real() + float(Path(clock_file).read_text())

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

if os.environ.get("USE_BEFORE_FORK"):
    # What a project may do when it is loaded: the threads of this process are not in the workers.
    from keyturn.runtime import get_runtime

    while not get_runtime().feed.is_fresh():
        time.sleep(0.01)
