"""Outputs that are either whole or absent, and their digests."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow_scripts.shared.failures import Failure


def remove(path: Path) -> None:
    """Remove a file or a directory tree; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a staging path beside `path` (file or directory) and move it there when the block succeeds.

    A killed process leaves at most the staging path, which the next run removes first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.partial")
    remove(staging)
    try:
        yield staging
        if staging.is_dir():
            remove(path)
        staging.replace(path)
    finally:
        remove(staging)


def files_in(path: Path) -> list[Path]:
    """Return every file below a folder in order, but Snakemake's own markers; the path itself where it is no folder."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys, so that equal content is equal bytes."""
    with replacing(path) as staging:
        staging.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_report(path: Path, report: Any, problem: str | None) -> None:
    """Write a check's report to `path`; where there is a problem, beside it as NAME.failed.json, and raise Failure.

    Under `path` a report always says passed: Snakemake removes a failed rule's outputs, and the failed
    report is what one wants to read then.
    """
    failed = path.with_suffix(".failed.json")
    if problem is None:
        write_json(path, report)
        remove(failed)
        return
    remove(path)
    write_json(failed, report)
    raise Failure(f"{problem} (the whole report: {failed})")
