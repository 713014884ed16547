import hashlib
import json
from pathlib import Path

import pytest

from tests.support.manifests import manifest, write_vouched
from workflow_scripts.formats.manifest import vouched
from workflow_scripts.website.attestations import attest, statement

pytestmark = pytest.mark.environment("provenance")

COMMIT = "c" * 40


def write_site(folder: Path) -> Path:
    (folder / "weights").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "weights/a.bin").write_bytes(b"weights")
    (folder / ".snakemake_timestamp").touch()
    return folder


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
        {"name": "source", "digest": {"sha256": "d" * 64, "gitCommit": COMMIT}},
    ]


def test_a_changed_checkout_is_said_to_be_changed(tmp_path: Path) -> None:
    found = statement(write_site(tmp_path / "site"), [manifest(git_commit=f"{COMMIT}-dirty")], [], "urn:builder")
    *_, source = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    digests = {"sha256": "d" * 64, "gitCommit": COMMIT}
    assert source == {"name": "source", "digest": digests, "annotations": {"changed": True}}


def test_a_project_without_a_commit_is_named_by_its_files(tmp_path: Path) -> None:
    found = statement(write_site(tmp_path / "site"), [manifest(git_commit=None)], [], "urn:builder")
    *_, source = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {"name": "source", "digest": {"sha256": "d" * 64}}


def test_an_empty_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="At least one subject required"):
        statement(tmp_path, [manifest()], [], "urn:builder")


def test_the_folder_holds_bills_statement_and_sums_of_all_else(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site")
    bill, path = tmp_path / "torch.cdx.json", write_vouched(tmp_path, manifest(), model=b"model")
    bill.write_text("{}")
    attest(site, {path: vouched(path)}, [bill], [bill], "urn:builder")
    sums = dict(line.split("  ")[::-1] for line in (site / "provenance/SHA256SUMS").read_text().splitlines())
    files = ["index.html", "provenance/mine.64.manifest.json", "provenance/torch.cdx.json", "weights/a.bin"]
    assert list(sums) == sorted([*files, "provenance/statement.json"])
    assert all(sums[name] == digest((site / name).read_bytes()) for name in sums)
    assert sums[files[1]] == digest(path.read_bytes())
    subjects = json.loads((site / "provenance/statement.json").read_text())["subject"]
    assert [subject["name"] for subject in subjects] == files
