"""Build the models and the site in a copy of the project, under conditions that must not show in any artifact."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

PROJECT = (
    *("Snakefile", "config.yaml", "config.schema.yaml", "requirements.txt"),
    *("envs", "profiles", "rules", "web", "workflow_scripts"),
)


@dataclass(frozen=True)
class Conditions:
    """What may differ from one machine to the next without changing what is built."""

    cores: int
    folder: str
    environment: dict[str, str]


CONDITIONS = {
    "first": Conditions(1, "a", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"}),
    "second": Conditions(
        4,
        "a folder whose name is longer/and deeper",
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "4711", "LANG": "tr_TR.UTF-8", "HOME": "/"},
    ),
}


def copy_project(folder: Path) -> None:
    """Copy what the workflow consists of; what is installed, and not built, is linked or copied ready to use."""
    folder.mkdir(parents=True)
    hidden = shutil.ignore_patterns("node_modules", "__pycache__", ".*")
    for name in PROJECT:
        if Path(name).is_dir():
            shutil.copytree(name, folder / name, ignore=hidden)
        else:
            shutil.copy(name, folder / name)
    for path in folder.rglob("*"):
        # Older than any environment: a lock file that looked newer would have the copy rebuild what it only borrows.
        os.utime(path, (0, 0))
    (folder / ".venvs").symlink_to(Path(".venvs").resolve())
    packages = folder / "web/node_modules"
    shutil.copytree("web/node_modules", packages, symlinks=True)
    (packages / ".package-lock.json").touch()


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twin", choices=sorted(CONDITIONS), required=True)
    parser.add_argument("--config", required=True, help="JSON: the whole configuration, paths absolute")
    parser.add_argument("--output", type=Path, required=True, help="folder for what the copy's results/ holds")
    arguments = parser.parse_args(argv)
    conditions = CONDITIONS[arguments.twin]
    with replacing(arguments.output) as staging:
        project = staging / conditions.folder
        copy_project(project)
        (project / "config.json").write_text(arguments.config)
        command = ["snakemake", "all", "site", "--cores", str(conditions.cores), "--configfile", "config.json"]
        environment = {**os.environ, **conditions.environment}
        done = subprocess.run([sys.executable, "-m", *command], cwd=project, env=environment)
        if done.returncode != 0:
            raise Failure(f"the {arguments.twin} copy could not be built: the log above says why")
        results = project / "results"
        for name in ("_logs", "_benchmarks"):
            shutil.rmtree(results / name)
        for path in sorted(results.iterdir()):
            path.rename(staging / path.name)
        shutil.rmtree(staging / Path(conditions.folder).parts[0])


if __name__ == "__main__":
    run(main)
