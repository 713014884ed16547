"""Wait until Snakemake is gone, then end whatever it started and, killed, could not stop.

Run by the workflow itself with the driver's Python; standard input is a pipe that Snakemake keeps open while it lives.
"""

import argparse
import sys
from collections.abc import Sequence

import psutil

from workflow_scripts.shared.failures import run


def started_in(run_id: str) -> list[psutil.Process]:
    """Return the processes whose environment says WORKFLOW_RUN=`run_id`, whatever became of their parents."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WORKFLOW_RUN") == run_id:
                found.append(process)
        except psutil.Error:
            # Gone meanwhile, or somebody else's: neither is what is looked for.
            continue
    return found


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="value of WORKFLOW_RUN that marks the processes")
    arguments = parser.parse_args(argv)
    # The kernel closes the pipe's other end however Snakemake ends, kill -9 included.
    sys.stdin.buffer.read()
    # Again until none is left: one that is about to be killed may start another.
    while orphans := started_in(arguments.run):
        for orphan in orphans:
            orphan.kill()
        psutil.wait_procs(orphans, timeout=1)


if __name__ == "__main__":
    run(main)
