"""Read which files a report judged. Every report and every prediction names the files it was made from, by digest."""

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The PNG text that names what a picture was drawn from.
PNG_KEY = "Source"


def read_by_report(path: Path) -> dict[str, str] | None:
    """Return the digests of the files that a report was made from, by their paths relative to its folder.

    Return None for a kind of file that does not name them. Raises ValueError, KeyError, TypeError or struct.error if
    the report is damaged.
    """
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        found = content.get("read")
    elif path.suffix == ".safetensors":
        found = _read_by_safetensors(path)
    elif path.suffix == ".png":
        found = _read_by_picture(path)
    else:
        return None
    if found is None:
        return None
    return {str(name): str(digest) for name, digest in dict(found).items()}


def _read_by_safetensors(path: Path) -> Any:
    """Return what predictions were made from. The header is JSON. Before it is its length, 8 bytes, little-endian."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        metadata = json.loads(file.read(length)).get("__metadata__", {})
    if "prediction" not in metadata:
        return None
    return json.loads(json.loads(metadata["prediction"])["read"])


def _read_by_picture(path: Path) -> Any:
    """Return what a picture was drawn from: a tEXt chunk of the PNG file (https://www.w3.org/TR/png-3/#11tEXt)."""
    data = path.read_bytes()
    if not data.startswith(PNG_SIGNATURE):
        raise ValueError("not a PNG file")
    position = len(PNG_SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        chunk = data[position + 8 : position + 8 + length]
        key, _, text = chunk.partition(b"\0")
        if kind == b"tEXt" and key == PNG_KEY.encode():
            return json.loads(text.decode("latin-1"))
        # A chunk's length, kind and checksum take 12 bytes.
        position += 12 + length
    return None


def target_of(report: str, source: str) -> str:
    """Return the path of a file, which a report names relative to its own folder, relative to the report's root."""
    return os.path.normpath(Path(report).parent / source)


def unfollowed(root: Path, recorded: Mapping[str, str]) -> list[str]:
    """Return one line for each place where reports and recorded digests disagree.

    `recorded` holds the digest of every file that counts, by its path below `root`. A report may only have read those
    files, with those digests. Missing reports are skipped.
    """
    problems = []
    for name in sorted(recorded):
        path = root / name
        if not path.is_file():
            continue
        try:
            read = read_by_report(path)
        except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as error:
            problems.append(f"{name} is damaged ({type(error).__name__})")
            continue
        for source, digest in (read or {}).items():
            target = target_of(name, source)
            if target not in recorded:
                problems.append(f"{name} was made of {target}, which nothing vouches for")
            elif recorded[target] != digest:
                problems.append(f"{target} is not the file that {name} was made of")
    return problems


def read_by_all(root: Path, reports: list[str]) -> dict[str, set[str]]:
    """Return the reports that read each file, by the file's path below `root`."""
    found: dict[str, set[str]] = {}
    for name in reports:
        for source in read_by_report(root / name) or {}:
            found.setdefault(target_of(name, source), set()).add(name)
    return found
