"""What the bucket holds after publishing: each changed file is uploaded once, with the right headers and checksums."""

import base64
import hashlib
import json
import os
import pty
import re
import shutil
import termios
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.manifests import rewrite, vouch_again
from tests.support.places import Place, objects_in, shards_of
from tests.support.reader import Reader
from workflow_scripts.publish.release import is_address

NOTHING = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}
FIGURES = dict.fromkeys(("max_abs", "p99_abs", "drawing_psnr_db", "drawing_ssim"), 0.0)
CHECKS = {"parity": {"tfjs-float32": FIGURES}, "size": {}}
YEAR = "public, max-age=31536000, immutable"


def weights(objects: dict[str, Any]) -> dict[str, int]:
    return {key: entry["Size"] for key, entry in objects.items() if key.startswith("weights/")}


def test_only_what_changed_goes_up(place: Place, admin: Any, both: Path, float32: Path, other_uint16: Path) -> None:
    first = place.publish(float32)
    before = objects_in(admin, place)
    assert weights(before).keys() == shards_of(float32, "float32", "float16")

    second = place.publish(both)
    after = objects_in(admin, place)
    new = {key: entry["Size"] for key, entry in after.items() if key not in before}
    assert {key for key in new if key.startswith("weights/")} == shards_of(both, "uint16") - shards_of(both, "float32")
    own = [key for key in new if not key.startswith(("releases/", "locks/")) and not is_address(key)]
    shards = [key for key in own if key.startswith("weights/")]
    sent = sum(new[key] for key in own)
    assert f"uploaded {len(own)} files, {len(shards)} of them weight shards, {sent} bytes" in second.printed
    print(f"second release: {len(own)} of {len(after)} objects, {sent} bytes, {len(shards)} shards")
    assert sent < sum(entry["Size"] for entry in before.values())

    third = place.publish(both)
    assert third.release == second.release != first.release
    assert "uploaded 0 files, 0 of them weight shards, 0 bytes" in third.printed
    repeated = objects_in(admin, place)
    assert repeated.keys() == after.keys()
    rewritten = {key for key in after if repeated[key]["LastModified"] != after[key]["LastModified"]}
    assert all(key.startswith(("releases/", "locks/")) for key in rewritten)

    fourth = place.publish(other_uint16)
    changed = weights(objects_in(admin, place)).keys() - weights(repeated).keys()
    assert changed == shards_of(other_uint16, "uint16") - shards_of(both, "uint16")
    assert changed
    assert changed.isdisjoint(shards_of(other_uint16, "float32"))
    assert fourth.release not in {first.release, second.release}

    # An older release is live again without an upload.
    assert "uploaded 0 files" in place.publish(float32).printed
    reader = Reader(place.address)
    reader.look()
    assert reader.problems == []
    assert reader.seen == {"index.html": [first.release], "catalogue.json": [first.release]}


def test_headers_and_checksums(place: Place, admin: Any, both: Path) -> None:
    place.publish(both)
    keys = objects_in(admin, place)
    types = {
        r"weights/[0-9a-f]{64}\.bin": ("application/octet-stream", YEAR, None),
        r"models/u2netp/64/uint16/model\.[0-9a-f]{64}\.json": ("application/json", YEAR, "gzip"),
        r"catalogue\.[0-9a-f]{64}\.json": ("application/json", YEAR, "gzip"),
        r"catalogue\.json": ("application/json", "no-cache", "gzip"),
        r"index\.html": ("text/html; charset=utf-8", "no-cache", "gzip"),
        r"service_worker\.[0-9a-f]{64}\.js": ("text/javascript; charset=utf-8", YEAR, "gzip"),
        r"assets/.*\.js": ("text/javascript; charset=utf-8", YEAR, "gzip"),
        r"assets/.*\.css": ("text/css; charset=utf-8", YEAR, "gzip"),
        r"assets/.*\.wasm": ("application/wasm", YEAR, "gzip"),
        r"samples/chelsea\.[0-9a-f]{64}\.png": ("image/png", YEAR, None),
        r"releases/[0-9a-f]{64}\.json": ("application/json", YEAR, "gzip"),
        r"lib/u2net\.js": ("text/javascript; charset=utf-8", "no-cache", "gzip"),
        r"models/u2netp/64/uint16/model\.json": ("application/json", "no-cache", "gzip"),
        r"models/u2netp/64/float16\.tflite": ("application/octet-stream", "no-cache", None),
    }
    for form, expected in types.items():
        found = [key for key in keys if re.fullmatch(form, key)]
        assert found, form
        for key in found:
            # The body as stored, not decoded.
            answer = urllib3.request("GET", f"{place.address}/{key}", decode_content=False)
            headers = tuple(answer.headers.get(name) for name in ("content-type", "cache-control", "content-encoding"))
            assert headers == expected, key
            stored = admin.head_object(Bucket="site", Key=f"{place.prefix}/{key}", ChecksumMode="ENABLED")
            assert base64.b64decode(stored["ChecksumSHA256"]) == hashlib.sha256(answer.data).digest()
    # The largest files are stored only once.
    models = [key for key in keys if key.startswith("models/") and key.endswith(".tflite")]
    assert sorted(models) == [f"models/u2netp/{n}/float16.tflite" for n in (128, 64)]


