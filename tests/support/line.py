"""The line between a publisher and the S3 server. A test can stop it, or damage or cut what passes.

Requests are passed on unchanged, with their Host header, so their signatures stay valid.
"""

import http.client
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class Cut(Exception):
    """A watcher raises this to end the connection."""


@dataclass(frozen=True)
class Passing:
    """A request on its way, `answered` or not yet."""

    method: str
    key: str
    answered: bool


Watch = Callable[[Passing], None]


@dataclass
class Line:
    """An endpoint to give to a publisher."""

    endpoint: str = ""
    watch: Watch = lambda passing: None
    damage: Callable[[Passing, bytes], bytes] = lambda passing, body: body
    passed: list[Passing] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    """Pass each request on, and tell the line before and after."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, server_at: str, line: Line) -> None:
        self.server_at = server_at
        self.line = line
        super().__init__(*arguments)

    def tell(self, answered: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        # /bucket/portraits/test/key
        parts = path.split("/", 4)
        passing = Passing(self.command, parts[4] if len(parts) > 4 else "", answered)
        with self.line.lock:
            self.line.passed.append(passing)
        self.line.watch(passing)

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.tell(answered=False)
            body = self.line.damage(self.line.passed[-1], body)
            server = http.client.HTTPConnection(self.server_at, timeout=60)
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "connection"):
                    server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            content = answer.read()
            server.close()
            self.tell(answered=True)
        except Cut:
            self.close_connection = True
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = hand_on  # noqa: N815

    def log_message(self, *arguments: Any) -> None:
        """Log nothing: `Line.passed` lists the requests."""


def at(method: str, start: str, count: int, answered: bool) -> Callable[[Passing], bool]:
    """Return a condition that is true for the count-th request of a method on keys with that prefix."""
    seen = 0

    def holds(passing: Passing) -> bool:
        nonlocal seen
        matches = passing.method == method and passing.key.startswith(start) and passing.answered is answered
        seen += matches
        return matches and seen == count

    return holds


def kill_at(line: Line, start: Callable[[], "subprocess.Popen[str]"], holds: Callable[[Passing], bool]) -> None:
    """Start a process whose requests take the line, and kill it at one request. Nothing passes from then on."""
    running, killed = threading.Event(), threading.Event()
    processes: list[subprocess.Popen[str]] = []

    def watch(passing: Passing) -> None:
        if holds(passing):
            running.wait()
            processes[0].kill()
            killed.set()
        if killed.is_set():
            raise Cut

    line.watch = watch
    processes.append(start())
    running.set()
    processes[0].communicate(timeout=60)
    assert killed.is_set()
    assert processes[0].returncode == -signal.SIGKILL


@contextmanager
def lined(endpoint: str) -> Iterator[Line]:
    """Open a line to the server at `endpoint`."""
    line = Line()
    handler = partial(Handler, server_at=urlsplit(endpoint).netloc, line=line)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # a killed publisher hangs up
    server.daemon_threads = True
    line.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield line
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
