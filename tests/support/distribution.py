"""A server before the bucket, like deploy/cloudfront.yaml: it serves the default page and the headers for threads."""

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TEMPLATE = Path(__file__).parents[2] / "deploy/cloudfront.yaml"
# The items of the template's CustomHeadersConfig.
HEADERS = re.findall(r"- Header: (\S+)\n\s+Value: (\S+)\n", TEMPLATE.read_text())
(DEFAULT,) = re.findall(r"DefaultRootObject: (\S+)\n", TEMPLATE.read_text())
PASSED_ON = ("Content-Type", "Content-Encoding", "Cache-Control", "ETag", "x-amz-meta-release")


@dataclass
class Distribution:
    """The server's address, and the requests that it served."""

    origin: str = ""
    served: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Fetch a file from the bucket and add the headers."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, bucket: str, distribution: Distribution) -> None:
        self.bucket = bucket
        self.distribution = distribution
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        key = DEFAULT if path == "/" else path.removeprefix("/")
        self.distribution.served.append(key)
        try:
            with urllib.request.urlopen(f"{self.bucket}/{key}", timeout=60) as answer:  # noqa: S310
                status, headers, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, headers, content = error.code, error.headers, error.read()
        self.send_response(status)
        for name in PASSED_ON:
            if name in headers:
                self.send_header(name, headers[name])
        for name, value in HEADERS:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Log nothing: `Distribution.served` lists the requests."""


@contextmanager
def distributing(bucket: str) -> Iterator[Distribution]:
    """Serve a bucket's prefix on localhost."""
    distribution = Distribution()
    handler = partial(Handler, bucket=bucket, distribution=distribution)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    distribution.origin = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield distribution
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
