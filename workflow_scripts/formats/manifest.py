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

# The engines that run in a browser, by the prefix of their hops.
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
    """The size of an artifact and the size of its weights, in bytes."""

    bytes: int
    weight_bytes: int


@dataclass(frozen=True)
class Checks:
    """The checks' figures. `parity` has the worst over all probes, by hop. `size` is by artifact."""

    parity: dict[str, dict[str, float]]
    size: dict[str, StoredSize]


@dataclass(frozen=True)
class GraphCost:
    """The cost of running a TensorFlow.js graph: operations by kind, multiply-adds, peak of live tensors in bytes."""

    operations: dict[str, int]
    multiply_adds: int
    peak_bytes: int


@dataclass(frozen=True)
class Proof:
    """By what a hop's figures are known: the engine that predicted every probe with the artifact.

    The last three are of TensorFlow.js models only: what loaded the model, how many of its tensors then were, bit for
    bit, those that its shards stand for, and the model whose graph it has and which WebAssembly ran (docs/checks.md).
    """

    predicted_with: str
    loaded_with: str | None = None
    tensors_equal: int | None = None
    graph_of: str | None = None


@dataclass(frozen=True)
class Manifest:
    """One model at one resolution. `artifacts` and `evidence` are by path, relative to the project's folder."""

    model: str
    task: str
    licence: str
    notice: str | None
    # How a student was trained, as train_student wrote it. None if the model was not trained here.
    provenance: dict[str, Any] | None
    resolution: int
    # As read_checkpoint wrote it.
    architecture: dict[str, Any]
    multiply_adds: int
    checkpoint: Recorded
    artifacts: dict[str, Recorded]
    # The files that the checks used. They may be deleted later, because no artifact depends on them.
    evidence: dict[str, Recorded]
    checks: Checks
    # By hop.
    proofs: dict[str, Proof]
    tensorflowjs: dict[str, GraphCost]
    # For each lock file: its digest, and the tools that decide what an artifact contains or what a check measures.
    versions: dict[str, dict[str, str]]
    locks: dict[str, str]
    # The digest of the project's own files. For a checkout also its commit, with "-dirty" appended if files differ.
    source_sha256: str
    git_commit: str | None
    passed: bool

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest's content."""
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
        """The models that run in a browser, as pairs of engine and dtype, in the order of hops, TensorFlow.js first.

        TensorFlow.js' float32 model is run to prove the others, also if it was not asked for. Then it has no size.
        """
        hops = [hop for hop in self.checks.parity if hop in self.checks.size]
        pairs = [(engine, dtype) for engine, _, dtype in (hop.partition("-") for hop in hops)]
        return [pair for engine in DELIVERED for pair in pairs if pair[0] == engine]

    @property
    def recorded(self) -> dict[str, Recorded]:
        """Every file that the manifest vouches for."""
        return {**self.evidence, **self.artifacts}


class Damaged(Failure):
    """A manifest has changed since it was written. `problem` says how, without naming the manifest."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}{again(path)}")
        self.problem = problem


def own_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest's content, without its own digest."""
    said = {key: value for key, value in content.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest with its own digest."""
    write_json(path, {**asdict(manifest), "manifest_sha256": manifest.sha256})


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises Failure if it is damaged or did not pass. Unlike `vouched`, do not look at the files."""
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
            proofs={hop: Proof(**proof) for hop, proof in content.pop("proofs").items()},
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
    """Return each file that differs from the recorded one, and what is wrong with it.

    `path` is the manifest's path: PROJECT/results/MODEL/RESOLUTION/manifest.json. Evidence may be missing.
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
    """Read a manifest, and compare every artifact and every file that a check read with the recorded digest.

    Raises Failure, naming the first file that differs from the one that was checked.
    """
    manifest = read_manifest(path)
    if problems := damaged(path, manifest):
        file, problem = next(iter(problems.items()))
        raise Failure(f"{file} {problem}, so {path} no longer vouches for it{again(*problems)}")
    return manifest


def built_as(path: Path) -> Path:
    """Return the output to which a file belongs. For Snakemake, a TensorFlow.js model is one folder."""
    return path.parent if path.parent.parent.name == "tfjs" else path


def again(*paths: Path) -> str:
    """Return the end of a message: what to do about damaged files."""
    targets = " ".join(sorted({str(built_as(path)) for path in paths}))
    return f"; build it again: add this to the command that built it: --forcerun {targets}"


def by_resolution(paths: Sequence[Path]) -> dict[Path, Manifest]:
    """Read and follow the manifests of one model, the smallest resolution first."""
    manifests = {path: vouched(path) for path in paths}
    return dict(sorted(manifests.items(), key=lambda item: item[1].resolution))


def manifest_in_site(manifest: Manifest) -> str:
    """Return where a site holds the manifest of one of its models."""
    return f"provenance/{manifest.model}.{manifest.resolution}.manifest.json"
