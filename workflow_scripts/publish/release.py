"""A release of the site: its files, the key under which each lies in the bucket, and the record that lists them.

Most keys contain the content's SHA-256, or the hash that the page's build gave an asset. Their content never changes.
Only the entries and the addresses change to a new release. The release is named after the SHA-256 of its record.
"""

import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from workflow_scripts.formats.catalogue import references
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.files import files_in, sha256
from workflow_scripts.shared.media_types import MEDIA_TYPES, OTHER

# The entries: the files that people and programs open. The first and the last file that change to a new release.
ENTRIES = ("index.html", "catalogue.json")
# The addresses: other files that have the same key in every release. People open one of them, and other pages load the
# library and models from the rest.
ADDRESS = re.compile(r"devices\.html|lib/[\w-]+\.js|models/[\w.-]+/\d+/(?:[\w-]+/model\.json|[\w-]+\.tflite)", re.ASCII)
RECORDS = "releases/"
# The file in which a site lists its own files.
SUMS = "provenance/SHA256SUMS"
LOCKS = "locks/"
PRUNE_LOCK = f"{LOCKS}prune.json"
# prune stops deleting long before others may take its lock for the lock of a killed prune.
LOCK_SECONDS = 3600
PRUNE_SECONDS = 600

# A record takes about a hundred bytes per file. The largest file of a site is a .tflite file of full size, 176 MB.
RECORD_BYTES = 16 * 1024 * 1024
FILE_BYTES = 256 * 1024 * 1024

