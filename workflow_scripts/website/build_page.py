"""Bundle the page with npm into a folder that appears only when it is whole."""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", type=Path, required=True, help="the page's npm package, with its packages installed")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        build = ["npm", "run", "build", "--prefix", str(arguments.web), "--", "--outDir", str(staging.absolute())]
        status = subprocess.run([*build, "--emptyOutDir"], stdin=subprocess.DEVNULL).returncode
        if status or not (staging / "index.html").is_file():
            raise Failure(f"npm run build exited with {status}; its own messages are above")


if __name__ == "__main__":
    run(main)
