"""Build the page, the library or its types with npm into a folder that appears only when it is whole."""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

# Scripts of web/package.json by what is asked for, and a file that the last one always writes. The page's two have most
# of their assets in common.
SCRIPTS = {
    "build": (("build", "build:devices"), "devices.html"),
    "build:library": (("build:library",), "u2net.js"),
    "build:types": (("build:types",), "u2net.d.ts"),
}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web", type=Path, required=True, help="the page's npm package, with its packages installed")
    parser.add_argument("--script", choices=tuple(SCRIPTS), required=True, help="a script of its package.json")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        scripts, written = SCRIPTS[arguments.script]
        for script in scripts:
            command = ["npm", "run", script, "--prefix", str(arguments.web), "--", "--outDir", str(staging.absolute())]
            if status := subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
                raise Failure(f"npm run {script} exited with {status}; its own messages are above")
        if not (staging / written).is_file():
            raise Failure(f"npm run {scripts[-1]} wrote no {written}; its own messages are above")


if __name__ == "__main__":
    run(main)
