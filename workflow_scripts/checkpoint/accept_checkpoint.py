"""Replace the previous checkpoint by one that could be read."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing


def take_over(incoming: Path, accepted: Path) -> None:
    """Put a copy of a file in its place.

    It is no hard link: Snakemake gives each output a new date in turn, and a linked input would get it, too. The first
    output could then look older than the last input, which Snakemake refuses.
    """
    with replacing(accepted) as staging:
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
