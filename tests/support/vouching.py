"""The scripts that vouch for files, and what each must do when one of its files is damaged.

Each stage is one of the workflow's own scripts. It runs on what the workflow built and writes elsewhere.
"""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.project import Workflow
from workflow_scripts.shared.files import seal_of

MODEL = "u2netp"
# Nothing listens at this address, so a script that gets as far as the bucket says so.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Stage:
    """A script that vouches: its environment, its arguments, and the files that it vouches for."""

    name: str
    environment: str
    arguments: list[str]
    files: list[str]


def truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def zero(content: bytes, chance: random.Random) -> bytes:
    return bytes(len(content))


def flip_one_bit(content: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(content))
    return content[:position] + bytes([content[position] ^ 1 << chance.randrange(8)]) + content[position + 1 :]


DAMAGES = [truncate, zero, flip_one_bit]
Damage = Callable[[bytes, random.Random], bytes]


def change(path: Path, content: bytes) -> None:
    """Replace a file's content but keep its date, as a failing disk does."""
    before = path.stat()
    assert content != path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@contextmanager
def damaged(path: Path, damage: Damage, chance: random.Random) -> Iterator[None]:
    """Damage a file while the block runs. Its date stays the same."""
    good = path.read_bytes()
    change(path, damage(good, chance))
    try:
        yield
    finally:
        change(path, good)


def files_below(workflow: Workflow, *outputs: str) -> list[str]:
    """Return the files of outputs by their paths in the project, without hidden files."""
    found: list[str] = []
    for output in outputs:
        path = workflow.folder / output
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [
            str(file.relative_to(workflow.folder)) for file in files if file.is_file() and not file.name.startswith(".")
        ]
    return found


def own_folder(workflow: Workflow, name: str) -> str:
    """Return the folder of results/ that holds the page, the library, the samples or the bills."""
    (found,) = [f"results/{each}" for each in (name, f"_{name}") if (workflow.folder / "results" / each).is_dir()]
    return found


