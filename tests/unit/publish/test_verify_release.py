"""Verify a release from a server or folder that tries to attack the person who verifies it."""

import gzip
import hashlib
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workflow_scripts.publish.release import SUMS, compress, headers_of, read_site
from workflow_scripts.publish.verify_release import main

pytestmark = pytest.mark.environment("publish")

Refusal = Callable[..., str]
BOMB_BYTES = 300_000_000


class Server(ThreadingHTTPServer):
    """Answers each path with the body and headers that a test gave it."""

    answers: dict[str, tuple[bytes, dict[str, str]]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Sends the server's answers."""

    server: Server

    def do_GET(self) -> None:
        body, headers = self.server.answers.get(self.path, (b"", {"Status": "404"}))
        self.send_response(int(headers.get("Status", "200")))
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers = {}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "catalogue.json").write_text("{}")
    return folder


def publish(server: Server, site: Path) -> str:
    """Serve the site as a bucket does; return its release."""
    release = read_site(site)
    entry = {"x-amz-meta-release": release.id}
    for path, listed in release.files.items():
        for key, immutable, more in ((listed.key, True, {}), (path, False, entry)):
            names = {
                "ContentType": "Content-Type",
                "CacheControl": "Cache-Control",
                "ContentEncoding": "Content-Encoding",
            }
            headers = {names[name]: value for name, value in headers_of(listed, immutable=immutable).items()}
            server.answers[f"/{key}"] = (compress((site / path).read_bytes()), {**headers, **more})
    server.answers[f"/releases/{release.id}.json"] = (compress(release.record), {"Content-Encoding": "gzip"})
    return release.id


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES), 1)


def measured(refusal: Refusal, *arguments: str) -> tuple[str, int]:
    """Return the refusal, and the peak of memory until then."""
    tracemalloc.start()
    message = refusal(main, *arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return message, most


def test_intact(server: Server, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = publish(server, site)
    main(["--release", server.address])
    assert f"are those of release {release}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            {"Cross-Origin-Opener-Policy": "same-origin"},
            "cross-origin-embedder-policy: none, the release has require-corp",
        ),
        (
            {"Cross-Origin-Opener-Policy": "unsafe-none", "Cross-Origin-Embedder-Policy": "require-corp"},
            "index.html is served with cross-origin-opener-policy: unsafe-none, the release has same-origin",
        ),
        ({"Content-Type": "text/plain"}, "index.html is served with content-type: text/plain"),
        ({"Cache-Control": "public"}, "index.html is served with cache-control: public, the release has no-cache"),
    ],
)
def test_page_served_otherwise(
    server: Server, site: Path, refusal: Refusal, headers: dict[str, str], message: str
) -> None:
    publish(server, site)
    body, right = server.answers["/index.html"]
    server.answers["/index.html"] = (body, {**right, **headers})
    assert message in refusal(main, "--release", server.address)


def test_isolated_page_is_as_it_should_be(server: Server, site: Path) -> None:
    publish(server, site)
    isolation = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
    body, right = server.answers["/index.html"]
    server.answers["/index.html"] = (body, {**right, **isolation})
    main(["--release", server.address])


def list_files(site: Path) -> None:
    (site / SUMS).parent.mkdir(exist_ok=True)
    names = ("index.html", "catalogue.json")
    (site / SUMS).write_text("".join(f"{hashlib.sha256((site / n).read_bytes()).hexdigest()}  {n}\n" for n in names))


def test_copy_of_the_site_itself(site: Path, refusal: Refusal, capsys: pytest.CaptureFixture[str]) -> None:
    list_files(site)
    release = read_site(site).id
    for arguments in ([], ["--sha256", release]):
        main(["--release", str(site), *arguments])
        assert release in capsys.readouterr().out
    assert f"is release {release}, not {'0' * 64}" in refusal(main, "--release", site, "--sha256", "0" * 64)
    (site / "catalogue.json").write_text("[]")
    assert "catalogue.json in" in refusal(main, "--release", site)
    # The attacker also changed the list of files. Only the digest that publish printed shows it.
    list_files(site)
    assert f"not {release}" in refusal(main, "--release", site, "--sha256", release)


@pytest.mark.parametrize("name", ["evil.html", "assets/sw.js", ".htaccess"])
def test_file_that_was_added_to_a_copy_is_found(site: Path, refusal: Refusal, name: str) -> None:
    list_files(site)
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).touch()
    assert f"script: {name} is not part of the site (1 such files in {site}); remove it" in refusal(
        main, "--release", site
    )


@pytest.mark.parametrize("place", ["record", "file", "entry", "raw file"])
def test_bomb_takes_no_more_than_what_is_expected(
    server: Server, site: Path, refusal: Refusal, bomb: bytes, place: str
) -> None:
    release = publish(server, site)
    path = {
        "record": f"/releases/{release}.json",
        "file": next(key for key in server.answers if key.startswith("/files/")),
        "entry": "/catalogue.json",
        "raw file": "/index.html",
    }[place]
    headers = server.answers[path][1]
    body = bytes(BOMB_BYTES) if place == "raw file" else bomb
    server.answers[path] = (body, {k: v for k, v in headers.items() if place != "raw file" or k != "Content-Encoding"})
    message, most = measured(refusal, "--release", server.address)
    assert path.strip("/") in message
    assert most < 150_000_000


@pytest.mark.parametrize("release", ["../../secret", "a" * 63, "A" * 64])
def test_server_names_no_release_but_a_digest(server: Server, site: Path, refusal: Refusal, release: str) -> None:
    publish(server, site)
    server.answers["/catalogue.json"] = (b"{}", {"x-amz-meta-release": release})
    assert "does not say which release it shows" in refusal(main, "--release", server.address)


def test_body_that_breaks_off_is_asked_for_again_and_then_named(server: Server, site: Path, refusal: Refusal) -> None:
    publish(server, site)
    body, headers = server.answers["/index.html"]
    server.answers["/index.html"] = (body[:-3], {**headers, "Content-Length": str(len(body)), "Connection": "close"})
    message = refusal(main, "--release", server.address)
    assert "index.html" in message
    assert "cannot be read" in message


def test_copy_whose_record_leads_out_of_the_folder(site: Path, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "secret").write_text("secret")
    record = json.loads(read_site(site).record)
    digest = hashlib.sha256(b"secret").hexdigest()
    listed = {"key": "../secret", "sha256": digest, "bytes": 6, "type": "text/plain", "encoding": None}
    record["files"]["../secret"] = listed
    content = json.dumps(record).encode()
    (site / "releases").mkdir()
    (site / f"releases/{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)
    assert "'../secret' is not a path in a site" in refusal(main, "--release", site)
