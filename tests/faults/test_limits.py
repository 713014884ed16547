"""A full disk, too little memory, read-only files: the run says what is wrong, and the same command recovers."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.breaking import (
    COMMAND,
    FULL,
    Job,
    all_jobs,
    digests,
    following,
    last_lines,
    remove_outputs,
    wait_until,
)
from tests.support.project import SNAKEMAKE, Workflow

Command = Callable[..., subprocess.CompletedProcess[str]]
CAN_MOUNT = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
# root may write to read-only files, unless it gives up that right.
AS_OTHERS = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.geteuid() == 0 else ()

# Rules with outputs of more than a few pages of memory.
WRITING = (
    *("fetch_checkpoint", "read_checkpoint", "export_onnx", "simplify_onnx", "convert_ir", "freeze_graph"),
    *("optimize_graph", "convert_tfjs", "quantize_tfjs", "convert_tflite", "predict_tfjs", "plot_parity"),
)


@pytest.fixture(scope="module")
def jobs(built: Workflow) -> list[Job]:
    """Every job of a whole run."""
    return all_jobs(built)


def run_under(workflow: Workflow, *before: str) -> subprocess.CompletedProcess[str]:
    """Run the command of these tests under another command, such as prlimit. Both outputs are joined."""
    return subprocess.run(
        [*before, *SNAKEMAKE, *COMMAND],
        cwd=workflow.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def without(workflow: Workflow, jobs: list[Job], rule: str) -> Job:
    """Remove the outputs of a rule's first job and of all jobs after it. Return the job."""
    job = next(job for job in jobs if job.rule == rule)
    remove_outputs(workflow, following(jobs, job))
    return job


def assert_failed(done: subprocess.CompletedProcess[str], workflow: Workflow, job: Job, *reasons: str) -> None:
    """Assert that the job failed, that its log and its reason are named, and that it left no file."""
    assert done.returncode != 0
    assert f"Error in rule {job.rule}:" in done.stdout, last_lines(done.stdout)
    assert f"log: {job.log} (check log file(s) for error details)" in done.stdout
    assert any(reason in done.stdout for reason in reasons), last_lines(done.stdout)
    assert not any((workflow.folder / output).exists() for output in job.outputs)
    assert not list((workflow.folder / "results").rglob("*.partial"))


@contextmanager
def own_mounts(workflow: Workflow) -> Iterator[tuple[Command, Workflow]]:
    """Yield a function that runs a command with mounts of its own, and the project as that command sees it."""
    holder = subprocess.Popen(["unshare", "--mount", "sleep", "infinity"])
    space = Path(f"/proc/{holder.pid}/ns/mnt")
    outside = Path("/proc/self/ns/mnt").readlink()

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", f"--mount={space}", "env", f"--chdir={workflow.folder}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    try:
        assert wait_until(lambda: space.readlink() != outside, 60)
        yield command, Workflow(Path(f"/proc/{holder.pid}/root{workflow.folder}"))
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.skipif(not CAN_MOUNT, reason="a small disk cannot be mounted here; test_file_size_limit covers it")
@pytest.mark.parametrize(
    "rule",
    ["predict_litert", *(WRITING if FULL else ())],
)
def test_full_disk(built: Workflow, broken: Workflow, jobs: list[Job], rule: str) -> None:
    job = without(broken, jobs, rule)
    for later in following(jobs, job):
        # They would free some room when they are written again.
        (broken.folder / later.log).unlink()
        (broken.folder / later.timing).unlink()
    missing = sum(file.stat().st_size for output in job.outputs for file in files_of(built, output))
    pages = sum(-(-file.stat().st_size // 4096) for file in (broken.folder / "results").rglob("*") if file.is_file())
    (broken.folder / "results").rename(broken.folder / "kept")
    (broken.folder / "results").mkdir()
    with own_mounts(broken) as (command, inside):
        size = f"size={4096 * pages + missing // 2}"
        for arguments in (["mount", "-t", "tmpfs", "-o", size, "tmpfs", "results"], ["cp", "-a", "kept/.", "results"]):
            done = command(*arguments)
            assert done.returncode == 0, done.stdout
        assert_failed(command(*SNAKEMAKE, *COMMAND), inside, job, "No space left on device", "ENOSPC")
        command("mount", "-o", "remount,size=1g", "results")
        done = command(*SNAKEMAKE, *COMMAND)
        assert done.returncode == 0, last_lines(done.stdout)
        assert digests(inside) == digests(built)


def files_of(workflow: Workflow, output: str) -> list[Path]:
    """Return the files of an output, which may be a folder."""
    path = workflow.folder / output
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def test_file_size_limit(built: Workflow, broken: Workflow, jobs: list[Job]) -> None:
    job = without(broken, jobs, "predict_openvino")
    assert_failed(run_under(broken, "prlimit", "--fsize=50000"), broken, job, "File too large")
    assert run_under(broken).returncode == 0
    assert digests(broken) == digests(built)


@pytest.mark.parametrize(
    ("rule", "megabytes", "reasons"),
    [
        ("predict_tfjs", 900, ["Fatal process out of memory"]),
        *([("convert_tflite", 1500, ["bad_alloc", "MemoryError"])] if FULL else []),
    ],
)
def test_memory_limit(
    built: Workflow, broken: Workflow, jobs: list[Job], rule: str, megabytes: int, reasons: list[str]
) -> None:
    job = without(broken, jobs, rule)
    assert_failed(run_under(broken, "prlimit", f"--as={megabytes * 2**20}"), broken, job, *reasons)
    assert run_under(broken).returncode == 0
    assert digests(broken) == digests(built)


def test_results_that_may_not_be_written(built: Workflow, broken: Workflow, jobs: list[Job]) -> None:
    job = without(broken, jobs, "predict_onnxruntime")
    paths = [broken.folder / "results", *(broken.folder / "results").rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        done = run_under(broken, *AS_OTHERS)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.returncode != 0
    results = broken.folder / "results"
    line = f"Error: {results} may not be written: mount it writable, or change its permissions"
    assert line in done.stdout.splitlines()
    assert "Traceback" not in done.stdout
    assert not any((broken.folder / output).exists() for output in job.outputs)
    assert run_under(broken).returncode == 0
    assert digests(broken) == digests(built)
