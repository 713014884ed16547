import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow_scripts.website.list_components import main

pytestmark = pytest.mark.environment("provenance")

Refusal = Callable[..., str]
DIGEST = "a" * 64
SHA512, SHA1 = bytes(range(64)), bytes(range(20))
NPM = {
    "packages": {
        "": {"name": "page"},
        "node_modules/@tensorflow/tfjs-core": {
            "version": "4.22.0",
            "integrity": f"sha512-{b64encode(SHA512).decode()}",
            "license": "Apache-2.0",
        },
        "node_modules/a/node_modules/b": {
            "version": "1.0.0",
            "integrity": f"sha1-{b64encode(SHA1).decode()}",
            "license": "see LICENSE",
        },
    }
}


def components(bill: Path) -> dict[str, str]:
    return {each["purl"]: each["version"] for each in json.loads(bill.read_text())["components"]}


def test_every_pinned_requirement_is_a_component_with_its_digest(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"numpy==2.0.1 \\\n    --hash=sha256:{DIGEST}\ntorch==2.15.0 \\\n    --hash=sha256:{DIGEST}\n")
    main(["--lock", str(lock), "--output", str(tmp_path / "bill.json")])
    assert components(tmp_path / "bill.json") == {"pkg:pypi/numpy@2.0.1": "2.0.1", "pkg:pypi/torch@2.15.0": "2.15.0"}
    assert DIGEST in (tmp_path / "bill.json").read_text()


def test_every_locked_npm_package_is_a_component_with_its_digest(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps(NPM))
    main(["--lock", str(lock), "--output", str(tmp_path / "bill.json")])
    assert components(tmp_path / "bill.json") == {
        "pkg:npm/%40tensorflow/tfjs-core@4.22.0": "4.22.0",
        "pkg:npm/b@1.0.0": "1.0.0",
    }
    hashes = [each["hashes"] for each in json.loads((tmp_path / "bill.json").read_text())["components"]]
    assert hashes == [
        [{"alg": "SHA-512", "content": SHA512.hex()}],
        [{"alg": "SHA-1", "content": SHA1.hex()}],
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [("lock.txt", f"numpy==2.0.1 --hash=sha256:{DIGEST}\n"), ("package-lock.json", json.dumps(NPM))],
)
def test_equal_locks_are_equal_bytes(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    for output in ("a.json", "b.json"):
        main(["--lock", str(tmp_path / name), "--output", str(tmp_path / output)])
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_lock_of_nothing_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": {"": {}}}))
    output = tmp_path / "bill.json"
    message = refusal(main, "--lock", tmp_path / "package-lock.json", "--output", output)
    assert "package-lock.json locks no package" in message
    assert not output.exists()
