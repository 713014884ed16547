"""Damaged files that Snakemake does not notice are named, with a command that makes the same bytes again."""

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.breaking import COMMAND, FULL, all_jobs, digests, following, last_lines, remove_outputs
from tests.support.project import Workflow

CONFIG = COMMAND[1:]


def truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def zero(content: bytes, chance: random.Random) -> bytes:
    return bytes(len(content))


def flip_one_bit(content: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(content))
    return content[:position] + bytes([content[position] ^ 1 << chance.randrange(8)]) + content[position + 1 :]


DAMAGES = [truncate, zero, flip_one_bit]


def vouched_for(workflow: Workflow) -> list[str]:
    """Return every file that the manifest names, and the manifest."""
    manifest = workflow.manifest("u2netp", 64)
    return sorted({*manifest["artifacts"], *manifest["evidence"], "results/u2netp/64/manifest.json"})


def change(path: Path, content: bytes) -> None:
    """Replace a file's content but not its date, as a failing disk does."""
    before = path.stat()
    assert content != path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def complaint(workflow: Workflow) -> str:
    """Run verify_manifests, assert that it fails, and return its line."""
    done = workflow.run("verify_manifests", *CONFIG)
    assert done.returncode != 0
    (line,) = [text.strip() for text in done.stderr.splitlines() if text.strip().startswith("verify_manifests: ")]
    return line


def assert_made_again(workflow: Workflow, built: Workflow, again: list[str]) -> None:
    """Assert that the command with `--forcerun` restores what an undisturbed run builds."""
    done = workflow.run(*COMMAND, "--forcerun", *again)
    assert done.returncode == 0, last_lines(done.stderr)
    assert digests(workflow) == digests(built)


def test_every_file_of_a_run_is_vouched_for(built: Workflow) -> None:
    unnamed = {f"results/{name}" for name in digests(built) if not Path(name).name.startswith(".")}
    # The summary compares with what u2netp draws at its own size.
    unnamed -= {"results/_probes/320.safetensors", "results/u2netp/320/predictions/torch.safetensors"}
    # verify_manifests compares the summaries with the manifests; where the checkpoint came from is for later runs.
    unnamed -= {*vouched_for(built), "results/summary.html", "results/summary.md"}
    assert unnamed == {"results/u2netp/checkpoint/remembered.json"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_is_named(broken: Workflow, damage: Callable[[bytes, random.Random], bytes]) -> None:
    chance = random.Random(damage.__name__)  # noqa: S311
    names = [name for name in vouched_for(broken) if not name.endswith("manifest.json")]
    for name in names:
        change(broken.folder / name, damage((broken.folder / name).read_bytes(), chance))
    line = complaint(broken)
    assert f"{len(names)} damaged in all" in line
    again = line.partition("--forcerun ")[2].split()
    # A TensorFlow.js model is made again as a whole.
    assert set(again) == {re.sub(r"(/tfjs/\w+)/.*", r"\1", name) for name in names}


@pytest.mark.parametrize("damage", DAMAGES if FULL else [flip_one_bit])
def test_damage_to_the_manifest_is_named(
    built: Workflow, broken: Workflow, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(damage.__name__)  # noqa: S311
    manifest = broken.folder / "results/u2netp/64/manifest.json"
    change(manifest, damage(manifest.read_bytes(), chance))
    line = complaint(broken)
    assert line.startswith("verify_manifests: results/u2netp/64/manifest.json ")
    assert_made_again(broken, built, line.partition("--forcerun ")[2].split())


def test_files_of_another_resolution_are_named(site: Workflow, tmp_path: Path) -> None:
    broken = site.copy(tmp_path / "project")
    names = [name for name in vouched_for(broken) if "/64" in name and not name.endswith("manifest.json")]
    swapped = []
    for name in names:
        other = site.folder / re.sub(r"(?<=/)64(?=[/.])", "128", name)
        # The same weights, in whole shards, at every resolution.
        if other.read_bytes() != (broken.folder / name).read_bytes():
            change(broken.folder / name, other.read_bytes())
            swapped.append(name)
    assert len(names) - len(swapped) <= 2
    assert f"{len(swapped)} damaged in all" in complaint(broken)
    shutil.copy(site.folder / "results/u2netp/128/manifest.json", broken.folder / "results/u2netp/64/manifest.json")
    assert complaint(broken).startswith("verify_manifests: results/u2netp/64/manifest.json is another resolution's")


@pytest.mark.parametrize("seed", range(30) if FULL else (1,))
def test_what_is_damaged_is_made_again(built: Workflow, broken: Workflow, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    names = vouched_for(broken)
    # The full test takes every file in turn. The short one takes files that few others are made from.
    name = names[seed % len(names)] if FULL else chance.choice([name for name in names if "/predictions/" in name])
    damage = chance.choice(DAMAGES)
    change(broken.folder / name, damage((broken.folder / name).read_bytes(), chance))
    print(f"seed {seed}: {damage.__name__} {name}")
    # Only the content changed, and Snakemake goes by dates: it notices nothing, and verify_manifests does.
    assert broken.planned(*COMMAND) == {}
    line = complaint(broken)
    assert line.startswith(f"verify_manifests: {name} ")
    assert_made_again(broken, built, line.partition("--forcerun ")[2].split())
    broken.succeed("verify_manifests", *CONFIG)


# For each kind of artifact, the rule that reads it. Nothing after it is built yet, so no manifest records it.
READERS = {
    "results/u2netp/64/tflite/float16.tflite": "predict_litert",
    "results/_probes/64.safetensors": "predict_torch",
    "results/u2netp/checkpoint/weights.safetensors": "predict_torch",
    "results/u2netp/checkpoint/architecture.json": "check_size",
    "results/u2netp/onnx/dynamic.onnx": "simplify_onnx",
    "results/u2netp/64/onnx/model.onnx": "convert_ir",
    "results/u2netp/64/ir/model.xml": "freeze_graph",
    "results/u2netp/64/ir/model.bin": "freeze_graph",
    "results/u2netp/64/frozen/model.pb": "optimize_graph",
    "results/u2netp/64/optimized/model.pb": "convert_tfjs",
    "results/u2netp/64/tfjs/float32/model.json": "quantize_tfjs",
    "results/u2netp/64/tfjs/float32/group1-shard1of2.bin": "quantize_tfjs",
    "results/u2netp/64/predictions/openvino.safetensors": "check_parity",
    "results/u2netp/64/rounding.json": "check_parity",
    "results/u2netp/64/parity.json": "write_manifest",
    "results/u2netp/64/size.json": "write_manifest",
}


@pytest.mark.parametrize(("name", "reader"), READERS.items() if FULL else [*READERS.items()][:1])
def test_a_rule_refuses_half_of_a_file(built: Workflow, broken: Workflow, name: str, reader: str) -> None:
    jobs = all_jobs(broken)
    path = broken.folder / name
    output = str(path.parent.relative_to(broken.folder)) if "/tfjs/" in name else name
    first = next(job for job in jobs if job.rule == reader and output in job.inputs)
    remove_outputs(broken, following(jobs, first))
    change(path, path.read_bytes()[: path.stat().st_size // 2])
    done = broken.run(*COMMAND)
    assert done.returncode != 0
    assert f"Error in rule {reader}:" in done.stderr, last_lines(done.stderr)
    assert f"log: {first.log} " in done.stderr
    assert_made_again(broken, built, [output])