def test_every_file_of_the_site_is_published(place: Place, both: Path) -> None:
    release = place.publish(both).release
    record = json.loads(urllib3.request("GET", f"{place.address}/releases/{release}.json").data)
    local = {
        str(path.relative_to(both)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in both.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert {path: file["sha256"] for path, file in record["files"].items()} == local
    for path in ("provenance/SHA256SUMS", "provenance/u2netp.64.manifest.json"):
        answer = urllib3.request("GET", f"{place.address}/{record['files'][path]['key']}")
        assert answer.data == (both / path).read_bytes()
        assert answer.headers["cache-control"] == YEAR


@pytest.mark.parametrize("name", ["evil.html", "assets/sw.js", "provenance/notes.json", ".htaccess"])
def test_file_that_was_added_to_the_site_is_not_published(
    place: Place, admin: Any, both: Path, tmp_path: Path, name: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(both, site)
    (site / name).write_text("{}")
    assert f"publish: {name} is not part of the site (1 such files in {site}); remove it" in place.publish(site).line()
    assert objects_in(admin, place) == {}


def test_progress_on_a_terminal(place: Place, both: Path) -> None:
    terminal, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = place.publishing(both, terminal=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            # The other end of the terminal is closed.
            break
    assert process.wait() == 0
    assert re.search(rb"uploading: 100%.* (\d+\.\dM)/\1 .*\dM?B/s", shown), shown


def flipped(site: Path, tmp_path: Path, pattern: str) -> tuple[Path, Path]:
    """Copy the site and flip a bit in one of its files. Return the copy and the file."""
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    file = sorted(copy.glob(pattern))[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return copy, file


@pytest.mark.parametrize("pattern", ["weights/*.bin", "models/u2netp/64/float32/model.*.json", "samples/*.png"])
def test_tampered_file_is_not_published(place: Place, admin: Any, both: Path, tmp_path: Path, pattern: str) -> None:
    copy, file = flipped(both, tmp_path, pattern)
    line = place.publish(copy).line()
    assert line.startswith(
        f"publish: {file.relative_to(copy)} in {copy} is not the file that provenance/SHA256SUMS lists"
    )
    assert objects_in(admin, place) == {}


def test_missing_file_is_not_published(place: Place, admin: Any, both: Path, tmp_path: Path) -> None:
    copy, file = flipped(both, tmp_path, "weights/*.bin")
    file.unlink()
    assert (
        "is not the file that provenance/SHA256SUMS lists; build or copy the site again" in place.publish(copy).line()
    )
    assert objects_in(admin, place) == {}


def test_catalogue_that_names_another_file(place: Place, both: Path, tmp_path: Path) -> None:
    copy = tmp_path / "site"
    shutil.copytree(both, copy)
    catalogue = json.loads((copy / "catalogue.json").read_text())
    catalogue["models"][0]["resolutions"][0]["dtypes"][0]["model"]["sha256"] = "0" * 64
    (copy / "catalogue.json").write_text(json.dumps(catalogue))
    assert (
        "is not the file that provenance/SHA256SUMS lists; build or copy the site again" in place.publish(copy).line()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passed": False}, "manifest.json did not pass its checks"),
        ({"resolution": 96}, "the site offers u2netp at 128 in float32 for tfjs, which no manifest vouches for"),
        ({"checks": CHECKS}, "u2netp at 128 in float32 for tfjs was not made of what its manifest vouches for"),
        ({"licence": "MIT"}, "was built with another manifest than"),
        (
            {"artifacts": {"results/u2netp/128/onnx/model.onnx": NOTHING}},
            "in float32 for tfjs was not made of what its",
        ),
    ],
    ids=["failed", "another resolution", "unchecked dtype", "another manifest", "another model"],
)
def test_what_no_manifest_vouches_for(
    place: Place, admin: Any, both: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    shutil.copytree(place.results / "u2netp", tmp_path / "results/u2netp")
    (tmp_path / "results/_probes").symlink_to(place.results / "_probes")
    (tmp_path / "results/u2netp/128/onnx/model.onnx").write_bytes(b"")
    path = tmp_path / "results/u2netp/128/manifest.json"
    vouch_again(path)
    if "licence" not in change:
        rewrite(path, **change)
    elsewhere = Place(place.endpoint, place.prefix, tmp_path / "results")
    assert message in elsewhere.publish(both).line()
    assert objects_in(admin, place) == {}


def test_damaged_artifact_is_not_published(place: Place, admin: Any, both: Path, tmp_path: Path) -> None:
    shutil.copytree(place.results / "u2netp", tmp_path / "results/u2netp")
    (tmp_path / "results/_probes").symlink_to(place.results / "_probes")
    model = tmp_path / "results/u2netp/64/onnx/model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    line = Place(place.endpoint, place.prefix, tmp_path / "results").publish(both).line()
    assert "results/u2netp/64/onnx/model.onnx differs from its recorded sha256" in line
    assert objects_in(admin, place) == {}


def test_object_that_somebody_changed_is_not_taken_for_the_file(place: Place, admin: Any, both: Path) -> None:
    release = place.publish(both).release
    shard = min(shards_of(both, "float32"))
    admin.put_object(Bucket="site", Key=f"{place.prefix}/{shard}", Body=b"another content")
    line = place.publish(both).line()
    assert f"{place.bucket}/{shard} is not the file that its name says" in line
    admin.delete_object(Bucket="site", Key=f"{place.prefix}/{shard}")
    assert place.publish(both).release == release
    assert "uploaded 0 files" in place.publish(both).printed
