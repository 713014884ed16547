"""Refuse a request before anything runs, in one line and without a traceback."""

import sys
from typing import NoReturn


def refuse(problem: str) -> NoReturn:
    """End Snakemake with exit status 1 and one line."""
    sys.exit(f"Error: {problem}")


def require_python() -> None:
    """Refuse any Python except 3.11: the converters' versions are locked for it."""
    if sys.version_info[:2] != (3, 11):
        refuse(
            f"Python 3.11 is needed: the converters' versions are locked for it. This is {sys.version.split()[0]}. "
            "Install Python 3.11 (uv python install 3.11), make a virtual environment with it, and run "
            "pip install -r requirements.txt there."
        )
