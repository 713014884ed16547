"""Build a virtual environment from its lock file: Python packages by hash, then npm's where it has a package.json."""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run


def call(*command: str, folder: Path | None = None, path: Path | None = None) -> None:
    """Run an installer with its own output shown; raise Failure where it fails. `path` is prepended to PATH."""
    environment = dict(os.environ)
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    if status := subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL).returncode:
        raise Failure(f"{' '.join(command)} exited with {status}; its own messages are above")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, required=True, help="requirements file with hashes")
    parser.add_argument("--package-json", type=Path, help="package.json, its package-lock.json beside it")
    parser.add_argument("--stamp", type=Path, required=True, help="FOLDER/installed.txt, written last")
    arguments = parser.parse_args(argv)
    folder: Path = arguments.stamp.parent
    # The driver's own Python and uv: nothing is looked for on the machine, nothing downloaded but packages.
    uv = [sys.executable, "-m", "uv"]
    call(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    python = folder.absolute() / "bin" / "python"
    # Compile once here. Otherwise, if PYTHONDONTWRITEBYTECODE is set, every job would compile TensorFlow again.
    call(
        *uv,
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--compile-bytecode",
        "--python",
        str(python),
        str(arguments.lock),
    )
    locks = [arguments.lock]
    if arguments.package_json:
        locks.append(arguments.package_json.with_name("package-lock.json"))
        for file in (arguments.package_json, locks[-1]):
            shutil.copy(file, folder)
        bin_folder = python.parent
        npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        call(str(bin_folder / npm[0]), *npm[1:], folder=folder, path=bin_folder)
    # It does not import files.py: then each change of that file would build all environments again.
    digests = [hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks]
    staging = arguments.stamp.with_suffix(".partial")
    staging.write_text("".join(f"{digest}  {lock}\n" for digest, lock in zip(digests, locks, strict=True)))
    staging.replace(arguments.stamp)


if __name__ == "__main__":
    run(main)
