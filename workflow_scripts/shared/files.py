"""Write outputs that are either whole or absent, and compute digests."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workflow_scripts.shared.failures import Failure


def remove(path: Path) -> None:
    """Remove a file or a directory tree, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a staging path beside `path` (file or directory), and move it to `path` if the block succeeds.

    A killed process leaves at most the staging path. The next run removes it first.
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
    """Return every file below a folder, sorted, without Snakemake's own markers. For a file, return only that file."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def lock_name(lock: Path) -> str:
    """Return a lock file's path from the project's folder on, wherever that folder is."""
    starts = [index for index, part in enumerate(lock.parts) if part in ("envs", "web")]
    return "/".join(lock.parts[starts[-1] :]) if starts else lock.name


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys, so that equal content gives equal bytes."""
    with replacing(path) as staging:
        staging.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_report(path: Path, report: Any, problem: str | None) -> None:
    """Write a check's report to `path`. If there is a problem, write it to NAME.failed.json instead and raise Failure.

    Snakemake removes the outputs of a failed rule, but the user wants to read the report of a failed check. So a report
    at `path` always passed, and a failed report has another name.
    """
    failed = path.with_suffix(".failed.json")
    if problem is None:
        write_json(path, report)
        remove(failed)
        return
    remove(path)
    write_json(failed, report)
    raise Failure(f"{problem} (the whole report: {failed})")
