"""Put the library for other pages, its types and its documentation into one folder, ready for `npm publish`."""

import argparse
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.formats.manifest import again
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal, replacing

# TypeScript writes imports such as `from './model'` into declarations. Node.js resolves only names of files.
IMPORT = re.compile(r"""((?:from |import\()["']\.[^"']*)(?=["'])""")


def copy_types(types: Path, folder: Path) -> None:
    """Copy the declarations, and make each import in them name the module's file."""
    for declaration in sorted(types.rglob("*.d.ts")):
        copy = folder / declaration.relative_to(types)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(IMPORT.sub(r"\1.js", declaration.read_text()))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="folder of build_library")
    parser.add_argument("--types", type=Path, required=True, help="folder of declare_types")
    parser.add_argument("--files", type=Path, nargs="+", required=True, help="package.json and licence, as they are")
    parser.add_argument("--readme", type=Path, required=True, help="the page that the registry shows")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    for output in (arguments.library, arguments.types):
        if problem := broken_seal(output):
            raise Failure(f"{problem}, so the package is not made{again(output)}")
    with replacing(arguments.output) as staging:
        shutil.copytree(arguments.library, staging, ignore=shutil.ignore_patterns(".*"))
        copy_types(arguments.types, staging / "types")
        for file in arguments.files:
            shutil.copyfile(file, staging / file.name)
        shutil.copyfile(arguments.readme, staging / "README.md")


if __name__ == "__main__":
    run(main)
