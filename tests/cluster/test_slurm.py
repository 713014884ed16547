"""The workflow on a real SLURM with two nodes: failed jobs are tried again, and the bytes are those of a local run."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
import yaml

from tests.support.project import NOWHERE, ROOT, SMALL, Workflow, copy_project
from tests.support.slurm import NODES

GOLDEN: dict[str, str] = json.loads((ROOT / "tests/golden/u2netp-64.json").read_text())["artifacts"]
# As docs/cluster.md says for a cluster without accounting. The last option makes Snakemake ask for statuses early.
SLURM = (
    *("--workflow-profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
STORAGE = (
    *("--default-storage-provider", "s3", "--default-storage-prefix", "s3://workflow/portraits"),
    *("--shared-fs-usage", "sources", "software-deployment"),
)
EVERY_DTYPE = (
    *("--config", "model=u2netp", "resolutions=[64,128]"),
    *("dtypes=[float32,float16,uint16,compact]", "tflite_dtypes=[float32,float16,int8]"),
)
ADMIN = {**NOWHERE, "AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": "admin-secret"}


@contextmanager
def slurm(*arguments: str) -> Iterator[None]:
    """Two nodes that take jobs."""
    command = [sys.executable, str(Path(__file__).parents[1] / "support/slurm.py"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemons:
        assert daemons.stdin is not None
        assert daemons.stdout is not None
        try:
            assert daemons.stdout.readline() == "ready\n"
            yield
        finally:
            daemons.stdin.close()
        assert daemons.wait() == 0


@pytest.fixture
def cluster() -> Iterator[None]:
    """Two nodes with a common file system."""
    with slurm():
        yield


def jobs() -> list[dict[str, str]]:
    """Return SLURM's jobs, in the order in which they were submitted."""
    command = ["squeue", "--noheader", "--sort=i", "--states=all", "--format=%i|%T|%m|%N|%k"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [dict(zip(("id", "state", "memory", "node", "rule"), line.split("|"), strict=True)) for line in lines]


def started(rule: str, run: "subprocess.Popen[str]", known: str = "") -> dict[str, str]:
    """Wait for a running job of that rule or group, other than the known one, and return it."""
    while run.poll() is None:
        for job in jobs():
            if rule in job["rule"] and job["state"] == "RUNNING" and job["id"] != known:
                return job
        time.sleep(0.5)
    pytest.fail(f"no job of {rule} ran")


@contextmanager
def submitting(
    workflow: Workflow, *arguments: str, env: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[str]]":
    """Start Snakemake with the profile; at the end it must have succeeded.

    It prints to a file: at a full pipe that nobody reads it would wait.
    """
    command = [sys.executable, "-m", "snakemake", *arguments[:1], *SLURM, *arguments[1:]]
    printed = workflow.folder / "printed.txt"
    with printed.open("w") as output:
        run = subprocess.Popen(
            command,
            cwd=workflow.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        with run:
            yield run
    finally:
        print(printed.read_text())
    assert run.returncode == 0


def sha256(path: Path) -> str:
    """Return a file's digest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.long
def test_killed_jobs_are_retried_with_more_memory(cluster: None, broken: Workflow) -> None:
    built = ["results/u2netp/checkpoint/weights.safetensors", "results/u2netp/onnx/dynamic.onnx"]
    for name in built:
        (broken.folder / name).unlink()
    memory = ("--set-resources", "read_checkpoint:mem_mb=500 * attempt", "export_onnx:mem_mb=500 * attempt")
    with submitting(broken, built[-1], *memory) as run:
        # PyTorch and two Snakemakes need more memory than the first attempt gets. The test itself kills the second.
        first = started("export_onnx", run)
        second = started("export_onnx", run, first["id"])
        subprocess.run(["scancel", second["id"]], check=True)
    attempts = jobs()
    assert [job["memory"] for job in attempts] == ["500M", "1000M", "1500M"]
    assert [job["state"] for job in attempts][1:] == ["CANCELLED", "COMPLETED"]
    (log,) = (broken.folder / ".snakemake/slurm_logs").rglob(f"{first['id']}.log")
    assert "exceeded memory limit" in log.read_text()
    for name in built:
        assert sha256(broken.folder / name) == GOLDEN[name]


@pytest.mark.long
def test_five_resolutions_survive_a_lost_node(cluster: None, project: Workflow, tmp_path: Path) -> None:
    config = ("--config", "model=u2netp", "dtypes=[uint16]", "tflite_dtypes=[float32]")
    with submitting(project, "all", *config) as run:
        lost = started("rule_check_", run)
        node = ["scontrol", "update", f"nodename={lost['node']}"]
        subprocess.run([*node, "state=down", "reason=test"], check=True)
        time.sleep(60)
        # SLURM may have taken the node back by itself. Then this command fails.
        subprocess.run([*node, "state=resume"], check=False)
    submitted = jobs()
    print(*submitted, sep="\n")
    # SLURM itself puts the jobs of a lost node back into the queue.
    shown = subprocess.run(["scontrol", "show", "job", lost["id"]], capture_output=True, text=True, check=True).stdout
    assert "JobState=COMPLETED" in shown
    assert "Restarts=1" in shown
    assert {job["node"] for job in submitted if job["state"] == "COMPLETED"} == {"n1", "n2"}
    local = copy_project(tmp_path / "local")
    resolutions = yaml.safe_load((ROOT / "config.yaml").read_text())["resolutions"]
    kinds = ("tfjs/uint16", "tflite/float32.tflite")
    local.succeed(*(f"results/u2netp/{resolution}/{kind}" for resolution in resolutions for kind in kinds), *config)
    for resolution in resolutions:
        artifacts = project.manifest("u2netp", resolution)["artifacts"]
        assert {name: file["sha256"] for name, file in artifacts.items()} == {
            name: sha256(local.folder / name) for name in artifacts
        }


@pytest.mark.long
def test_nodes_without_a_common_file_system(project: Workflow, s3: str, tmp_path: Path) -> None:
    nodes, logs = tmp_path / "nodes", tmp_path / "logs"
    for node in NODES:
        copy_project(nodes / node)
    config = ("--config", "model=u2netp", "resolutions=[64,128]", "dtypes=[float32,uint16]", "tflite_dtypes=[float32]")
    own = ("--remote-job-local-storage-prefix", f"{tmp_path}/$SLURM_JOB_ID", "--slurm-logdir", str(logs))
    with slurm("--project", str(project.folder), "--nodes", str(nodes)):
        with submitting(project, "all", *STORAGE, *own, *config, env={**ADMIN, "AWS_ENDPOINT_URL": s3}):
            pass  # It ends by itself.
        assert {job["node"] for job in jobs()} == set(NODES)
    # Every file went through the bucket.
    assert not [path for node in NODES for path in (nodes / node / "results").rglob("*.*")]
    assert not (project.folder / "results/u2netp").exists()
    bucket = boto3.resource("s3", endpoint_url=s3, aws_access_key_id="admin", aws_secret_access_key="admin-secret")  # noqa: S106
    for stored in bucket.Bucket("workflow").objects.filter(Prefix="portraits/results/"):
        path = project.folder / stored.key.removeprefix("portraits/")
        path.parent.mkdir(parents=True, exist_ok=True)
        stored.Object().download_file(path)
    artifacts = {name: file["sha256"] for name, file in project.manifest("u2netp", 64)["artifacts"].items()}
    assert {name: GOLDEN[name] for name in artifacts} == artifacts
    # As docs/cluster.md goes on: Snakemake accepts the copy, and the copy is whole.
    project.succeed("all", "--touch", *config)
    assert project.planned("all", *config).keys() == set()
    verified = project.succeed("verify_manifests", *config)
    assert verified.stdout.count("every artifact is the recorded one") == 2


def test_a_bucket_adds_no_job_but_those_that_fill_it(
    project: Workflow, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ADMIN, "AWS_ENDPOINT_URL": s3}.items():
        monkeypatch.setenv(name, value)
    planned = project.planned("all", *STORAGE, *SMALL)
    assert planned.pop("store_source") > 40
    assert planned == project.planned("all", *SMALL)


def test_every_dtype_is_planned_in_a_few_jobs_per_resolution(project: Workflow) -> None:
    done = project.succeed("all", *SLURM, "--dry-run", *EVERY_DTYPE)
    groups = Counter(re.findall(r"Group job (\w+)", done.stdout + done.stderr))
    # u2netp comes as an ONNX file, which is also compared with PyTorch at its own size.
    assert groups == {"model": 1, "convert": 2, "check": 3}
    single = set(re.findall(r"^rule (\w+):", done.stdout + done.stderr, re.MULTILINE))
    assert {"plan_compact", "plan_int8", "make_probe_inputs"} <= single


def evaluated(expression: str, resolution: int, attempt: int) -> int:
    """Compute a resource as Snakemake computes it for a job of that resolution."""
    value: int = eval(expression, {"wildcards": SimpleNamespace(resolution=str(resolution)), "attempt": attempt})  # noqa: S307
    return value


def measured_memory() -> dict[str, int]:
    """Return the mem_mb of each rule. A rule made from another one has that rule's, unless it states its own."""
    memory: dict[str, int] = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        rules = re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.MULTILINE)
        for head, text in (rule.split(":", 1) for rule in rules[1:]):
            *_, base, name = ["", *re.findall(r"\b(?!use\b|rule\b|as\b|with\b)\w+", head)]
            stated = re.search(r"\bmem_mb=(\d+)", text)
            if stated or base in memory:
                memory[name] = int(stated[1]) if stated else memory[base]
    return memory


def unfit(resources: dict[str, dict[str, str]], submitted: set[str]) -> list[str]:
    """Name the rules that the profile forgets, or whose memory at 1024 is not that of the rule times the attempt."""
    measured = measured_memory()
    return sorted(
        rule
        for rule in submitted
        if rule not in measured
        or rule not in resources
        or [evaluated(resources[rule]["mem_mb"], 1024, attempt) for attempt in (1, 2)]
        != [measured[rule], 2 * measured[rule]]
    )


def test_profile_asks_for_the_memory_that_was_measured(project: Workflow) -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    local = re.search(r"^localrules:\n((?:    \w+,\n)+)", (ROOT / "Snakefile").read_text(), re.MULTILINE)
    assert local is not None
    planned = project.planned("all", "site", *EVERY_DTYPE)
    submitted = planned.keys() - set(re.findall(r"\w+", local[1])) - {"all", "site"}
    assert len(submitted) > 25
    resources = profile["set-resources"]
    assert unfit(resources, submitted) == []
    assert {group.partition("=")[0] for group in profile["groups"]} <= resources.keys()
    # A forgotten rule, another memory than the measured one, and the same memory for each attempt.
    worse = {rule: asked for rule, asked in resources.items() if rule != "export_onnx"}
    worse["predict_tfjs"] = {"mem_mb": "4000 * attempt"}
    worse["convert_ir"] = {"mem_mb": "2000"}
    assert unfit(worse, submitted) == ["convert_ir", "export_onnx", "predict_tfjs"]