# A path in a site: no part is ".." or hidden, no character needs quoting, and it is not a record or a lock.
PATH = re.compile(rf"(?!{RECORDS}|{LOCKS})[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# These types are compressed. Others are not worth it: weights shrink by 7 %, photos not at all.
COMPRESSED = {".css", ".html", ".js", ".json", ".jsonl", ".md", ".svg", ".txt", ".wasm", ""}


@dataclass(frozen=True)
class Listed:
    """One file of a release: its key in the bucket, digest and size of its content, and how it is served."""

    key: str
    sha256: str
    bytes: int
    type: str
    encoding: str | None


@dataclass(frozen=True)
class Release:
    """The files of a release by their path in the site, and the release's record."""

    files: dict[str, Listed]
    record: bytes

    @property
    def id(self) -> str:
        """The digest by which every byte of the release can be checked."""
        return hashlib.sha256(self.record).hexdigest()


def key_of(path: str, digest: str) -> str:
    """Return the key of a file of the site.

    Raises Failure if the file's name contains a digest that is not its content's, or if the path is not inside a site.
    """
    if not PATH.fullmatch(path):
        raise Failure(f"{path[:200]!r} is not a path in a site")
    named = DIGEST.search(path)
    if named and named[0] != digest:
        raise Failure(f"{path} in the site is not what its name says: its sha256 is {digest}; build the site again")
    return path if named or path.startswith("assets/") or is_address(path) else f"files/{digest}/{path}"


def is_address(path: str) -> bool:
    """Return whether a file of the site has the same key in every release, although its content changes."""
    return ADDRESS.fullmatch(path) is not None


def changing(paths: Iterable[str]) -> list[str]:
    """Return the entries and the addresses among a release's paths, in the order in which they change to it."""
    first, last = ENTRIES
    return [first, *sorted(filter(is_address, paths)), last]


def describe(site: Path, path: str) -> Listed:
    """Compute the digest of one file of the site, and say how it is served."""
    file = site / path
    digest = sha256(file)
    if file.stat().st_size > FILE_BYTES:
        raise Failure(f"{file} has more than {FILE_BYTES} bytes, as no file of a site has; build the site again")
    encoding = "gzip" if file.suffix in COMPRESSED else None
    media_type = MEDIA_TYPES.get(file.suffix, OTHER)
    return Listed(key_of(path, digest), digest, file.stat().st_size, media_type, encoding)


def check_sums(site: Path) -> None:
    """Raise Failure unless a site holds exactly the files that its SHA256SUMS lists, with the digests listed there."""
    if not (site / SUMS).is_file():
        raise Failure(f"{site} has no {SUMS}; build it with snakemake site")
    lines = (site / SUMS).read_text(errors="replace").splitlines()
    listed = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    # Hidden files count, because they are served too. Only the marks of Snakemake and its rules do not.
    found = {str(file.relative_to(site)) for file in site.rglob("*") if file.is_file() or file.is_symlink()}
    found -= {".snakemake_timestamp", ".seal.json", SUMS}
    if extra := sorted(found - listed.keys()):
        raise Failure(f"{extra[0]} is not part of the site ({len(extra)} such files in {site}); remove it")
    for path, digest in listed.items():
        if path not in found or sha256(site / path) != digest:
            raise Failure(f"{path} in {site} is not the file that {SUMS} lists; build or copy the site again")


def read_site(site: Path) -> Release:
    """Compute the digests of the site's files.

    Raises Failure if a file is missing, or is not the one that the catalogue or its own name says.
    """
    paths = sorted(str(file.relative_to(site)) for file in files_in(site))
    files = {path: describe(site, path) for path in paths}
    for entry in ENTRIES:
        if entry not in files:
            raise Failure(f"{site} has no {entry}; build it with snakemake site")
    try:
        catalogue = json.loads((site / "catalogue.json").read_text())
    except ValueError as error:
        raise Failure(f"{site / 'catalogue.json'} is damaged; build the site again") from error
    for reference in references(catalogue):
        path = reference["url"]
        if path not in files:
            raise Failure(f"{site / path} is missing, the catalogue names it; build the site again")
        if reference.get("sha256", files[path].sha256) != files[path].sha256:
            raise Failure(f"{site / path} is not the file that the catalogue names; build the site again")
    content = {"version": 1, "files": {path: asdict(listed) for path, listed in files.items()}}
    return Release(files, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def listed_as(path: str, listed: Listed) -> Listed:
    """Return a file as a record lists it. Raises ValueError or Failure if publish would not have written that."""
    if not (isinstance(listed.sha256, str) and DIGEST.fullmatch(listed.sha256)):
        raise ValueError(f"{path[:200]!r} has no sha256")
    if listed.key != key_of(path, listed.sha256):
        raise ValueError(f"{path!r} lies elsewhere than it should")
    if type(listed.bytes) is not int or not 0 <= listed.bytes <= FILE_BYTES:
        raise ValueError(f"{path!r} has no size that a file of a site has")
    if listed.encoding not in (None, "gzip") or not isinstance(listed.type, str):
        raise ValueError(f"{path!r} is not served as a file of a site is")
    return listed


def read_record(content: bytes, name: str) -> Release:
    """Read a record. Raises Failure unless `name` is its digest."""
    if hashlib.sha256(content).hexdigest() != name:
        raise Failure(f"{RECORDS}{name}.json is not the record of that release: its sha256 is another")
    try:
        files = {path: listed_as(path, Listed(**listed)) for path, listed in json.loads(content)["files"].items()}
        for entry in ENTRIES:
            if entry not in files:
                raise ValueError(f"it lists no {entry}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Failure) as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise Failure(f"{RECORDS}{name}.json is not a record of a release ({why}); publish again") from error
    return Release(files, content)


def record_key(release: str) -> str:
    """Return the key of a release's record."""
    return f"{RECORDS}{release}.json"


def claim_key(release: str) -> str:
    """Return the key of a release's claim.

    The claim is a copy of the record, stored before the first upload, so that prune leaves the release's files alone.
    """
    return f"{LOCKS}publish-{release}.json"


def releases_in(keys: Iterator[str], form: str) -> dict[str, str]:
    """Return the release of each key that has one `form`: record_key("*") or claim_key("*")."""
    pattern = re.compile(re.escape(form).replace(r"\*", "([0-9a-f]{64})"))
    return {key: match[1] for key in keys if (match := pattern.fullmatch(key))}


def compress(content: bytes, name: str = "") -> bytes:
    """Compress with gzip, to the same bytes each time. `name` goes into the header, which no reader sees."""
    stored = io.BytesIO()
    with gzip.GzipFile(name, "wb", 9, stored, mtime=0) as file:
        file.write(content)
    return stored.getvalue()


def stored_form(content: bytes, listed: Listed, name: str = "") -> bytes:
    """Return the bytes that the bucket holds for a file's content."""
    return compress(content, name) if listed.encoding == "gzip" else content


def content_of(stored: bytes, encoding: str | None, limit: int) -> bytes:
    """Return the content of the bytes that a bucket holds.

    Damaged bytes are returned as they are. Longer content is cut off just beyond `limit`, because a few bytes of gzip
    can decode to gigabytes. In both cases the digest will not match.
    """
    if encoding != "gzip":
        return stored
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(stored)) as file:
            return file.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        return stored


def headers_of(listed: Listed, *, immutable: bool) -> dict[str, str]:
    """Return the headers with which a file is served."""
    headers = {
        "ContentType": listed.type,
        "CacheControl": "public, max-age=31536000, immutable" if immutable else "no-cache",
    }
    return headers | ({"ContentEncoding": listed.encoding} if listed.encoding else {})
