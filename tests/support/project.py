"""The workflow as a user runs it: copies of this checkout, real environments, real tools."""

import fcntl
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("torch", "onnx", "tensorflow", "litert", "provenance", "publish", "draw", "node")
# The defaults and float16 for LiteRT: at these sizes u2netp holds its floor.
BOTH = "tflite_dtypes=[float32,float16]"
SMALL = ("--config", "model=u2netp", "resolutions=[64]", BOTH)
SITE_CONFIG = ("--config", "model=u2netp", "resolutions=[64,128]", BOTH)
# The tests must not use this machine's own settings for AWS.
NOWHERE = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--cores", "2")


@dataclass(frozen=True)
class Workflow:
    """One copy of the project and what is built in it."""

    folder: Path

    def copy(self, folder: Path) -> "Workflow":
        """Copy the project and what is built in it to `folder`, which a test may damage."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workflow(folder)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with `arguments`. Standard output and error are captured apart."""
        return subprocess.run(
            [*SNAKEMAKE, *arguments],
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def succeed(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake and assert that it succeeds."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def planned(self, *arguments: str) -> Counter[str]:
        """Count by rule the jobs that a dry run lists."""
        done = self.succeed(*arguments, "--dry-run", "--quiet", "progress")
        return Counter(re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, re.MULTILINE))

    def manifest(self, model: str, resolution: int) -> dict[str, Any]:
        """Read one manifest."""
        content: dict[str, Any] = json.loads((self.folder / f"results/{model}/{resolution}/manifest.json").read_text())
        return content


def copy_project(folder: Path) -> Workflow:
    """Copy the project's own files as they are now, and share the environments with the copy."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venvs").symlink_to(ROOT / ".venvs")
    return Workflow(folder)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process of the tests holds this lock, and hold it."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def build_in_checkout(*targets: str) -> None:
    """Build files in the checkout itself. Only one process of the tests builds there at a time."""
    (ROOT / ".snakemake").mkdir(exist_ok=True)
    with alone(ROOT / ".snakemake/tests"):
        Workflow(ROOT).succeed(*targets)


def build_environments(*names: str) -> None:
    """Build environments in the checkout, each by its own rule."""
    build_in_checkout(*(f".venvs/{name}/installed.txt" for name in names))


def python(environment: str, *arguments: str) -> None:
    """Run Python of one of the environments in the checkout."""
    command = [str(ROOT / ".venvs" / environment / "bin" / "python"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def own_tests(environment: str, folder: str, least: int, project: Path = ROOT, **variables: str) -> str:
    """Run a folder of a project's tests with an environment's own pytest. None may be skipped. Return its output."""
    command = [str(ROOT / f".venvs/{environment}/bin/python"), "-m", "pytest", folder, "-q", "-rP", "--durations=10"]
    # The conftest.py of the folders above belongs to the driver: it imports packages that this environment lacks.
    top = next((top for top in ("tests/unit", "tests/fuzz") if folder == top or folder.startswith(f"{top}/")), folder)
    done = subprocess.run(
        [*command, f"--confcutdir={top}"],
        cwd=project,
        env={**os.environ, **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout)
    assert done.returncode == 0
    summary = done.stdout.splitlines()[-1]
    passed = re.search(r"(\d+) passed", summary)
    assert passed is not None
    assert int(passed.group(1)) >= least
    assert "skipped" not in summary
    assert "deselected" not in summary
    return done.stdout


def flip(path: Path, position: int) -> None:
    """Flip the second-highest bit of one byte."""
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(bytes(content))


def positions_of(model: Path, shape: list[int]) -> list[int]:
    """Return where the weights of that shape start in the model's concatenated shards."""
    (group,) = json.loads((model / "model.json").read_text())["weightsManifest"]
    position, found = 0, []
    for weight in group["weights"]:
        if weight["shape"] == shape:
            found.append(position)
        position += 4 * math.prod(weight["shape"])
    return found
