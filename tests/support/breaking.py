"""What the tests of faults share: runs to kill, the files that they leave, and those of an undisturbed run."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.project import SMALL, SNAKEMAKE, Workflow

# Every run of these tests builds this, and the same command recovers from a fault.
COMMAND = ("all", *SMALL)
# Long enough for a busy machine, and short enough to notice that something never happens.
PATIENCE = 900.0
# Whether to cause faults everywhere, which takes an hour of CPU time, or only where the repair is quick.
FULL = os.environ.get("FAULTS") == "full"


def digests(workflow: Workflow) -> dict[str, str]:
    """Return the SHA-256 of every file that a run builds: all of results/ except logs and timings."""
    results = workflow.folder / "results"
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.relative_to(results).parts[0] not in ("_logs", "_benchmarks")
        and path.name != ".snakemake_timestamp"
    }


def snapshot(workflow: Workflow) -> dict[str, tuple[int, int]]:
    """Return size and modification time of every file in results/."""
    found = {}
    for path in sorted((workflow.folder / "results").rglob("*")):
        # A process that still writes may also remove files.
        with contextlib.suppress(FileNotFoundError):
            found[str(path)] = (path.stat().st_size, path.stat().st_mtime_ns)
    return found


def at_work(workflow: Workflow) -> list[psutil.Process]:
    """Return the living processes whose working directory is in the project's folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(workflow.folder):
                found.append(process)
    return found


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Wait until `condition` holds; return whether it does."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@dataclass(frozen=True)
class Run:
    """A run of Snakemake in the background, its output in a file."""

    workflow: Workflow
    process: psutil.Process
    popen: subprocess.Popen[bytes]
    output: Path

    def printed(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text()

    def has_started(self, job: "Job") -> bool:
        """Tell whether this job was started."""
        return any(started.log == job.log for started in jobs_in(self.printed()))

    def has_ended(self) -> bool:
        """Tell whether Snakemake has ended by itself."""
        return self.popen.poll() is not None

    def processes(self) -> list[psutil.Process]:
        """Return the processes of its rules: all that it started, except its own guard."""
        found = []
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if not any(part.endswith("end_orphans") for part in process.cmdline()):
                    found.append(process)
        return found

    def wait(self) -> int:
        """Wait until it has ended; return its exit status."""
        return self.popen.wait(PATIENCE)


def start(workflow: Workflow, *arguments: str, name: str = "printed.txt") -> Run:
    """Start Snakemake in the background."""
    output = workflow.folder / name
    with output.open("wb") as file:
        popen = subprocess.Popen(
            [*SNAKEMAKE, *arguments],
            cwd=workflow.folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return Run(workflow, psutil.Process(popen.pid), popen, output)


@dataclass(frozen=True)
class Job:
    """A job as Snakemake prints it. Its log file names the rule and the wildcards."""

    rule: str
    log: str
    inputs: frozenset[str]
    outputs: frozenset[str]

    @property
    def timing(self) -> Path:
        """The file that holds its duration once it has run."""
        return Path(self.log.replace("results/_logs/", "results/_benchmarks/", 1)).with_suffix(".tsv")


def jobs_in(printed: str) -> list[Job]:
    """Return the jobs with a log that Snakemake says it starts, or would start, in order."""
    found = []
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", printed, re.MULTILINE):
        fields = dict(re.findall(r"^    (input|output|log): (.+)$", block, re.MULTILINE))
        if "log" in fields:
            # Snakemake says behind a folder that it keeps it until the job has written it again.
            names = (re.sub(r" \(\w+\)(?=,|$)", "", fields.get(key, "")) for key in ("input", "output"))
            files = [frozenset(filter(None, each.split(", "))) for each in names]
            found.append(Job(rule, fields["log"], *files))
    return found


def all_jobs(workflow: Workflow) -> list[Job]:
    """Return every job between the checkpoint and the summary, in an order in which they could run, always the same."""
    done = workflow.succeed("--dry-run", *COMMAND, "--forcerun", "accept_checkpoint", "make_probe_inputs")
    waiting = sorted(jobs_in(done.stdout), key=lambda job: job.log)
    ordered: list[Job] = []
    while waiting:
        unbuilt = {output for job in waiting for output in job.outputs}
        ready = next(job for job in waiting if not job.inputs & unbuilt)
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def following(jobs: list[Job], first: Job) -> list[Job]:
    """Return `first` and the jobs that need, directly or not, what it builds."""
    found, outputs = [first], set(first.outputs)
    for job in jobs[jobs.index(first) + 1 :]:
        if job.inputs & outputs:
            found.append(job)
            outputs |= job.outputs
    return found


def remove_outputs(workflow: Workflow, jobs: list[Job]) -> None:
    """Remove what these jobs built."""
    for output in {output for job in jobs for output in job.outputs}:
        path = workflow.folder / output
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def last_lines(printed: str, count: int = 40) -> str:
    """Return the end of what was printed, for a failed assertion."""
    return "\n".join(printed.splitlines()[-count:])
