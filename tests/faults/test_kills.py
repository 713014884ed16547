"""kill -9 at random points: nothing goes on writing, and the same command again finishes with the same bytes."""

import contextlib
import random
import shutil
import time

import psutil
import pytest
from conftest import Workflow

from breaking import (
    COMMAND,
    Job,
    Run,
    all_jobs,
    at_work,
    digests,
    environment_number,
    following,
    jobs_in,
    last_lines,
    remove_outputs,
    snapshot,
    start,
    wait_until,
)

KILLS = environment_number("FAULT_KILLS", 3)
FIRST_SEED = environment_number("FAULT_SEED", 1)
# What a process that was killed already may still show up for.
MOMENT = 5.0


@pytest.fixture(scope="module")
def jobs(built: Workflow) -> list[Job]:
    """Every job of a whole run."""
    return all_jobs(built)


def seconds(workflow: Workflow, job: Job) -> float:
    """How long a job took when nothing disturbed it."""
    return float((workflow.folder / job.timing).read_text().splitlines()[1].split("\t")[0])


def in_the_middle(run: Run, job: Job, delay: float) -> bool:
    """Wait until the job has run for `delay` seconds; tell whether the run still goes on."""
    assert wait_until(lambda: run.has_started(job) or run.has_ended())
    time.sleep(delay)
    return not run.has_ended()


def at_work_on(run: Run) -> str:
    """Say what the run was at: the jobs that were started and have not finished."""
    printed = run.printed()
    started = [job.rule for job in jobs_in(printed)]
    for line in printed.splitlines():
        if line.startswith("Finished jobid: "):
            with contextlib.suppress(ValueError):
                started.remove(line.rpartition("(Rule: ")[2].removesuffix(")"))
    return ", ".join(started) or "nothing"


def assert_nobody_writes(workflow: Workflow) -> None:
    """Assert that whatever the run started is gone, and that its files stay as they are."""
    assert wait_until(lambda: not at_work(workflow), MOMENT), at_work(workflow)
    before = snapshot(workflow)
    time.sleep(1)
    assert snapshot(workflow) == before


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + KILLS))
def test_kill(built: Workflow, broken: Workflow, jobs: list[Job], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    # Every eighth run begins with nothing at all; the others where a random job's output, and what follows, is gone.
    first = chance.choice(jobs)
    if seed % 8 == 0:
        remaining = jobs
        for name in ("results", ".snakemake"):
            shutil.rmtree(broken.folder / name)
    else:
        remaining = following(jobs, first)
        remove_outputs(broken, remaining)
    target = chance.choice(remaining)
    delay = chance.random() * seconds(built, target)
    run = start(broken, *COMMAND)
    if not in_the_middle(run, target, delay):
        pytest.fail(f"seed {seed}: the run was over before it could be killed\n{last_lines(run.printed())}")
    busy = at_work_on(run)
    if seed % 2:
        victim, name = run.process, "Snakemake"
    else:
        processes = run.processes()
        victim = chance.choice(processes) if processes else run.process
        with contextlib.suppress(psutil.Error):
            name = victim.name()
    with contextlib.suppress(psutil.NoSuchProcess):
        victim.kill()
    status = run.wait()
    print(f"seed {seed}: {len(remaining)} jobs to do, killed {name} during {busy}, exit status {status}")
    if victim != run.process and status != 0:
        # Whoever reads only the end of it learns which rule failed, and where its log is.
        assert "Error in rule " in run.printed()
        assert "log: results/logs/" in run.printed()
    assert_nobody_writes(broken)
    done = broken.run(*COMMAND)
    assert done.returncode == 0, last_lines(done.stderr)
    assert digests(broken) == digests(built)
    assert not list((broken.folder / "results").rglob("*.partial"))


def test_without_its_guard_a_killed_run_leaves_somebody_writing(broken: Workflow, jobs: list[Job]) -> None:
    (target,) = [job for job in jobs if job.rule == "freeze_graph"]
    remove_outputs(broken, following(jobs, target))
    run = start(broken, *COMMAND, "--no-hooks")
    assert wait_until(lambda: any("openvino2tensorflow" in " ".join(p.cmdline()) for p in run.processes()))
    run.process.kill()
    run.wait()
    time.sleep(1)
    left = at_work(broken)
    for process in left:
        process.kill()
    assert len(left) >= 2
