"""Wait until Snakemake is gone, then end every process that it started and could not stop because it was killed.

The workflow itself runs this with the driver's Python. Standard input is a pipe that is open while Snakemake lives.
"""

import argparse
import sys
from collections.abc import Sequence

import psutil

from workflow_scripts.shared.failures import run


def started_in(run_id: str) -> list[psutil.Process]:
    """Return the processes whose environment says WORKFLOW_RUN=`run_id`, even if their parents are gone."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WORKFLOW_RUN") == run_id:
                found.append(process)
        except psutil.Error:
            # It has ended meanwhile or belongs to another user, so it is not one of ours.
            continue
    return found


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="value of WORKFLOW_RUN that marks the processes")
    arguments = parser.parse_args(argv)
    # The kernel closes the pipe's other end however Snakemake ends, even after kill -9.
    sys.stdin.buffer.read()
    # Repeat until no process is left: one that is about to be killed may start another.
    while orphans := started_in(arguments.run):
        for orphan in orphans:
            orphan.kill()
        psutil.wait_procs(orphans, timeout=1)


if __name__ == "__main__":
    run(main)
