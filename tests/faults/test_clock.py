"""After a clock was set back, files are from the future. No run fails, runs for ever, or misses a change."""

import os
import re
import time
from pathlib import Path

from tests.support.breaking import COMMAND, all_jobs, digests, following, last_lines, remove_outputs
from tests.support.project import Workflow

TEN_DAYS = 10 * 86400


def move_to_future(*paths: Path) -> None:
    """Give files the dates of a clock that is ten days ahead."""
    for path in paths:
        if path.is_file():
            date = path.stat().st_mtime + TEN_DAYS
            os.utime(path, (date, date))


def test_what_was_built_in_the_future_stays(broken: Workflow) -> None:
    move_to_future(*(broken.folder / "results").rglob("*"))
    assert broken.planned(*COMMAND) == {}


def test_a_script_changed_after_the_clock_was_set_back_reruns_what_depends_on_it(broken: Workflow) -> None:
    move_to_future(*(broken.folder / "results").rglob("*"))
    script = broken.folder / "workflow_scripts/check/check_size.py"
    script.write_text(script.read_text() + "# changed\n")
    assert broken.planned(*COMMAND).keys() - {"all"} == {"check_size", "write_manifest", "summarize_manifests"}


def half_in_the_future(workflow: Workflow) -> None:
    """Have one prediction made again, from inputs and with a script from the future."""
    jobs = all_jobs(workflow)
    first = next(job for job in jobs if job.rule == "predict_litert")
    remove_outputs(workflow, following(jobs, first))
    # Not all of its inputs: a newer environment would be built again, and this copy only borrows the environments.
    move_to_future(*(workflow.folder / name for name in first.inputs if name.startswith("results/")))
    move_to_future(workflow.folder / "workflow_scripts/predict/predict_litert.py")


def test_a_run_between_files_from_the_future_finishes_and_is_the_last(built: Workflow, broken: Workflow) -> None:
    half_in_the_future(broken)
    done = broken.run(*COMMAND)
    assert done.returncode == 0, last_lines(done.stderr)
    assert digests(broken) == digests(built)
    assert broken.planned(*COMMAND) == {}
    now = time.time()
    assert not [path for path in (broken.folder / "results").rglob("*") if path.stat().st_mtime > now]


def test_snakemake_alone_fails_of_them(broken: Workflow) -> None:
    rules = broken.folder / "rules/common.smk"
    settled, calls = re.subn(r"^    settle_clock\(.*\)$", "    pass", rules.read_text(), flags=re.MULTILINE)
    assert calls == 1
    rules.write_text(settled)
    half_in_the_future(broken)
    done = broken.run(*COMMAND)
    assert done.returncode != 0
    assert "has older modification time" in done.stderr
