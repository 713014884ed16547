"""Protect a run: only one run per folder, file dates that Snakemake can use, and no process left behind by a kill."""

import fcntl
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import psutil

from workflow_scripts.driver.refusal import refuse
from workflow_scripts.driver.sources import PACKAGE

SOURCES = (
    "*",
    "envs/**/*",
    "rules/*",
    "web/*",
    "web/src/**/*",
    "web/devices/**/*",
    "web/lib/**/*",
    "web/benchmark/**/*",
    f"{PACKAGE}/**/*",
)


def settle_clock(checkpoints: Iterable[str]) -> None:
    """Give files from the future a date that Snakemake can use. A clock that was set back leaves such files.

    Snakemake refuses outputs that look older than their inputs. If an output is from the future, it also misses that an
    input has changed. A built file gets a date older than everything, so that Snakemake compares its inputs by content.
    A source file counts as changed now.
    """
    now = time.time()
    results = [*Path("results").rglob("*"), *Path(".venvs").glob("*/installed.txt")]
    sources = [*(path for pattern in SOURCES for path in Path().glob(pattern)), *map(Path, checkpoints)]
    # Not 0: Snakemake treats that as no date at all.
    for paths, date in ((results, 1.0), (sources, now)):
        for path in paths:
            if path.is_file() and path.stat().st_mtime > now:
                os.utime(path, (date, date))


def take_folder() -> int:
    """Lock this folder for the run. Return the lock, which ends with the process.

    Refuse if results/ may not be written or if another run is building here.
    """
    results = Path("results").absolute()
    if results.exists() and not os.access(results, os.W_OK):
        refuse(f"{results} may not be written: mount it writable, or change its permissions")
    path = Path(".snakemake/running")
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = path.read_text()
        if holder and psutil.pid_exists(int(holder)):
            refuse(f"Snakemake already builds in {Path.cwd()} (process {holder}): wait for it, or stop it")
        # The process that held the lock is gone, and the processes that it left are being ended.
        fcntl.flock(lock, fcntl.LOCK_EX)
    path.write_text(str(os.getpid()))
    return lock


def end_orphans(*locks: int) -> None:
    """Start the process that ends all processes of this run if Snakemake is killed. It releases `locks` last."""
    run_id = uuid.uuid4().hex
    unmarked = {name: value for name, value in os.environ.items() if name != "WORKFLOW_RUN"}
    # The pipe's other end stays open until this process is gone. No other process inherits it.
    reader, _ = os.pipe()
    # Start it in a session of its own, so that neither Ctrl-C nor a signal to the whole group ends it first.
    subprocess.Popen(
        [sys.executable, "-m", f"{PACKAGE}.driver.end_orphans", "--run", run_id],
        stdin=reader,
        env=unmarked,
        pass_fds=locks,
        start_new_session=True,
    )
    os.close(reader)
    os.environ.update(WORKFLOW_RUN=run_id)
