"""How every script reports bad input: with one clear line and a non-zero exit status."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


class Failure(Exception):
    """A fault that the user can mend. The message says what is wrong, where, and what to do."""


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Run a script's `main` with the command line's arguments. A `Failure` becomes one line and exit status 1."""
    try:
        main(sys.argv[1:])
    except Failure as failure:
        sys.exit(f"{Path(sys.argv[0]).stem}: {failure}")
