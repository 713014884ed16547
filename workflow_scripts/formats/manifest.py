"""The record of one resolution: its artifacts, the checks' figures and what they were made with."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.formats.evidence import unfollowed
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import sha256, write_json

# What runs in a browser, by the prefix of its hops.
DELIVERED = ("tfjs", "litert")


@dataclass(frozen=True)
class Recorded:
    """A file: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Recorded":
        """Measure a file."""
        return cls(path.stat().st_size, sha256(path))


@dataclass(frozen=True)
class StoredSize:
    """What an artifact takes, in bytes: all of it, and its weights."""

    bytes: int
    weight_bytes: int


@dataclass(frozen=True)
class Checks:
    """The checks' figures. `parity`: the worst over all probes by hop; `size` by artifact."""

    parity: dict[str, dict[str, float]]
    size: dict[str, StoredSize]


@dataclass(frozen=True)
class GraphCost:
    """What a TensorFlow.js graph takes to run: operations by kind, multiply-adds, peak of live tensors in bytes."""

    operations: dict[str, int]
    multiply_adds: int
    peak_bytes: int


@dataclass(frozen=True)
class Manifest:
    """One model at one resolution. `artifacts` and `evidence` are by path from the project's folder on."""

    model: str
    task: str
    licence: str
    notice: str | None
    # How a student was trained, as train_student wrote it; None for a model that was not trained here.
    provenance: dict[str, Any] | None
    resolution: int
    # As read_checkpoint wrote it.
    architecture: dict[str, Any]
    multiply_adds: int
    checkpoint: Recorded
    artifacts: dict[str, Recorded]
    # What the checks judged by. It may be gone later: no artifact is made of it any more.
    evidence: dict[str, Recorded]
    checks: Checks
    tensorflowjs: dict[str, GraphCost]
    # Of each lock file the tools that decide what an artifact holds or what a check measures, and its digest.
    versions: dict[str, dict[str, str]]
    locks: dict[str, str]
    # Digest of the project's own files, and their commit if they are a checkout, "-dirty" appended if they differ.
    source_sha256: str
    git_commit: str | None
    passed: bool

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that the manifest says."""
        return own_digest(asdict(self))

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return int(self.architecture["parameters"])

    @property
    def family(self) -> str:
        """The network's name: u2net, u2netp or custom."""
        return str(self.architecture["family"])

    @property
    def stages(self) -> dict[str, list[int]]:
        """Each stage's input, middle and output channels."""
        return dict(self.architecture["stages"])

    @property
    def delivered(self) -> list[tuple[str, str]]:
        """What runs in a browser, as pairs of engine and dtype: TensorFlow.js first, in the order of the hops."""
        pairs = [(engine, dtype) for engine, _, dtype in (hop.partition("-") for hop in self.checks.parity)]
        return [pair for engine in DELIVERED for pair in pairs if pair[0] == engine]

    @property
    def recorded(self) -> dict[str, Recorded]:
        """Every file that the manifest vouches for."""
        return {**self.evidence, **self.artifacts}


class Damaged(Failure):
    """A manifest that is not as it was written: `problem` says why, without naming the manifest."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}{again(path)}")
        self.problem = problem


def own_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that a manifest says, but for what it says of itself."""
    said = {key: value for key, value in content.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest with its own digest."""
    write_json(path, {**asdict(manifest), "manifest_sha256": manifest.sha256})


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises Failure if it is damaged or did not pass; `vouched` also looks at the files."""
    try:
        content = json.loads(path.read_text())
        digest = content.pop("manifest_sha256")
        if digest != own_digest(content):
            raise Damaged(path, f"differs from its own sha256 {digest}")
        checks = content.pop("checks")
        size = {name: StoredSize(**size) for name, size in checks["size"].items()}
        manifest = Manifest(
            artifacts=_recorded(content.pop("artifacts")),
            evidence=_recorded(content.pop("evidence")),
            checkpoint=Recorded(**content.pop("checkpoint")),
            checks=Checks(dict(checks["parity"]), size),
            tensorflowjs={hop: GraphCost(**cost) for hop, cost in content.pop("tensorflowjs").items()},
            **content,
        )
    except FileNotFoundError as error:
        raise Damaged(path, "is missing") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(path, "cannot be read as a manifest") from error
    if manifest.passed is not True:
        raise Damaged(path, "did not pass its checks")
    return manifest


def _recorded(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Recorded]:
    return {name: Recorded(**recorded) for name, recorded in files.items()}


def damaged(path: Path, manifest: Manifest) -> dict[Path, str]:
    """Return each file that is not the one recorded, and what is wrong with it.

    `path` is the manifest's: PROJECT/results/MODEL/RESOLUTION/manifest.json. Evidence may be gone.
    """
    root = path.parents[3]
    if not any((root / name).is_relative_to(path.parent) for name in manifest.artifacts):
        return {path: "is another resolution's or another model's"}
    problems = {}
    for name, recorded in manifest.recorded.items():
        file = root / name
        if not file.is_file():
            if name in manifest.artifacts:
                problems[file] = "is missing"
        elif file.stat().st_size != recorded.bytes:
            problems[file] = f"has {file.stat().st_size} bytes, recorded {recorded.bytes}"
        elif sha256(file) != recorded.sha256:
            problems[file] = f"differs from its recorded sha256 {recorded.sha256}"
    if problems:
        return problems
    unlinked = unfollowed(root, {name: recorded.sha256 for name, recorded in manifest.recorded.items()})
    return {path: f"does not hold: {unlinked[0]}"} if unlinked else {}


def vouched(path: Path) -> Manifest:
    """Read a manifest and follow it: to every artifact, to what each check read, all by digest.

    Raises Failure naming the first file that is not the one that was checked.
    """
    manifest = read_manifest(path)
    if problems := damaged(path, manifest):
        file, problem = next(iter(problems.items()))
        raise Failure(f"{file} {problem}, so {path} no longer vouches for it{again(*problems)}")
    return manifest


def built_as(path: Path) -> Path:
    """Return what Snakemake builds a file as: a TensorFlow.js model is one folder."""
    return path.parent if path.parent.parent.name == "tfjs" else path


def again(*paths: Path) -> str:
    """Return what to do about damaged files, for the end of a message."""
    targets = " ".join(sorted({str(built_as(path)) for path in paths}))
    return f"; build it again: add this to the command that built it: --forcerun {targets}"


def by_resolution(paths: Sequence[Path]) -> dict[Path, Manifest]:
    """Read and follow the manifests of one model, the smallest resolution first."""
    manifests = {path: vouched(path) for path in paths}
    return dict(sorted(manifests.items(), key=lambda item: item[1].resolution))


def manifest_in_site(manifest: Manifest) -> str:
    """Return where a site holds the manifest of one of its models."""
    return f"provenance/{manifest.model}.{manifest.resolution}.manifest.json"
