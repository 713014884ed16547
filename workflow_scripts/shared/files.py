"""Write outputs that are either whole or absent, and compute digests."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
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

    A killed process leaves at most hidden files beside `path`. The next run removes them first. The digests of what was
    written are kept in a seal (see `seal_of`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staging, old, seal = (path.with_name(f".{path.name}.{kind}") for kind in ("partial", "old", "seal.partial"))
    if old.exists() and not path.exists():
        # Killed between the two renamings below.
        old.rename(path)
    leftovers = (staging, old, seal)
    for leftover in leftovers:
        remove(leftover)
    try:
        yield staging
        digests = json.dumps(digests_below(staging, path.name), indent=0, sort_keys=True)
        if staging.is_dir():
            # The folder is sealed as a whole.
            for inner in staging.rglob(".*seal.json"):
                inner.unlink()
            seal_of(staging).write_text(digests)
            if path.exists():
                # A folder cannot replace one that holds files.
                path.rename(old)
            staging.rename(path)
        else:
            # All is written before anything is replaced: the disk may be full.
            seal.write_text(digests)
            staging.replace(path)
            seal.replace(seal_of(path))
    finally:
        for leftover in leftovers:
            remove(leftover)


def seal_of(path: Path) -> Path:
    """Return where the digests of an output stand from the moment it was made: inside a folder, beside a file."""
    return path / ".seal.json" if path.is_dir() else path.with_name(f".{path.name}.seal.json")


def digests_below(path: Path, name: str = "") -> dict[str, str]:
    """Return the SHA-256 of every file of a folder by its path in it; of a file by `name`, else its own."""
    if path.is_dir():
        return {str(file.relative_to(path)): sha256(file) for file in files_in(path)}
    return {name or path.name: sha256(path)}


def broken_seal(path: Path) -> str | None:
    """Say which file of an output is no longer as it was made; None if all are.

    An output that lost its seal on the way is not judged: a bucket used as storage hands on no hidden files beside
    others, and checks the digest of each file itself.
    """
    seal = seal_of(path)
    if not seal.is_file():
        return None
    try:
        made = dict(json.loads(seal.read_text()))
    except (ValueError, TypeError):
        return f"{seal} is damaged"
    found = digests_below(path)
    for name in sorted(made.keys() | found.keys()):
        if made.get(name) != found.get(name):
            file = path / name if path.is_dir() else path
            what = "is missing" if name not in found else "was added" if name not in made else "changed"
            return f"{file} {what} since it was made"
    return None


def read_by(output: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file that `output` was made of, by its path from the folder of `output`.

    So a report, wherever the results lie, says what it judged; `workflow_scripts.formats.evidence` follows it.
    """
    return named_from(output, {file: sha256(file) for file in files})


def named_from(output: Path, digests: Mapping[Path, str]) -> dict[str, str]:
    """Return digests by the paths of their files from the folder of `output`."""
    return {os.path.relpath(file, output.parent): digest for file, digest in digests.items()}


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
