from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.signing import stock_tool, write_pair
from workflow_scripts.publish.signature import check_signature, sign
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("publish")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site as a rule leaves it, with the marks of Snakemake and of its own in it."""
    folder = tmp_path / "site"
    (folder / "weights").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "weights/a.bin").write_bytes(bytes(1000))
    (folder / ".snakemake_timestamp").touch()
    (folder / ".seal.json").write_text("{}")
    return folder


def test_signature_is_accepted_here_and_by_the_stock_tool(site: Path, tmp_path: Path) -> None:
    private, public = write_pair(tmp_path, "ours")
    signature = tmp_path / "release.sig"
    signature.write_bytes(sign(site, private))
    check_signature(site, signature.read_bytes(), public, "release")
    # A visitor's copy has no such marks.
    for mark in (".snakemake_timestamp", ".seal.json"):
        (site / mark).unlink()
    check_signature(site, signature.read_bytes(), public, "release")
    assert stock_tool(site, signature, public).returncode == 0

    _, other = write_pair(tmp_path, "other")
    with pytest.raises(Failure, match=r"is not signed with the key of .*other.pub.pem .Key mismatch"):
        check_signature(site, signature.read_bytes(), other, "release")
    assert stock_tool(site, signature, other).returncode != 0


@pytest.mark.parametrize(
    "tamper",
    [
        lambda site: (site / "weights/a.bin").write_bytes(bytes(999) + b"?"),
        lambda site: (site / "index.html").unlink(),
        lambda site: (site / "more.js").write_text("alert(1)"),
    ],
    ids=["changed", "missing", "added"],
)
def test_other_files_are_refused(site: Path, tmp_path: Path, tamper: Callable[[Path], None]) -> None:
    private, public = write_pair(tmp_path, "ours")
    signature = sign(site, private)
    tamper(site)
    with pytest.raises(Failure, match="Signature mismatch"):
        check_signature(site, signature, public, "release")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"mediaType": "x"}'])
def test_what_is_no_signature_is_refused_in_one_line(site: Path, tmp_path: Path, content: bytes) -> None:
    _, public = write_pair(tmp_path, "ours")
    with pytest.raises(Failure) as refused:
        check_signature(site, content, public, "release")
    assert "\n" not in str(refused.value)


def test_key_that_cannot_sign_is_refused_and_not_shown(site: Path, tmp_path: Path) -> None:
    rsa_key = rsa.generate_private_key(65537, 2048)
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in (("rsa.pem", pem), ("text.pem", b"secret words")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Failure, match="it must be an elliptic private key") as refused:
            sign(site, tmp_path / name)
        assert "secret" not in str(refused.value)
    with pytest.raises(Failure, match=r"text.pem cannot be used .ValueError.; give the signer"):
        check_signature(site, b"{}", tmp_path / "text.pem", "release")
