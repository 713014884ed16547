"""Serve a folder on localhost, for the page, its tests and the benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


class IsolatedHandler(SimpleHTTPRequestHandler):
    """Serve static files, isolated from other origins. A browser keeps the shards and checks all other files again."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        """Add the isolation and caching headers to every answer."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        immutable = self.path.startswith("/weights/")
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if immutable else "no-cache")
        super().end_headers()


@contextmanager
def serving(site: Path, handler: type[SimpleHTTPRequestHandler] = IsolatedHandler) -> Iterator[str]:
    """Serve `site` on a free port of localhost. Yield its address without a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
