"""Any person who trusts one digest can find every change of a published release."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import Done, Place, objects_in, shards_of


def verify(place: Place, *arguments: str) -> Done:
    return place.run("verify_release", "--release", place.address, *arguments, identity="")


def test_intact(place: Place, float32: Path, both: Path) -> None:
    older = place.publish(float32).release
    release = place.publish(both).release
    files = sum(path.is_file() and not path.name.startswith(".") for path in both.rglob("*"))
    for arguments in ([], ["--sha256", release]):
        done = verify(place, *arguments)
        assert done.code == 0, done.error
        assert f"all {files} files" in done.printed
        assert f"are those of release {release}" in done.printed
    # This release is kept, but people do not see it.
    assert "devices.html has sha256" in verify(place, "--sha256", older).line()


def overwrite(change: Callable[[bytes], bytes]) -> Callable[[Any, str], None]:
    """Return a function that changes an object's content and keeps its headers."""

    def apply(admin: Any, key: str) -> None:
        stored = admin.get_object(Bucket="site", Key=key)
        headers = {name: stored[name] for name in ("ContentType", "ContentEncoding") if name in stored}
        body = change(stored["Body"].read())
        admin.put_object(Bucket="site", Key=key, Body=body, Metadata=stored["Metadata"], **headers)

    return apply


def remove(admin: Any, key: str) -> None:
    admin.delete_object(Bucket="site", Key=key)


flip = overwrite(lambda body: body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :])
cut = overwrite(lambda body: body[:-1])
planted = overwrite(lambda body: gzip.compress(gzip.decompress(body).replace(b"</head>", b"<!-- --></head>")))
unnamed = overwrite(lambda body: gzip.compress(gzip.decompress(body) + b" "))


@pytest.mark.parametrize(
    ("start", "tamper", "message"),
    [
        ("weights/", flip, "the record says"),
        ("weights/", cut, "the record says"),
        ("weights/", remove, "is missing"),
        ("assets/", flip, "the record says"),
        ("models/u2netp/64/uint16/model.", unnamed, "the record says"),
        ("models/u2netp/64/float16.tflite", flip, "the record says"),
        ("models/u2netp/64/float16.tflite", remove, "is missing"),
        ("lib/u2net.js", unnamed, "the record says"),
        ("index.html", planted, "index.html has sha256"),
        ("catalogue.json", unnamed, "catalogue.json has sha256"),
        ("releases/", unnamed, "is not the record of that release"),
        ("releases/", remove, "is not at http"),
    ],
)
def test_tampered(
    place: Place, admin: Any, both: Path, start: str, tamper: Callable[[Any, str], None], message: str
) -> None:
    release = place.publish(both).release
    (key, *_) = [key for key in objects_in(admin, place) if key.startswith(start)]
    tamper(admin, f"{place.prefix}/{key}")
    for arguments in ([], ["--sha256", release]):
        line = verify(place, *arguments).line()
        assert line.startswith("verify_release: ")
        assert key in line
        assert message in line


def served_as(**changes: str) -> Callable[[Any, str], None]:
    """Return a function that changes an object's headers and keeps its content."""

    def apply(admin: Any, key: str) -> None:
        stored = admin.get_object(Bucket="site", Key=key)
        names = ("ContentType", "ContentEncoding", "CacheControl")
        headers = {name: stored[name] for name in names if name in stored} | changes
        admin.put_object(Bucket="site", Key=key, Body=stored["Body"].read(), Metadata=stored["Metadata"], **headers)

    return apply


@pytest.mark.parametrize(
    ("start", "change", "message"),
    [
        ("index.html", {"ContentType": "text/plain"}, "index.html is served with content-type: text/plain"),
        ("assets/", {"ContentType": "text/html"}, "is served with content-type: text/html, the release has"),
        ("index.html", {"CacheControl": "max-age=31536000"}, "index.html is served with cache-control: max-age"),
        ("weights/", {"CacheControl": "no-store"}, "is served with cache-control: no-store, the release has public"),
        ("lib/", {"CacheControl": "max-age=31536000"}, "u2net-portrait.js is served with cache-control: max-age"),
    ],
)
def test_other_headers(place: Place, admin: Any, both: Path, start: str, change: dict[str, str], message: str) -> None:
    place.publish(both)
    (key, *_) = [key for key in objects_in(admin, place) if key.startswith(start)]
    served_as(**change)(admin, f"{place.prefix}/{key}")
    assert message in verify(place).line()


