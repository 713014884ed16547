"""Build the models and the site in a copy of the project, under conditions that must not change any artifact."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

PROJECT = (
    *("Snakefile", "config.yaml", "config.schema.yaml", "requirements.txt"),
    *("envs", "profiles", "rules", "web", "workflow_scripts"),
)


# Variables that tell each library which instructions to avoid, so that it chooses as on a processor of 2008, as far as
# it can. oneDNN is in PyTorch, TensorFlow and OpenVINO. TensorFlow itself needs AVX.
OLD_PROCESSOR = {
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    # The names of NumPy 1.26 and of NumPy 2.4.
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR "
    "X86_V3 X86_V4",
    # The C library's exp, log, sin and similar functions.
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
}


@dataclass(frozen=True)
class Conditions:
    """Conditions that may differ between machines without changing what is built."""

    cores: int
    folder: str
    # Variables of the user's shell. The rules must be isolated from them.
    environment: Mapping[str, str]
    # Variables that still reach the rules' tools.
    processor: Mapping[str, str] = field(default_factory=dict)


CONDITIONS = {
    "first": Conditions(1, "a", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"}),
    "second": Conditions(
        4,
        "a folder whose name is longer/and deeper",
        {
            **OLD_PROCESSOR,
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C.UTF-8",
            "LANG": "tr_TR.UTF-8",
            "HOME": tempfile.gettempdir(),
            "PYTHONHASHSEED": "4711",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "OMP_NUM_THREADS": "3",
        },
    ),
    "third": Conditions(2, "b", {}, OLD_PROCESSOR),
}


def copy_project(folder: Path) -> None:
    """Copy the workflow's own files. Installed files, which are not built, are linked or copied ready to use."""
    folder.mkdir(parents=True)
    hidden = shutil.ignore_patterns("node_modules", "__pycache__", ".*")
    for name in PROJECT:
        if Path(name).is_dir():
            shutil.copytree(name, folder / name, ignore=hidden)
        else:
            shutil.copy(name, folder / name)
    for path in folder.rglob("*"):
        # Make it older than any environment: if a lock file looked newer, the copy would rebuild what it only borrows.
        os.utime(path, (0, 0))
    (folder / ".venvs").symlink_to(Path(".venvs").resolve())
    packages = folder / "web/node_modules"
    shutil.copytree("web/node_modules", packages, symlinks=True)
    (packages / ".package-lock.json").touch()


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twin", choices=sorted(CONDITIONS), required=True)
    parser.add_argument("--targets", nargs="+", required=True, help="what is built in the copy")
    parser.add_argument("--config", required=True, help="JSON: the whole configuration, paths absolute")
    parser.add_argument("--output", type=Path, required=True, help="folder for what the copy's results/ holds")
    arguments = parser.parse_args(argv)
    conditions = CONDITIONS[arguments.twin]
    with replacing(arguments.output) as staging:
        project = staging / conditions.folder
        copy_project(project)
        (project / "config.json").write_text(arguments.config)
        command = ["snakemake", *arguments.targets, "--cores", str(conditions.cores), "--configfile", "config.json"]
        # workflow_scripts/driver/isolation.py reads this variable. It keeps all others from the rules.
        processor = {"WORKFLOW_AS_ON_ANOTHER_PROCESSOR": json.dumps(conditions.processor)}
        environment = {**os.environ, **conditions.environment, **processor}
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
