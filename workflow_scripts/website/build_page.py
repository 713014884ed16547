"""Build the page, the library or its types with npm into a folder that appears only when it is whole."""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

# The scripts of web/package.json. Each always writes this file.
SCRIPTS = {"build": "index.html", "build:library": "u2net.js", "build:types": "u2net.d.ts"}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", type=Path, required=True, help="the page's npm package, with its packages installed")
    parser.add_argument("--script", choices=tuple(SCRIPTS), required=True, help="a script of its package.json")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        script = ["npm", "run", arguments.script, "--prefix", str(arguments.web)]
        status = subprocess.run(
            [*script, "--", "--outDir", str(staging.absolute())], stdin=subprocess.DEVNULL
        ).returncode
        if status or not (staging / SCRIPTS[arguments.script]).is_file():
            raise Failure(f"npm run {arguments.script} exited with {status}; its own messages are above")


if __name__ == "__main__":
    run(main)
