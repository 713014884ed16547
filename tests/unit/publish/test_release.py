"""What a release is, without a server."""

import gzip
import hashlib
import json
import shutil
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.formats.catalogue import references
from workflow_scripts.publish.release import (
    FILE_BYTES,
    RECORD_BYTES,
    Listed,
    changing,
    compress,
    content_of,
    describe,
    headers_of,
    key_of,
    read_record,
    read_site,
    record_key,
    releases_in,
    stored_form,
)
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("publish")

SHARD = b"weights"
DIGEST = hashlib.sha256(SHARD).hexdigest()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with one shard."""
    folder = tmp_path / "site"
    (folder / "weights").mkdir(parents=True)
    (folder / f"weights/{DIGEST}.bin").write_bytes(SHARD)
    (folder / "index.html").write_text("<!doctype html>")
    shard = {"url": f"weights/{DIGEST}.bin", "sha256": DIGEST, "bytes": len(SHARD)}
    (folder / "catalogue.json").write_text(json.dumps({"models": [{"weights": [shard]}]}))
    (folder / ".snakemake_timestamp").touch()
    return folder


def test_release_depends_on_content_alone(site: Path, tmp_path: Path) -> None:
    release = read_site(site)
    assert release.files.keys() == {"index.html", "catalogue.json", f"weights/{DIGEST}.bin"}
    assert release.id == hashlib.sha256(release.record).hexdigest()
    copy = shutil.copytree(site, tmp_path / "elsewhere/site")
    assert read_site(copy).id == release.id
    (copy / "index.html").write_text("<!doctype html> ")
    assert read_site(copy).id != release.id


def test_record_is_read_as_written(site: Path) -> None:
    release = read_site(site)
    assert read_record(release.record, release.id) == release
    with pytest.raises(Failure, match="is not the record of that release"):
        read_record(release.record + b" ", release.id)


@pytest.mark.parametrize("entry", ["index.html", "catalogue.json"])
def test_site_without_an_entry(site: Path, entry: str) -> None:
    (site / entry).unlink()
    with pytest.raises(Failure, match=f"has no {entry}; build it with snakemake site"):
        read_site(site)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (f"weights/{DIGEST}.bin", f"weights/{DIGEST}.bin"),
        (f"models/small/64/float32/model.{DIGEST}.json", f"models/small/64/float32/model.{DIGEST}.json"),
        ("assets/index-abc.js", "assets/index-abc.js"),
        ("index.html", f"files/{DIGEST}/index.html"),
        ("provenance/statement.json", f"files/{DIGEST}/provenance/statement.json"),
        # It is longer than a digest, so it is not one.
        (f"{DIGEST}0.txt", f"files/{DIGEST}/{DIGEST}0.txt"),
    ],
)
def test_keys_never_change_their_content(path: str, key: str) -> None:
    assert key_of(path, DIGEST) == key


def test_entries_and_addresses_have_the_same_key_in_every_release() -> None:
    addresses = [
        "devices.html",
        "lib/u2net-portrait.js",
        "lib/u2net.js",
        "models/mine/320/float32.tflite",
        "models/mine/320/uint16/model.json",
        "models/mine.v2/64/compact/model.json",
    ]
    assert [key_of(path, DIGEST) for path in addresses] == addresses
    others = [
        "lib/devices.html",
        f"models/mine/320/uint16/model.{DIGEST}.json",
        f"weights/{DIGEST}.bin",
        "assets/worker-1a2b3c4d.js",
        "lib/types/u2net.d.ts",
        "models/mine/320/model.json",
        "models/mine/32x/uint16/model.json",
        "provenance/models/mine/320/uint16/model.json",
        "samples/model.json",
    ]
    paths = ["index.html", "catalogue.json", *addresses, *others]
    # What other programs read first changes last.
    assert changing(paths) == ["index.html", *sorted(addresses), "catalogue.json"]


def test_name_with_another_digest() -> None:
    with pytest.raises(Failure, match="is not what its name says"):
        key_of(f"weights/{'0' * 64}.bin", DIGEST)


@given(st.binary(max_size=3000), st.sampled_from(["", "0" * 64, "f" * 64]))
def test_compression_is_undone_and_repeatable(content: bytes, name: str) -> None:
    stored = compress(content, name)
    assert gzip.decompress(stored) == content_of(stored, "gzip", len(content)) == content
    assert compress(content, name) == stored
    assert compress(content, name + "1") != stored


def test_compression_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compress(SHARD)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert compress(SHARD) == before


@pytest.mark.parametrize("damaged", [b"", b"{}", compress(SHARD)[:-1], compress(SHARD)[:12] + b"\xff\xff" + b"0" * 20])
def test_damaged_bytes_are_no_content(damaged: bytes) -> None:
    assert content_of(damaged, "gzip", 100) != SHARD
    assert content_of(damaged, None, 100) == damaged


def test_how_files_are_served(site: Path) -> None:
    shard = describe(site, f"weights/{DIGEST}.bin")
    assert shard == Listed(f"weights/{DIGEST}.bin", DIGEST, len(SHARD), "application/octet-stream", None)
    assert stored_form(SHARD, shard) == SHARD
    assert headers_of(shard, immutable=True) == {
        "ContentType": "application/octet-stream",
        "CacheControl": "public, max-age=31536000, immutable",
    }
    assert headers_of(describe(site, "index.html"), immutable=False) == {
        "ContentType": "text/html; charset=utf-8",
        "CacheControl": "no-cache",
        "ContentEncoding": "gzip",
    }


def test_references_are_found_at_any_depth() -> None:
    catalogue = {"a": [{"b": {"url": "1"}}, {"url": "2", "parts": [{"url": "3"}]}], "url": "0"}
    assert sorted(found["url"] for found in references(catalogue)) == ["0", "1", "2", "3"]


def test_keys_of_records() -> None:
    keys = [record_key(DIGEST), "releases/short.json", f"releases/{DIGEST}.json.bak", f"other/{DIGEST}.json"]
    assert releases_in(iter(keys), record_key("*")) == {record_key(DIGEST): DIGEST}


Record = dict[str, Any]
INDEX = "index.html"


def moved(path: str) -> Callable[[Record], object]:
    """List the shard under another path, and the key that such a path has."""

    def change(record: Record) -> None:
        listed = record["files"].pop(f"weights/{DIGEST}.bin")
        record["files"][path] = {**listed, "key": path if DIGEST in path else f"files/{DIGEST}/{path}"}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (moved("../../../etc/passwd"), "'../../../etc/passwd' is not a path in a site"),
        (moved("/etc/passwd"), "'/etc/passwd' is not a path in a site"),
        (moved("assets/../../secret"), "is not a path in a site"),
        (moved("weights//x"), "is not a path in a site"),
        (moved("weights\\x"), "is not a path in a site"),
        (moved("a\n\x1b[2J"), "'a\\n\\x1b[2J' is not a path in a site"),
        # If a record could list these, prune would delete them: other records and other publishers' claims.
        (moved(f"releases/{DIGEST}.json"), "is not a path in a site"),
        (moved(f"locks/publish-{DIGEST}.json"), "is not a path in a site"),
        (lambda r: r["files"][INDEX].update(key="notes.txt"), "lies elsewhere than it should"),
        (lambda r: r["files"][INDEX].update(key=f"../{INDEX}"), "lies elsewhere than it should"),
        (lambda r: r["files"][INDEX].update(sha256="abc"), "has no sha256"),
        (lambda r: r["files"][INDEX].update(sha256=None), "has no sha256"),
        (lambda r: r["files"][INDEX].update(bytes=-1), "has no size"),
        (lambda r: r["files"][INDEX].update(bytes=True), "has no size"),
        (lambda r: r["files"][INDEX].update(bytes=FILE_BYTES + 1), "has no size"),
        (lambda r: r["files"][INDEX].update(encoding="br"), "is not served as"),
        (lambda r: r["files"][INDEX].update(type={}), "is not served as"),
        (lambda r: r["files"][INDEX].update(more=1), "TypeError"),
        (lambda r: r["files"].update({INDEX: None}), "TypeError"),
        (lambda r: r["files"].pop(INDEX), "lists no index.html"),
        (lambda r: r.update(files=[]), "AttributeError"),
        (lambda r: r.clear(), "KeyError"),
    ],
)
def test_record_that_publish_would_not_write_is_refused(
    site: Path, change: Callable[[Record], object], message: str
) -> None:
    record = json.loads(read_site(site).record)
    change(record)
    content = json.dumps(record).encode()
    name = hashlib.sha256(content).hexdigest()
    with pytest.raises(Failure) as refused:
        read_record(content, name)
    assert f"releases/{name}.json is not a record of a release" in str(refused.value)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_record_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(Failure, match="is not a record of a release"):
        read_record(content, hashlib.sha256(content).hexdigest())


def test_site_has_no_paths_that_its_record_could_not_name(site: Path) -> None:
    (site / "a b.txt").touch()
    with pytest.raises(Failure, match=r"'a b.txt' is not a path in a site"):
        read_site(site)


def test_file_that_is_too_large_for_a_record_is_not_published(site: Path) -> None:
    with (site / "index.html").open("wb") as file:
        file.truncate(FILE_BYTES + 1)
    with pytest.raises(Failure, match=r"has more than"):
        read_site(site)


def test_gzip_bomb_is_unpacked_no_further_than_its_limit() -> None:
    # 200 MB of zeros, compressed.
    bomb = compress(bytes(200_000_000))
    assert len(bomb) < RECORD_BYTES
    tracemalloc.start()
    found = content_of(bomb, "gzip", RECORD_BYTES)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == RECORD_BYTES + 1
    assert most < 5 * RECORD_BYTES
