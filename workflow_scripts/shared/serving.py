"""Serve a folder on this machine, for the page, its tests and the benchmark alike: Tornado's static files, isolated.

Tornado answers ranges, conditional and malformed requests, follows no link out of the folder and closes idle
connections.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, StaticFileHandler

from workflow_scripts.shared.media_types import MEDIA_TYPES, OTHER

# For a request's head to arrive, the first on a connection and each one after it.
IDLE_SECONDS = 30
# Nobody sends a body to a server of files.
MOST_BODY_BYTES = 1024
YEAR = "public, max-age=31536000, immutable"


class SiteHandler(StaticFileHandler):
    """Static files, cross-origin isolated; shards named after their digest never change, all else is asked for again.

    The application's setting `cors_origins` lists the origins whose pages may read them; empty, every page may.
    """

    def set_default_headers(self) -> None:
        """Add the headers that every answer has, errors too."""
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-cache")
        allowed, origin = self.settings["cors_origins"], self.request.headers.get("Origin")
        if allowed:
            self.set_header("Vary", "Origin")
        if not allowed or origin in allowed:
            self.set_header("Access-Control-Allow-Origin", origin if allowed and origin else "*")
            self.set_header("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag")

    def set_extra_headers(self, path: str) -> None:
        """Say of a file that was found whether it can change."""
        if self.request.path.startswith("/weights/"):
            self.set_header("Cache-Control", YEAR)

    def set_headers(self) -> None:
        """Set the headers of a file; have it sent whole if a part of another version was asked for."""
        super().set_headers()
        headers = self.request.headers
        if headers.get("If-Range", self.compute_etag()) != self.compute_etag():
            headers.pop("Range", None)

    async def get(self, path: str, include_body: bool = True) -> None:
        """Answer with a file, or with the part of it that was asked for."""
        if "\0" in path:
            raise HTTPError(400)
        await super().get(path, include_body)
        if self.get_status() == 416:
            self.set_header("Cache-Control", "no-cache")

    def options(self, path: str) -> None:
        """Tell a page of another origin beforehand what it may ask for."""
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        self.set_header("Access-Control-Allow-Headers", self.request.headers.get("Access-Control-Request-Headers", "*"))
        if "Access-Control-Request-Private-Network" in self.request.headers:
            self.set_header("Access-Control-Allow-Private-Network", "true")

    def compute_etag(self) -> str | None:
        """Return the tag of the file as it lies there now: Tornado's own is kept until the server ends."""
        if self.absolute_path is None:
            return None
        status = Path(self.absolute_path).stat()
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def get_content_type(self) -> str:
        """Return the type by the name's ending, as where the site is published."""
        return MEDIA_TYPES.get(Path(self.absolute_path or "").suffix, OTHER)


def listen(
    site: Path,
    port: int = 0,
    *,
    handler: type[SiteHandler] = SiteHandler,
    mounts: Mapping[str, Path] | None = None,
    cors_origins: tuple[str, ...] = (),
    **settings: Any,
) -> tuple[HTTPServer, int]:
    """Serve `site` at the root and each folder of `mounts` below its name, in the running event loop.

    Returns the server and its port, a free one for 0. Raises OSError if the port cannot be used.
    """
    files = {"default_filename": "index.html"}
    folders = [(rf"/{name}/(.*)", handler, {"path": str(folder), **files}) for name, folder in (mounts or {}).items()]
    routes = [*folders, (r"/(.*)", handler, {"path": str(site), **files})]
    server = HTTPServer(
        Application(routes, cors_origins=cors_origins, **settings),
        idle_connection_timeout=IDLE_SECONDS,
        body_timeout=IDLE_SECONDS,
        max_body_size=MOST_BODY_BYTES,
    )
    # This machine's own address alone: a site may be private until it is published.
    sockets = bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def close(server: HTTPServer) -> None:
    """Stop serving and close all connections."""
    server.stop()
    await server.close_all_connections()


@contextmanager
def serving(site: Path, **options: Any) -> Iterator[str]:
    """Serve `site` on a free port in a thread; yield its address, without a slash at the end.

    Options are those of `listen`.
    """

    async def start() -> tuple[HTTPServer, int]:
        return listen(site, **options)

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
        try:
            yield f"http://localhost:{port}"
        finally:
            asyncio.run_coroutine_threadsafe(close(server), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
