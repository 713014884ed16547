"""A signed release: who made it can be checked with the signer's public key alone."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.places import Done, Place, objects_in, shards_of
from tests.support.signing import stock_tool, write_pair


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path, "ours")


def publish(place: Place, site: Path, private: Path) -> Done:
    return place.run("publish", *place.what(site), "--signing-key", str(private), identity="publisher")


def verify(place: Place, release: str | Path, public: Path, *arguments: str, identity: str = "") -> Done:
    options = ["--release", str(release), "--public-key", str(public), *arguments]
    return place.run("verify_release", *options, identity=identity)


def test_signed_release_is_accepted_here_and_by_the_stock_tool(
    place: Place, admin: Any, both: Path, float32: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    signed = publish(place, both, private)
    assert signed.printed.endswith(f"shows release {signed.release}, signed\n")
    assert f"releases/{signed.release}.sig" in objects_in(admin, place)

    copy = tmp_path / "copy"
    done = verify(place, place.address, public, "--copy", str(copy))
    assert done.code == 0, done.error
    assert f"release {signed.release}, signed with the key of {public}" in done.printed
    stock = stock_tool(copy / "site", copy / "release.sig", public)
    assert stock.returncode == 0, stock.stderr
    assert (copy / "site/index.html").read_bytes() == (both / "index.html").read_bytes()
    # Offline, the copy is checked like the release.
    assert verify(place, copy / "site", public).code == 0
    assert "exists already" in verify(place, place.address, public, "--copy", str(copy)).line()
    # The signature belongs to the release: nothing else is there.
    listed = verify(place, place.bucket, public, "--endpoint", place.endpoint, identity="admin")
    assert "; nothing else is there" in listed.printed

    # A changed copy is refused by both.
    shard = copy / "site" / min(shards_of(both, "uint16"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    assert stock_tool(copy / "site", copy / "release.sig", public).returncode != 0
    assert str(shard.relative_to(copy / "site")) in verify(place, copy / "site", public).line()

    # The signature stays with its release and goes with it.
    later = publish(place, float32, private).release
    listed = verify(place, place.bucket, public, "--endpoint", place.endpoint, identity="admin")
    assert "beside them only those of 1 other releases" in listed.printed
    pruned = place.run("prune", "--keep", "1", "--grace-hours", "0", "--delete", identity="pruner")
    assert pruned.code == 0, pruned.error
    signatures = {key for key in objects_in(admin, place) if key.endswith(".sig")}
    assert signatures == {f"releases/{later}.sig"}


def test_other_signatures_are_refused_in_one_line(
    place: Place, admin: Any, both: Path, float32: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    release = publish(place, both, private).release
    key = f"{place.prefix}/releases/{release}.sig"
    signature = admin.get_object(Bucket="site", Key=key)["Body"].read()
    _, other = write_pair(tmp_path, "other")
    assert f"is not signed with the key of {other} (Key mismatch" in verify(place, place.address, other).line()

    (shard, *_) = shards_of(both, "uint16")
    stored = admin.get_object(Bucket="site", Key=f"{place.prefix}/{shard}")["Body"].read()
    headers = {"ContentType": "application/octet-stream", "CacheControl": "public, max-age=31536000, immutable"}
    admin.put_object(Bucket="site", Key=f"{place.prefix}/{shard}", Body=stored[:-1] + b"?", **headers)
    assert f"{shard} has sha256" in verify(place, place.address, public).line()
    admin.put_object(Bucket="site", Key=f"{place.prefix}/{shard}", Body=stored, **headers)

    # One letter of what was signed.
    at = signature.index(b'"payload"') + 40
    changed = signature[:at] + (b"A" if signature[at : at + 1] != b"A" else b"B") + signature[at + 1 :]
    admin.put_object(Bucket="site", Key=key, Body=changed)
    assert f"release {release} is not signed with the key" in verify(place, place.address, public).line()
    admin.delete_object(Bucket="site", Key=key)
    assert f"has no signature of release {release}" in verify(place, place.address, public).line()

    # Who holds the bucket can put another release there, but cannot sign it.
    forged = place.publish(float32).release
    assert f"has no signature of release {forged}" in verify(place, place.address, public).line()
    admin.put_object(Bucket="site", Key=f"{place.prefix}/releases/{forged}.sig", Body=signature)
    assert "(Signature mismatch" in verify(place, place.address, public).line()
    assert place.run("verify_release", "--release", place.address, identity="").code == 0


def test_key_that_cannot_sign_publishes_nothing(place: Place, admin: Any, both: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN words-----")
    assert "it must be an elliptic private key" in publish(place, both, tmp_path / "key.pem").line()
    assert objects_in(admin, place) == {}
