# What holds while a run goes on: one run a folder, dates that Snakemake can go by, nothing left behind by a killed run.

import fcntl
import os
import subprocess
import time
import uuid


def settle_clock():
    """Give files from the future, which a clock set back leaves, a date by which Snakemake still decides rightly.

    It refuses outputs that look older than their inputs, and takes no change for newer than an output from the future.
    What was built becomes older than everything, so that what went into it is compared by content; a source was changed now.
    """
    now = time.time()
    results = [*Path("results").rglob("*"), *Path(".venvs").glob("*/installed.txt")]
    patterns = ("*", "envs/**/*", "rules/*", "web/*", "web/src/**/*", "web/benchmark/**/*", "workflow_scripts/*")
    sources = [path for pattern in patterns for path in Path().glob(pattern)]
    sources += [Path(source["path"]) for source in CHECKPOINTS.values() if "path" in source]
    # Not 0, which Snakemake takes for no date at all.
    for paths, date in ((results, 1), (sources, now)):
        for path in paths:
            if path.is_file() and path.stat().st_mtime > now:
                os.utime(path, (date, date))


def take_folder():
    """Stop unless this folder can be built in and no other run does; return the lock, which ends however this run does."""
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
        # It is gone, and what it left running is being ended.
        fcntl.flock(lock, fcntl.LOCK_EX)
    path.write_text(str(os.getpid()))
    return lock


def end_orphans(*locks):
    """Start what ends every process of this run, with all they started, should Snakemake be killed; it lifts `locks` last."""
    script = Path(workflow.basedir, "workflow_scripts/end_orphans.py")
    run_id = uuid.uuid4().hex
    unmarked = {name: value for name, value in os.environ.items() if name != "WORKFLOW_RUN"}
    # The other end stays open, and is inherited by nobody, until this process is gone.
    reader, _ = os.pipe()
    # Neither the terminal's Ctrl-C nor a signal to the whole group may end it first.
    subprocess.Popen(
        [sys.executable, script, "--run", run_id], stdin=reader, env=unmarked, pass_fds=locks, start_new_session=True
    )
    os.close(reader)
    os.environ.update(WORKFLOW_RUN=run_id)


if workflow.is_main_process:
    settle_clock()


onstart:
    # A run that writes nothing, as `serve` does, may go on beside one that builds.
    if any(job.output for job in workflow.dag.needrun_jobs()):
        end_orphans(take_folder())
    else:
        end_orphans()
