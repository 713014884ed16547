"""kill -9 at random points: no process goes on writing, and the same command finishes with the same bytes."""

import contextlib
import random
import shutil
import time

import psutil
import pytest

from tests.support.breaking import (
    COMMAND,
    FULL,
    Job,
    Run,
    all_jobs,
    at_work,
    digests,
    following,
    jobs_in,
    last_lines,
    remove_outputs,
    snapshot,
    start,
    wait_until,
)
from tests.support.project import Workflow

# Half of the kills hit Snakemake, half a rule's process. The few of the short test hit jobs on which little depends.
SEEDS = range(0, 52, 4) if FULL else (15, 42)
# A killed process may still be listed for so long.
MOMENT = 10.0


@pytest.fixture(scope="module")
def jobs(built: Workflow) -> list[Job]:
    """Every job of a whole run, in an order in which they could run. The order is the same each time."""
    return all_jobs(built)


def seconds(workflow: Workflow, job: Job) -> float:
    """The time in seconds that a job took when nothing disturbed it."""
    return float((workflow.folder / job.timing).read_text().splitlines()[1].split("\t")[0])


def in_the_middle(run: Run, job: Job, delay: float) -> bool:
    """Wait until the job has run for `delay` seconds. Tell whether the whole run still goes on."""
    assert wait_until(lambda: run.has_started(job) or run.has_ended())
    time.sleep(delay)
    return not run.has_ended()


def at_work_on(run: Run) -> str:
    """Name the jobs that were started and have not finished."""
    printed = run.printed()
    started = [job.rule for job in jobs_in(printed)]
    for line in printed.splitlines():
        if line.startswith("Finished jobid: "):
            with contextlib.suppress(ValueError):
                started.remove(line.rpartition("(Rule: ")[2].removesuffix(")"))
    return ", ".join(started) or "nothing"


def assert_nobody_writes(workflow: Workflow) -> None:
    """Assert that every process of the run is gone, and that its files no longer change."""
    assert wait_until(lambda: not at_work(workflow), MOMENT), at_work(workflow)
    before = snapshot(workflow)
    time.sleep(1)
    assert snapshot(workflow) == before


def kill(run: Run, job: Job, whom: str, chance: random.Random, delay: float) -> str:
    """Kill Snakemake or one of its processes. Assert that no process goes on writing. Say what was killed."""
    busy = at_work_on(run)
    processes = run.processes() if whom == "process" else []
    victim = chance.choice(processes) if processes else run.process
    name = "Snakemake"
    with contextlib.suppress(psutil.NoSuchProcess):
        name = victim.name() if processes else name
        victim.kill()
    status = run.wait()
    if processes and status != 0:
        # The end of the output alone says which rule failed, and where its log is.
        assert "Error in rule " in run.printed()
        assert "log: results/_logs/" in run.printed()
    assert_nobody_writes(run.workflow)
    return f"killed {name} {delay:.1f} s into {job.rule}; at work: {busy}"


@pytest.mark.parametrize("seed", SEEDS)
def test_kill(built: Workflow, broken: Workflow, jobs: list[Job], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    target = jobs[seed % len(jobs)]
    # Before fetch_checkpoint nothing is built. Before any other job, everything that comes before it is.
    from_nothing = target.rule == "fetch_checkpoint"
    remaining = jobs if from_nothing else following(jobs, target)
    delay = chance.random() * seconds(built, target)
    while True:
        if from_nothing:
            shutil.rmtree(broken.folder / ".snakemake")
        remove_outputs(broken, remaining)
        run = start(broken, *COMMAND)
        if in_the_middle(run, target, delay):
            break
        # The job ended before the kill: the machine was less busy than when the time was taken.
        assert run.wait() == 0, last_lines(run.printed())
        delay /= 2
    whom = "Snakemake" if seed < len(jobs) else "process"
    print(f"seed {seed}: {len(remaining)} jobs to do, {kill(run, target, whom, chance, delay)}")
    done = broken.run(*COMMAND)
    assert done.returncode == 0, last_lines(done.stderr)
    assert digests(broken) == digests(built)
    assert not list((broken.folder / "results").rglob("*.partial"))


@pytest.mark.long
@pytest.mark.parametrize("seed", [100])
def test_killed_twice_in_every_job(built: Workflow, broken: Workflow, jobs: list[Job], seed: int) -> None:
    """Start from nothing and kill each recovery, until Snakemake and one process were killed once in every job."""
    chance = random.Random(seed)  # noqa: S311
    for name in ("results", ".snakemake"):
        shutil.rmtree(broken.folder / name)
    pending = {job.log: ["Snakemake", "process"] for job in jobs}
    kills = 0
    while pending:
        run = start(broken, *COMMAND)
        target = None
        while target is None and not run.has_ended():
            time.sleep(0.02)
            target = next((job for job in reversed(jobs_in(run.printed())) if job.log in pending), None)
        if target is None:
            assert run.wait() == 0, last_lines(run.printed())
            remove_outputs(broken, following(jobs, next(job for job in jobs if job.log in pending)))
            continue
        delay = chance.random() * seconds(built, target) * 0.8
        time.sleep(delay)
        if run.has_ended():
            continue
        whom = pending[target.log].pop(chance.randrange(len(pending[target.log])))
        if not pending[target.log]:
            del pending[target.log]
        kills += 1
        print(f"seed {seed}, kill {kills}: {kill(run, target, whom, chance, delay)}")
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
