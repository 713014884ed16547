"""Fuzz one reader for long: python tests/fuzz/run.py checkpoint 600.

libFuzzer guides the search: it keeps the inputs that take new branches. With --random, Hypothesis alone makes the
inputs. They are more varied, and Hypothesis cuts an input that fails down to what matters.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    targets = {path.stem.removeprefix("fuzz_"): path for path in HERE.glob("*/fuzz_*.py")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(targets))
    parser.add_argument("amount", type=int, help="seconds; with --random, inputs")
    parser.add_argument("--random", action="store_true", help="needed for config, as Snakemake is not instrumented")
    parser.add_argument("arguments", nargs="*", help="libFuzzer's own, after --; a file crash-… runs that input alone")
    arguments = parser.parse_args()
    target = targets[arguments.target]
    environment = target.parent.name
    python = sys.executable if environment == "driver" else str(ROOT / ".venvs" / environment / "bin/python")
    folder = ROOT / "results/_fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.random:
        command = [python, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", f"--confcutdir={HERE}", str(target)]
        variables = {"U2NET_FUZZ_RUNS": str(arguments.amount)}
    else:
        atheris = ROOT / ".venvs/fuzz/lib/python3.11/site-packages"
        if not atheris.is_dir():
            sys.exit("Atheris is not installed; run snakemake --cores 1 .venvs/fuzz/installed.txt")
        command = [python, str(target), f"-max_total_time={arguments.amount}", *arguments.arguments]
        variables = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, atheris)))}
    # libFuzzer writes here the inputs that crashed a reader.
    sys.exit(subprocess.run(command, env={**os.environ, **variables}, cwd=folder).returncode)


if __name__ == "__main__":
    main()