def stages(workflow: Workflow, size: int, elsewhere: Path) -> list[Stage]:
    """Return every stage from the manifest on, for a project whose site was built at one or more sizes.

    Earlier files are judged there: write_manifest checks every file again, even if another script has read it before.
    """
    folder = f"results/{MODEL}/{size}"
    path = f"{folder}/manifest.json"
    content = json.loads((workflow.folder / path).read_text())
    artifacts = sorted({name.rpartition("/")[0] if "/tfjs/" in name else name for name in content["artifacts"]})
    named = {
        "--checkpoint": f"results/{MODEL}/checkpoint/original",
        "--architecture": f"results/{MODEL}/checkpoint/architecture.json",
        "--parity": f"{folder}/parity.json",
        "--size": f"{folder}/size.json",
    }
    evidence = [name for name in content["evidence"] if name not in named.values()]
    recorded = [*content["artifacts"], *content["evidence"]]
    # The folder of a manifest must match its model and resolution.
    manifest = [
        *("--model", MODEL, "--resolution", str(size), "--licence", content["licence"]),
        *(word for option in named.items() for word in option),
        *("--artifacts", *artifacts, "--evidence", *evidence, "--locks", *content["locks"], "--output", path),
    ]
    manifests = sorted(
        f"{file.parent.relative_to(workflow.folder)}/manifest.json"
        for file in (workflow.folder / "results" / MODEL).glob("[1-9]*/manifest.json")
    )
    smallest = min(int(Path(name).parts[2]) for name in manifests)
    page, library, samples, bills = (own_folder(workflow, name) for name in ("page", "library", "samples", "bills"))
    summaries = ["results/summary.md", "results/summary.html"]
    summaries = [name for name in summaries if (workflow.folder / name).is_file()]
    shared, card = f"results/{MODEL}/shared", f"results/{MODEL}/{MODEL}.cdx.json"
    dtypes = {
        kind: sorted({Path(name).parts[4].removesuffix(".tflite") for name in recorded if f"/{kind}/" in name})
        for kind in ("tfjs", "tflite")
    }
    every = ["--manifests", *manifests]
    listed = files_below(workflow, bills)
    site = ["--page", page, "--library", library, "--samples", samples, "--models", shared, *every]
    site += ["--locks", "requirements.txt"]
    vouched = [*recorded, path]
    table = ["--table", str(elsewhere / "summary.md"), "--page", str(elsewhere / "summary.html")]
    probe = f"results/{MODEL}/probe"
    probes = f"results/_probes/{smallest}.safetensors"
    reference = f"results/{MODEL}/{smallest}/predictions/torch.safetensors"
    tolerances = json.dumps(yaml.safe_load((workflow.folder / "config.yaml").read_text())["tolerances"])
    checked = ["--manifest", f"results/{MODEL}/{smallest}/manifest.json", "--probes", probes, "--reference", reference]
    weights = [
        "--own-resolution",
        "320",
        "--probe",
        probe,
        "--dtypes",
        *dtypes["tfjs"],
        "--tflite-dtypes",
        *dtypes["tflite"],
    ]
    published = ["--site", "results/site", *every, "--bucket", "s3://bucket/site", "--endpoint", NOWHERE]
    return [
        Stage("manifest.write_manifest", "torch", manifest, recorded),
        Stage("manifest.verify_manifests", "torch", [*every, "--summaries", *summaries], [*vouched, *summaries]),
        Stage("manifest.summarize_manifests", "torch", [*every, *table], vouched),
        Stage(
            "website.share_probe",
            "torch",
            [*checked, "--tolerances", tolerances, "--output", str(elsewhere / "probe")],
            [checked[1], probes, reference],
        ),
        Stage(
            "website.share_weights",
            "tensorflow",
            [*every, *weights, "--output", str(elsewhere / "shared")],
            [*vouched, *files_below(workflow, probe)],
        ),
        Stage("website.describe_model", "provenance", [*every, "--output", str(elsewhere / "card.json")], vouched),
        Stage(
            "website.assemble_site",
            "provenance",
            [*site, "--bills", *listed, card, "--builder", "urn:tests", "--output", str(elsewhere / "site")],
            [*vouched, *files_below(workflow, page, library, samples, shared, card), *listed],
        ),
        Stage("publish.publish", "publish", published, [*vouched, *files_below(workflow, "results/site")]),
        Stage(
            "publish.verify_release", "publish", ["--release", "results/site"], files_below(workflow, "results/site")
        ),
    ]


def run(workflow: Workflow, stage: Stage) -> subprocess.CompletedProcess[str]:
    """Run a stage where the workflow runs it. The manifest that it writes is put back as it was."""
    python = f".venvs/{stage.environment}/bin/python"
    credentials = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_MAX_ATTEMPTS": "1"}
    place = workflow.folder / stage.arguments[-1]
    kept = {path: path.read_bytes() for path in (place, seal_of(place)) if path.is_file()}
    try:
        return subprocess.run(
            [python, "-m", f"workflow_scripts.{stage.name}", *stage.arguments],
            cwd=workflow.folder,
            env={**os.environ, **credentials},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def refuses(
    workflow: Workflow, stage: Stage, name: str, damage: Damage, chance: random.Random, made: Path
) -> str | None:
    """Damage a file and run a stage. Say what is wrong with how it ended, or None if it refused as it should."""
    what = f"{damage.__name__} of {name}"
    with damaged(workflow.folder / name, damage, chance):
        done = run(workflow, stage)
    if done.returncode == 0:
        return f"{stage.name} takes {what} for good"
    if NOWHERE in done.stderr:
        return f"{stage.name} was on its way to the bucket with {what}"
    if written := sorted(path.name for path in made.iterdir()):
        return f"{stage.name} refuses {what} and writes {written}"
    lines = done.stderr.strip().splitlines()
    if len(lines) != 1 or not lines[0].startswith(f"{stage.name.rpartition('.')[2]}: "):
        return f"{stage.name} says of {what}, in {len(lines)} lines: {lines[-1] if lines else 'nothing'}"
    return None
