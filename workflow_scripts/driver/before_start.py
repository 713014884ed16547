"""Report in one line what would make Snakemake end with a traceback before it reads any rule.

profiles/default runs this file by its path, so it imports nothing of the package.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


def config_problem(arguments: Sequence[str]) -> str | None:
    """Say which word after --config is not KEY=VALUE. Return None if all are."""
    inside = False
    for argument in arguments:
        if argument.startswith("-"):
            inside = argument in ("--config", "-C")
        elif inside and "=" not in argument:
            return f"--config takes KEY=VALUE, not {argument}; if {argument} is to be built, write it before --config"
    return None


def folder_problem() -> str | None:
    """Say which folder that Snakemake needs cannot be written. Return None if all can."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        return f"{cache} cannot be written ({error.strerror}): set HOME or XDG_CACHE_HOME to a folder of yours"
    try:
        tempfile.gettempdir()
    except OSError:
        return "no temporary folder can be written: set TMPDIR to a folder of yours that has room"
    try:
        Path(".snakemake").mkdir(exist_ok=True)
        tempfile.TemporaryFile(dir=".snakemake").close()
    except OSError as error:
        return (
            f"{Path.cwd()} cannot be written ({error.strerror}): work in a checkout of your own, or change this "
            "one's owner or permissions"
        )
    return None


if problem := config_problem(sys.argv[1:]) or folder_problem():
    sys.exit(f"Error: {problem}")
