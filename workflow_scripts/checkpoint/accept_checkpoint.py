"""Put a checkpoint that could be read in the place of the one before it."""

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing


def take_over(incoming: Path, accepted: Path) -> None:
    """Give a file its place without a second copy of its bytes, or with one where the two places cannot share them."""
    with replacing(accepted) as staging:
        try:
            os.link(incoming, staging)
        except OSError:
            # Another file system, or one without links: a copy, which raises if the disk is the trouble.
            shutil.copyfile(incoming, staging)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incoming", type=Path, nargs="+", required=True)
    parser.add_argument("--accepted", type=Path, nargs="+", required=True, help="their places, in the same order")
    arguments = parser.parse_args(argv)
    for incoming, accepted in zip(arguments.incoming, arguments.accepted, strict=True):
        try:
            take_over(incoming, accepted)
        except OSError as error:
            raise Failure(
                f"{accepted} cannot be written ({error.strerror}); make room, or change its folder's permissions"
            ) from error


if __name__ == "__main__":
    run(main)
