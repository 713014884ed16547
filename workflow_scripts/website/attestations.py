"""Say where the files of a site come from: an in-toto statement with SLSA's provenance predicate, and SHA256SUMS.

https://in-toto.io/Statement/v1, https://slsa.dev/provenance/v1. The statement is not signed. It can be the payload of a
DSSE envelope, as `application/vnd.in-toto+json`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from workflow_scripts.formats.manifest import Manifest, manifest_in_site
from workflow_scripts.shared.files import files_in, lock_name, sha256, write_json

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://snakemake.github.io/#workflow"


def materials(manifests: Sequence[Manifest], locks: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what the site was built from: the models' checkpoints, the lock files, the project's files and commit."""
    checkpoints = {manifest.model: manifest.checkpoint.sha256 for manifest in manifests}
    found = [{"name": f"checkpoint of {model}", "digest": {"sha256": digest}} for model, digest in checkpoints.items()]
    found += [{"name": lock_name(lock), "digest": {"sha256": sha256(lock)}} for lock in locks]
    for digest, commit in sorted({(manifest.source_sha256, manifest.git_commit or "") for manifest in manifests}):
        # If there are local changes, the build started from this commit but differs from it.
        plain = commit.removesuffix("-dirty")
        note = {"annotations": {"changed": True}} if commit != plain else {}
        named = {"gitCommit": plain} if plain else {}
        found.append({"name": "source", "digest": {"sha256": digest, **named}, **note})
    return found


def statement(site: Path, manifests: Sequence[Manifest], locks: Sequence[Path], builder: str) -> dict[str, Any]:
    """Return the statement about every file below `site`. Raises ValueError or ParseError if it would not be valid."""
    models: dict[str, list[int]] = {}
    for manifest in manifests:
        models.setdefault(manifest.model, []).append(manifest.resolution)
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"target": "site", "models": models},
            "resolvedDependencies": materials(manifests, locks),
        },
        "runDetails": {"builder": {"id": builder}},
    }
    # Parsing refuses any field that the predicate does not define.
    ParseDict(predicate, Provenance())
    subjects = [
        ResourceDescriptor(name=str(path.relative_to(site)), digest={"sha256": sha256(path)}).pb
        for path in files_in(site)
    ]
    found = Statement(subjects, PREDICATE, predicate)
    found.validate()
    content: dict[str, Any] = MessageToDict(found.pb)
    return content


def attest(
    site: Path, manifests: Mapping[Path, Manifest], locks: Sequence[Path], bills: Sequence[Path], builder: str
) -> None:
    """Write provenance/ into a site: manifests, bills of materials, the statement about all files, and SHA256SUMS."""
    folder = site / "provenance"
    folder.mkdir()
    for bill in bills:
        (folder / bill.name).write_bytes(bill.read_bytes())
    for path, manifest in manifests.items():
        (site / manifest_in_site(manifest)).write_bytes(path.read_bytes())
    write_json(folder / "statement.json", statement(site, list(manifests.values()), locks, builder))
    lines = [f"{sha256(path)}  {path.relative_to(site)}\n" for path in files_in(site)]
    (folder / "SHA256SUMS").write_text("".join(lines))
