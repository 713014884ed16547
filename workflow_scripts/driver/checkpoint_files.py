"""What the driver knows of a checkpoint on this machine: its digest, and whether it is an ONNX file or weights."""

import hashlib
import json
import mmap
import os
import re
from pathlib import Path

from workflow_scripts.driver.refusal import refuse

# Digests by path, each with the state of its file. Reading 176 MB at every start would take a second each time.
CACHE = Path(".snakemake/checkpoint-digests.json")
# The bytes by which an ONNX file names the file with a tensor's values: `location` of external_data, in protobuf.
LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")


def state_of(path: Path) -> list[int]:
    """Return numbers that change whenever a file's content may have changed. No tool can reset the last one, ctime."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns]


def digest(path: Path) -> str:
    """Return a file's SHA-256, from the cache if the file has not changed. Refuse a file that cannot be read."""
    try:
        known = json.loads(CACHE.read_text())
    except (OSError, ValueError):
        known = {}
    key = str(path.absolute())
    try:
        state = state_of(path)
        if isinstance(known, dict) and isinstance(known.get(key), list) and known[key][1:] == state:
            return str(known[key][0])
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        refuse(f"the checkpoint {path} cannot be read ({error.strerror}); change its permissions")
    if CACHE.parent.is_dir() and os.access(CACHE.parent, os.W_OK):
        staging = CACHE.with_suffix(f".{os.getpid()}")
        staging.write_text(json.dumps({**(known if isinstance(known, dict) else {}), key: [found, *state]}))
        staging.replace(CACHE)
    return found


def is_onnx(path: Path) -> bool:
    """Return whether a file is an ONNX file. As in file_kinds.kind_of, its first field is a small version number."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        refuse(f"the checkpoint {path} cannot be read ({error.strerror}); change its permissions")
    safetensors = head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= size - 8
    return head[:1] == b"\x08" and head[1:2] < b"\x80" and not safetensors


def files_beside(path: Path) -> list[Path]:
    """Return the files in an ONNX file's folder that hold its weights. The ONNX file contains their names."""
    if not is_onnx(path):
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        names = {content[found.end() : found.end() + found[1][0]] for found in LOCATION.finditer(content)}
    texts = {name.decode(errors="replace").removeprefix("./") for name in names}
    beside = [
        path.with_name(text)
        for text in texts
        if text and "/" not in text and "\0" not in text and text not in (".", "..")
    ]
    return sorted(each for each in beside if each.is_file() and not re.search(r"[{}\n]", str(each)))


def was_refused(file: str) -> bool:
    """Return whether a file belongs to a checkpoint that was fetched for a model that has one, and was not accepted.

    A model's first checkpoint does not count, because it may have been a long download.
    """
    parts = Path(file).parts
    return parts[:2] == ("results", "_incoming") and Path("results", parts[2], "checkpoint/original").is_file()
