"""A real SLURM on this machine, until standard input is closed: munged, slurmctld, and a slurmd for each of two nodes.

It needs Debian's slurmctld, slurmd, slurm-client and munge, and runs as root. With --project, each node sees a folder
of its own in that place, FOLDER/n1 and FOLDER/n2 of --nodes, like machines without a common file system.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# srun looks here within a job, because the executor plugin removes SLURM_CONF from the job's environment.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
NODES = ("n1", "n2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
SECONDS_TO_START = 30
SECONDS_TO_STOP = 10


def free_ports(count: int) -> list[int]:
    """Find free ports of loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def configuration(folder: Path) -> str:
    """Return slurm.conf: two nodes that claim more than this machine has, and kill jobs that take too much memory."""
    controller, *ports = free_ports(1 + len(NODES))
    settings = {
        "ClusterName": "virtual",
        "SlurmctldHost": f"{socket.gethostname()}(127.0.0.1)",
        "SlurmctldPort": controller,
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthInfo": f"socket={folder}/munge.socket",
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "AccountingStorageType": "accounting_storage/none",
        # SLURM looks at the memory every other second, and kills a job that has more than it asked for.
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=2",
        "JobAcctGatherParams": "OverMemoryKill",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "SlurmdParameters": "config_overrides",
        # squeue remembers finished jobs for so long, because there is no accounting database.
        "MinJobAge": 86400,
        "ReturnToService": 2,
        "SlurmdTimeout": 10,
        "KillWait": 5,
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool-%n",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd-%n.pid",
        "SlurmctldLogFile": folder / "slurmctld.log",
        "SlurmdLogFile": folder / "slurmd-%n.log",
    }
    host = socket.gethostname().partition(".")[0]
    nodes = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=32000"
        for name, port in zip(NODES, ports, strict=True)
    ]
    # LLN: jobs are spread over the nodes.
    partition = f"PartitionName=all Nodes={','.join(NODES)} Default=YES LLN=YES MaxTime=INFINITE State=UP"
    return "\n".join([*(f"{key}={value}" for key, value in settings.items()), *nodes, partition]) + "\n"


def commands(folder: Path, project: Path | None, nodes: Path | None) -> list[list[str]]:
    """Return the daemons' command lines, in the order in which they start."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    munge = {
        "socket": folder / "munge.socket",
        "key-file": key,
        "log-file": folder / "munged.log",
        "pid-file": folder / "munged.pid",
        "seed-file": folder / "munged.seed",
    }
    started = [["munged", "--foreground", "--force", *(f"--{name}={path}" for name, path in munge.items())]]
    started.append(["slurmctld", "-D"])
    for node in NODES:
        command = ["slurmd", "-D", "-N", node]
        if project is not None and nodes is not None:
            # In a mount namespace of its own, which its jobs inherit.
            mounted = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", mounted, "sh", str(nodes / node), str(project), *command]
        started.append(command)
    return started


def wait_until_idle() -> None:
    """Wait until every node is ready for jobs."""
    for _ in range(SECONDS_TO_START):
        states = subprocess.run(["sinfo", "--noheader", "-N", "-o", "%T"], capture_output=True, text=True).stdout
        if states.split() == ["idle"] * len(NODES):
            return
        time.sleep(1)
    raise TimeoutError(f"the nodes were not ready after {SECONDS_TO_START} s")


def end_jobs() -> None:
    """Cancel the jobs that still run, and wait until they are gone."""
    subprocess.run(["scancel", "--user", "root"], check=False)
    for _ in range(SECONDS_TO_STOP):
        if not subprocess.run(["squeue", "--noheader"], capture_output=True, text=True).stdout:
            return
        time.sleep(1)


def stop(daemon: "subprocess.Popen[bytes]") -> None:
    """End a daemon, and kill it if it waits for a lost job."""
    daemon.terminate()
    try:
        daemon.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="the folder that each node has for itself")
    parser.add_argument("--nodes", type=Path, help="where the nodes' own folders are")
    arguments = parser.parse_args()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        sys.exit(f"no {', '.join(missing)} here; apt-get install slurmctld slurmd slurm-client munge")
    if CONFIGURATION.exists():
        sys.exit(
            f"{CONFIGURATION} exists: this machine is part of a cluster, or a test was killed; remove the file then"
        )
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        folder = Path(name)
        # munged refuses a socket that other users cannot reach.
        folder.chmod(0o755)
        (folder / "state").mkdir()
        daemons: list[subprocess.Popen[bytes]] = []
        CONFIGURATION.write_text(configuration(folder))
        try:
            for command in commands(folder, arguments.project, arguments.nodes):
                log = (folder / "daemons.log").open("ab")
                daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
            wait_until_idle()
            print("ready", flush=True)
            sys.stdin.read()
            end_jobs()
        except TimeoutError as error:
            logs = "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))
            sys.exit(f"{error}\n{logs}")
        finally:
            for daemon in reversed(daemons):
                stop(daemon)
            CONFIGURATION.unlink()


if __name__ == "__main__":
    main()