def verify_bucket(place: Place, *arguments: str) -> Done:
    """Verify as a user who may list the bucket."""
    options = ["--release", place.bucket, "--endpoint", place.endpoint, *arguments]
    return place.run("verify_release", *options, identity="admin")


@pytest.mark.parametrize("name", ["evil.html", "service_worker.js", "assets/more.js", f"files/{'0' * 64}/index.html"])
def test_added_object(place: Place, admin: Any, float32: Path, both: Path, name: str) -> None:
    release = place.publish(both).release
    assert "; nothing else is there" in verify_bucket(place).printed
    admin.put_object(Bucket="site", Key=f"{place.prefix}/{name}", Body=b"<!doctype html>")
    # Everyone may read the bucket but not list it, and the output says so.
    assert "files beside them cannot be listed here" in verify(place).printed
    for arguments in ([], ["--sha256", release]):
        line = verify_bucket(place, *arguments).line()
        assert f"{name} belongs to no release (1 such in {place.bucket}); remove it" in line
    admin.delete_object(Bucket="site", Key=f"{place.prefix}/{name}")
    # Files of an older release are recognised.
    place.publish(float32)
    assert "beside them only those of 1 other releases" in verify_bucket(place).printed


def test_release_made_up_by_the_owner_of_the_bucket(place: Place, both: Path, float32: Path) -> None:
    trusted = place.publish(both).release
    place.publish(float32)
    assert verify(place).code == 0
    assert "do not use it" in verify(place, "--sha256", trusted).line()
    assert "is not at http" in verify(place, "--sha256", "0" * 64).line()


def test_copy_in_a_folder(place: Place, admin: Any, both: Path, tmp_path: Path) -> None:
    release = place.publish(both).release
    for key in objects_in(admin, place):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        admin.download_file("site", f"{place.prefix}/{key}", str(tmp_path / key))
    for arguments in ([], ["--sha256", release]):
        done = place.run("verify_release", "--release", str(tmp_path), *arguments, identity="")
        assert done.code == 0, done.error
    (tmp_path / "evil.html").touch()
    line = place.run("verify_release", "--release", str(tmp_path), identity="").line()
    assert "evil.html belongs to no release" in line
    (tmp_path / "evil.html").unlink()
    shard = tmp_path / min(shards_of(both, "uint16"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    line = place.run("verify_release", "--release", str(tmp_path), identity="").line()
    assert str(shard.relative_to(tmp_path)) in line


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ("nowhere", "nowhere is neither an http(s) or s3 address nor a folder"),
        ("/", "/ holds 0 releases' records, not one"),
        ("http://127.0.0.1:9/site", "cannot be read"),
    ],
)
def test_address_without_a_release(place: Place, release: str, message: str) -> None:
    assert message in place.run("verify_release", "--release", release, identity="").line()


def test_server_that_hides_which_release_it_shows(place: Place, admin: Any) -> None:
    assert "there is no catalogue.json at" in verify(place).line()
    admin.put_object(Bucket="site", Key=f"{place.prefix}/catalogue.json", Body=b"{}")
    assert "pass release_sha256, which publish printed" in verify(place).line()


def test_record_names_the_digest_of_its_own_bytes(place: Place, admin: Any, both: Path) -> None:
    release = place.publish(both).release
    stored = admin.get_object(Bucket="site", Key=f"{place.prefix}/releases/{release}.json")["Body"].read()
    record = gzip.decompress(stored)
    assert hashlib.sha256(record).hexdigest() == release
    assert json.loads(record)["files"].keys() >= {"index.html", "catalogue.json"}
