"""If two runs build in one folder, one is refused with a clear line and the other finishes."""

import pytest

from tests.support.breaking import COMMAND, all_jobs, digests, following, last_lines, remove_outputs, start, wait_until
from tests.support.project import Workflow


@pytest.fixture
def unfinished(broken: Workflow) -> Workflow:
    """A copy of `built` in which one prediction, and all that depends on it, must be made again."""
    jobs = all_jobs(broken)
    first = next(job for job in jobs if job.rule == "predict_litert")
    remove_outputs(broken, following(jobs, first))
    return broken


def refusal(workflow: Workflow, process: int) -> str:
    return f"Error: Snakemake already builds in {workflow.folder} (process {process}): wait for it, or stop it"


def test_a_second_run_is_refused_and_the_first_finishes(built: Workflow, unfinished: Workflow) -> None:
    run = start(unfinished, *COMMAND)
    assert wait_until(lambda: any("predict.predict_litert" in " ".join(p.cmdline()) for p in run.processes()))
    # It is stopped, so that it is still running however slowly the second run starts.
    held = run.processes()
    for process in held:
        process.suspend()
    second = unfinished.run(*COMMAND)
    assert second.returncode != 0
    assert refusal(unfinished, run.process.pid) in second.stderr.splitlines()
    assert "Traceback" not in second.stderr
    # A run that only looks builds nothing.
    assert unfinished.planned(*COMMAND)["predict_litert"] == 1
    for process in held:
        process.resume()
    assert run.wait() == 0, last_lines(run.printed())
    assert digests(unfinished) == digests(built)


def test_of_two_started_at_once_one_builds(built: Workflow, unfinished: Workflow) -> None:
    runs = [start(unfinished, *COMMAND, name=f"printed-{index}.txt") for index in range(2)]
    statuses = [run.wait() for run in runs]
    assert 0 in statuses
    for run, other, status in zip(runs, reversed(runs), statuses, strict=True):
        assert status == 0 or refusal(unfinished, other.process.pid) in run.printed().splitlines(), run.printed()
    assert digests(unfinished) == digests(built)
