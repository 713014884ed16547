"""Fuzz one reader for long, guided by the branches that its inputs take: python tests/fuzz/run.py checkpoint 600."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    targets = {path.stem.removeprefix("fuzz_"): path for path in HERE.glob("*/fuzz_*.py")}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(targets))
    parser.add_argument("seconds", type=int)
    parser.add_argument("arguments", nargs="*", help="libFuzzer's own, after --; a file crash-… runs that input alone")
    arguments = parser.parse_args()
    target = targets[arguments.target]
    environment = target.parent.name
    atheris = ROOT / ".venvs/fuzz/lib/python3.11/site-packages"
    if not atheris.is_dir():
        sys.exit("Atheris is not installed; run snakemake --cores 1 .venvs/fuzz/installed.txt")
    python = sys.executable if environment == "driver" else str(ROOT / ".venvs" / environment / "bin/python")
    paths = [HERE, ROOT / "tests", ROOT / "workflow_scripts", atheris]
    # Where libFuzzer leaves what crashed.
    folder = ROOT / "results/fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [python, str(target), f"-max_total_time={arguments.seconds}", *arguments.arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        cwd=folder,
    )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
