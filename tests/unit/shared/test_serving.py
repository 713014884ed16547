"""Test the server of the page, of its tests and of the benchmark over real connections."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow_scripts.shared import serving as module
from workflow_scripts.shared.serving import YEAR, serving

pytestmark = pytest.mark.environment("driver")

SHARD = bytes(range(256)) * 1000


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a file of each kind, a folder without a page, and links in and out of it."""
    folder = tmp_path / "site"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights/digest.bin").write_bytes(SHARD)
    (folder / "index.html").write_text("<title>page</title>")
    for name in ("a.js", "a.mjs", "a.wasm", "a.json", "a.tflite", "a.css"):
        (folder / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (folder / "in.json").symlink_to("a.json")
    return folder


@pytest.fixture
def port(site: Path) -> Iterator[int]:
    """The port on which the site is served."""
    with serving(site) as origin:
        yield int(origin.rpartition(":")[2])


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send one request; return status, headers with names in lower case, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def raw(port: int, request: bytes) -> bytes:
    """Send bytes. Return everything that arrives until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/a.js", "text/javascript; charset=utf-8"),
        ("/a.mjs", "text/javascript; charset=utf-8"),
        ("/a.css", "text/css; charset=utf-8"),
        ("/a.wasm", "application/wasm"),
        ("/a.json", "application/json"),
        ("/a.tflite", "application/octet-stream"),
        ("/in.json", "application/json"),
    ],
)
def test_each_file_has_its_type_and_is_isolated(port: int, path: str, media_type: str) -> None:
    status, headers, _ = ask(port, path)
    assert (status, headers["content-type"]) == (200, media_type)
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cache-control"] == "no-cache"


def test_only_a_shard_that_is_there_never_changes(port: int) -> None:
    assert ask(port, "/weights/digest.bin")[1]["cache-control"] == YEAR
    for path in ("/weights/gone.bin", "/weights/", "/weights/../weights/gone.bin", "/weights/%00"):
        status, headers, _ = ask(port, path)
        assert status in (400, 403, 404)
        assert headers["cache-control"] == "no-cache"
        assert headers["cross-origin-embedder-policy"] == "require-corp"
    status, headers, _ = ask(port, "/weights/digest.bin", Range=f"bytes={len(SHARD)}-")
    assert (status, headers["cache-control"]) == (416, "no-cache")


def test_a_part_is_sent_where_a_part_is_asked_for(port: int) -> None:
    status, headers, body = ask(port, "/weights/digest.bin", Range="bytes=1000-1999")
    assert (status, body) == (206, SHARD[1000:2000])
    assert headers["content-range"] == f"bytes 1000-1999/{len(SHARD)}"
    assert ask(port, "/weights/digest.bin", Range="bytes=-5")[2] == SHARD[-5:]
    # A range of the version that the client began with, or else the whole file.
    tag = headers["etag"]
    assert ask(port, "/weights/digest.bin", Range="bytes=5-", If_Range=tag)[0] == 206
    assert ask(port, "/weights/digest.bin", Range="bytes=5-", If_Range='"older"')[::2] == (200, SHARD)


def test_a_file_that_was_replaced_is_sent_again(port: int, site: Path) -> None:
    tag = ask(port, "/a.json")[1]["etag"]
    assert ask(port, "/a.json", If_None_Match=tag)[::2] == (304, b"")
    (site / "a.json").write_text("A.JSON")
    assert ask(port, "/a.json", If_None_Match=tag)[::2] == (200, b"A.JSON")


@pytest.mark.parametrize(
    "path", ["/out.txt", "/up/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/up/", "//etc/passwd"]
)
def test_nothing_outside_of_the_site_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status in (403, 404)
    assert b"secret" not in body


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
    ],
)
def test_a_malformed_request_is_answered(port: int, request_bytes: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert raw(port, request_bytes).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert "Traceback" not in capfd.readouterr().err
    assert ask(port, "/")[0] == 200


def test_other_methods_are_refused(port: int) -> None:
    assert ask(port, "/a.json", "HEAD")[::2] == (200, b"")
    assert ask(port, "/a.json", "POST")[0] == 405
    assert ask(port, "/a.json", "DELETE")[0] == 405


def test_an_idle_connection_is_closed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.2)
    with serving(site) as origin:
        port = int(origin.rpartition(":")[2])
        # A client that sends nothing, one that stops within its first word, and one that had its answer.
        for said in (b"", b"GET / HT", b"GET /a.json HTTP/1.1\r\nHost: a\r\n\r\n"):
            assert raw(port, said).endswith(b"a.json" if b"Host" in said else b"")


def test_pages_of_every_origin_may_read_it(port: int) -> None:
    _, headers, _ = ask(port, "/weights/digest.bin", Origin="https://example.org")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    status, headers, _ = ask(
        port,
        "/a.json",
        "OPTIONS",
        Origin="https://example.org",
        Access_Control_Request_Headers="range",
        Access_Control_Request_Private_Network="true",
    )
    assert (status, headers["access-control-allow-headers"]) == (204, "range")
    assert headers["access-control-allow-private-network"] == "true"


def test_only_the_origins_named_may_read_it(site: Path) -> None:
    with serving(site, cors_origins=("https://example.org",)) as origin:
        port = int(origin.rpartition(":")[2])
        _, headers, _ = ask(port, "/a.json", Origin="https://example.org")
        assert headers["access-control-allow-origin"] == "https://example.org"
        assert headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in ask(port, "/a.json", Origin="https://example.com")[1]
        assert "access-control-allow-origin" not in ask(port, "/a.json")[1]
