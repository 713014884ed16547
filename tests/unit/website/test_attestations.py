import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.website.attestations import attest, statement

pytestmark = pytest.mark.environment("provenance")

COMMIT = "c" * 40


def write_site(folder: Path) -> Path:
    (folder / "weights").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "weights/a.bin").write_bytes(b"weights")
    (folder / ".snakemake_timestamp").touch()
    return folder


def manifest(model: str = "mine", resolution: int = 64, commit: str | None = COMMIT) -> dict[str, Any]:
    return {"model": model, "resolution": resolution, "checkpoint": {"sha256": "b" * 64}, "git_commit": commit}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_file_is_a_subject_and_every_source_a_material(tmp_path: Path) -> None:
    lock = tmp_path / "torch.txt"
    lock.write_text("torch==1")
    manifests = [manifest(), manifest(resolution=320), manifest("other")]
    found = statement(write_site(tmp_path / "site"), manifests, [lock], "urn:builder")
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["subject"] == [
        {"name": "index.html", "digest": {"sha256": digest(b"<!doctype html>")}},
        {"name": "weights/a.bin", "digest": {"sha256": digest(b"weights")}},
    ]
    assert found["predicateType"] == "https://slsa.dev/provenance/v1"
    definition = found["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["models"] == {"mine": [64, 320], "other": [64]}
    assert definition["resolvedDependencies"] == [
        {"name": "checkpoint of mine", "digest": {"sha256": "b" * 64}},
        {"name": "checkpoint of other", "digest": {"sha256": "b" * 64}},
        {"name": "torch.txt", "digest": {"sha256": digest(b"torch==1")}},
        {"name": "source", "digest": {"gitCommit": COMMIT}},
    ]


def test_a_changed_checkout_is_said_to_be_changed(tmp_path: Path) -> None:
    found = statement(write_site(tmp_path / "site"), [manifest(commit=f"{COMMIT}-dirty")], [], "urn:builder")
    *_, source = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {"name": "source", "digest": {"gitCommit": COMMIT}, "annotations": {"changed": True}}


def test_an_empty_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="At least one subject required"):
        statement(tmp_path, [manifest()], [], "urn:builder")


def test_the_folder_holds_bills_statement_and_sums_of_all_else(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site")
    bill, path = tmp_path / "torch.cdx.json", tmp_path / "manifest.json"
    bill.write_text("{}")
    path.write_text(json.dumps(manifest()))
    attest(site, [path], [bill], [bill], "urn:builder")
    sums = dict(line.split("  ")[::-1] for line in (site / "provenance/SHA256SUMS").read_text().splitlines())
    assert list(sums) == ["index.html", "provenance/statement.json", "provenance/torch.cdx.json", "weights/a.bin"]
    assert all(sums[name] == digest((site / name).read_bytes()) for name in sums)
    subjects = json.loads((site / "provenance/statement.json").read_text())["subject"]
    assert [subject["name"] for subject in subjects] == ["index.html", "provenance/torch.cdx.json", "weights/a.bin"]
