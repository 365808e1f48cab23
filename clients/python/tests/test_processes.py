"""The package in the processes of real servers: after a fork, on an event loop, at the exit."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from conftest import API_KEY, eventually, main_server, outsider

FOLDER = Path(__file__).parent


class Browser:
    """A client with cookies, of which each request has a connection of its own: any worker may get it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def send(self, method: str, target: str) -> tuple[int, dict]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        origin = f"http://localhost:{self._port}"
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"origin": origin, "cookie": cookies, "content-type": "application/json"}
        connection.request(method, target, b"{}", headers)
        response = connection.getresponse()
        for line in response.headers.get_all("set-cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self._cookies[name] = value
        body = response.read()
        connection.close()
        return response.status, json.loads(body)

    def copy(self) -> Browser:
        other = Browser(self._port)
        other._cookies = dict(self._cookies)
        return other


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[Browser]:
    """Runs a server of the project, and asks it to stop: it must end by itself, with 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", *[part.replace("PORT", str(port)) for part in command]],
        cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent / "src"), "APP_ORIGIN": f"http://localhost:{port}",
             "KEYTURN_URL": main_server.url, **environment},
    )
    output: list[str] = []
    started = threading.Event()

    def read() -> None:
        for line in process.stdout:
            output.append(line)
            if re.search(r"Booting worker|Uvicorn running", line):
                started.set()
        started.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert started.wait(60), output
        assert process.poll() is None, output
        yield Browser(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, -signal.SIGTERM}, output
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def requests_of_server() -> int:
    """How many requests the session server has answered."""
    request = urllib.request.Request(f"{main_server.url}/metrics", headers={"api-key": API_KEY})
    with urllib.request.urlopen(request) as response:
        text = response.read().decode()
    return sum(int(count) for count in re.findall(r"^keyturn_http_requests_total\{[^}]*\} (\d+)$", text, re.M))


def test_workers_that_are_forked_after_use_follow_the_feed_themselves() -> None:
    command = ("gunicorn", "--preload", "--workers", "3", "--bind", "127.0.0.1:PORT", "wsgi:application")
    with serving(*command, USE_BEFORE_FORK="1") as browser:
        status, session = browser.send("POST", "/login")
        assert status == 200

        workers = set()

        def all_have_answered() -> bool:
            status, me = browser.send("GET", "/me")
            assert status == 200
            workers.add(me["process"])
            return len(workers) == 3

        eventually(all_have_answered, 60)

        def no_call_for_many_requests() -> bool:
            before = requests_of_server()
            assert [browser.send("GET", "/me")[0] for _ in range(30)] == [200] * 30
            # The first count itself is one of them.
            return requests_of_server() == before + 1

        eventually(no_call_for_many_requests, 60)
        outsider().call("DELETE", f"/v1/sessions/{session['handle']}")
        refused = 0

        def every_worker_refuses() -> bool:
            nonlocal refused
            refused = refused + 1 if browser.copy().send("GET", "/me")[0] == 401 else 0
            return refused == 30

        eventually(every_worker_refuses)


def test_a_server_of_asgi() -> None:
    with serving("uvicorn", "--port", "PORT", "asgi:application") as browser:
        assert browser.send("POST", "/async/login")[0] == 200
        assert browser.send("GET", "/async/me?info=1")[1]["info"] == {}
        assert browser.send("GET", "/me")[0] == 200
        assert browser.send("GET", "/drf/me")[0] == 200
        assert browser.send("POST", "/auth/session/refresh") == (200, {})
        assert browser.send("GET", "/async/me")[0] == 200
        assert browser.send("POST", "/auth/signout") == (200, {"status": "OK"})
        assert browser.send("GET", "/async/me") == (401, {"message": "unauthorised"})


ENDINGS = ["", "raise SystemExit(3)", "from threading import Thread; Thread(target=print).start()"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_thread_delays_the_exit(ending: str) -> None:
    program = f"import wsgi\n{ending}"
    environment = {**os.environ, "PYTHONPATH": f"{FOLDER.parent / 'src'}", "USE_BEFORE_FORK": "1"}
    ended = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, env=environment, timeout=60, check=False)
    assert ended.returncode == (3 if "3" in ending else 0)
