"""How every script reports: one clear line and a non-zero exit when its input is at fault."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


class Failure(Exception):
    """Something the user can mend: the message says what is wrong, where, and what to do."""


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Run a script's ``main`` on the command line; a `Failure` becomes one line and exit status 1."""
    try:
        main(sys.argv[1:])
    except Failure as failure:
        sys.exit(f"{Path(sys.argv[0]).stem}: {failure}")
