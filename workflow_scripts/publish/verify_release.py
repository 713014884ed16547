"""Check every byte of a published release. Nothing is trusted except the digest of its record, or the signer's key.

Where files can be listed, a file that the record does not list is an error: in a folder, and in a bucket that the user
may list. A server's headers are compared as well, because a browser treats a page by its type.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3
from tqdm import tqdm

from workflow_scripts.publish.bucket import Bucket
from workflow_scripts.publish.release import (
    DIGEST,
    ENTRIES,
    PRUNE_LOCK,
    RECORD_BYTES,
    SUMS,
    Listed,
    Release,
    check_sums,
    claim_key,
    content_of,
    headers_of,
    is_address,
    read_record,
    read_site,
    record_key,
    releases_in,
)
from workflow_scripts.publish.signature import SIGNATURE_BYTES, check_signature, signature_key
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

PARALLEL = 8
TRIES = 3
# The file beside a copy of the site that holds its signature.
SIGNATURE = "release.sig"


# A page may use threads only if it is served with both. Its content security policy is in index.html itself.
ISOLATION = {"cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp"}
# The names that publish gives them.
COMPARED = {"ContentType": "content-type", "CacheControl": "cache-control"}


@dataclass(frozen=True)
class Answer:
    """A file's content, the release that the server says it belongs to, and its headers by name in lower case."""

    content: bytes
    release: str | None
    headers: Mapping[str, str] | None = None


# Fetches the file under a key, given the encoding that a copy on disk may have. Reads at most one byte more than the
# file may have. Returns None if there is no such file.
Fetch = Callable[[str, str | None, int], Answer | None]


def fetch_from_server(address: str) -> Fetch:
    """Fetch as a browser does, below an http(s) address. Content that says it is encoded is decoded."""
    pool = urllib3.PoolManager(
        maxsize=PARALLEL,
        timeout=urllib3.Timeout(connect=10, read=60),
        retries=urllib3.Retry(4, backoff_factor=0.3, status_forcelist=[500, 502, 503, 504], raise_on_status=False),
    )

    def fetch(key: str, encoding: str | None, limit: int) -> Answer | None:
        url = f"{address.rstrip('/')}/{quote(key)}"
        for tries in range(TRIES, 0, -1):
            try:
                with pool.request("GET", url, headers={"Accept-Encoding": "gzip"}, preload_content=False) as response:
                    content = response.read(limit + 1)
                break
            except urllib3.exceptions.DecodeError:
                # If it cannot be decoded, it is damaged.
                return Answer(b"", None)
            except urllib3.exceptions.HTTPError as error:
                # The pool retries until an answer begins, but not if an answer breaks off.
                if tries == 1 or isinstance(error, urllib3.exceptions.MaxRetryError):
                    raise Failure(f"{url} cannot be read: {error}; check the address and the connection") from error
        # If listing is not allowed, S3 answers 403 for a missing file.
        if response.status in (403, 404):
            return None
        if response.status != 200:
            raise Failure(f"{url} cannot be read: the server answered {response.status}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(content, headers.get("x-amz-meta-release"), headers)

    return fetch


def fetch_from_folder(folder: Path) -> Fetch:
    """Read from a copy of the bucket's prefix, whose files may still be encoded as they were in the bucket."""

    def fetch(key: str, encoding: str | None, limit: int) -> Answer | None:
        if not (folder / key).is_file():
            return None
        with (folder / key).open("rb") as file:
            # Content that gzip cannot shrink grows by less than this.
            stored = file.read(limit + limit // 100 + 1000)
        return Answer(content_of(stored, encoding, limit), None)

    return fetch


def fetch_from_bucket(bucket: Bucket, keys: Mapping[str, object]) -> Fetch:
    """Read from a bucket that holds `keys`."""

    def fetch(key: str, encoding: str | None, limit: int) -> Answer | None:
        if key not in keys:
            return None
        stored, headers, metadata = bucket.get_with_headers(key, limit + limit // 100 + 1000)
        return Answer(content_of(stored, encoding, limit), metadata.get("release"), headers)

    return fetch


def live_release(fetch: Fetch, release: str) -> str:
    """Return the digest that the last entry names. It is the last to change when a release is published."""
    answer = fetch(ENTRIES[-1], "gzip", RECORD_BYTES)
    if answer is None:
        raise Failure(f"there is no {ENTRIES[-1]} at {release}; give the address that has it")
    if answer.release is None or not DIGEST.fullmatch(answer.release):
        raise Failure(f"{release} does not say which release it shows; pass release_sha256, which publish printed")
    return answer.release


def only_release(folder: Path) -> str:
    """Return the only release that a folder holds."""
    found = list(
        releases_in((str(path.relative_to(folder)) for path in folder.glob("releases/*")), record_key("*")).values()
    )
    if len(found) != 1:
        raise Failure(f"{folder} holds {len(found)} releases' records, not one; pass release_sha256")
    return found[0]


def wrong_header(key: str, listed: Listed, headers: Mapping[str, str]) -> str | None:
    """Say which header is not as publish sets it, or None if all are."""
    expected = headers_of(listed, immutable=key not in ENTRIES and not is_address(key))
    wanted = {COMPARED[name]: value for name, value in expected.items() if name in COMPARED}
    # A server that cannot isolate pages, such as a plain bucket, sends neither.
    if key == "index.html" and ISOLATION.keys() & headers.keys():
        wanted |= ISOLATION
    for name, value in wanted.items():
        found = headers.get(name, "none")
        if "".join(found.lower().split()) != "".join(value.lower().split()):
            return f"{key} is served with {name}: {found[:200]}, the release has {value}"
    return None


def problem_with(fetch: Fetch, key: str, listed: Listed, copy: Path | None) -> str | None:
    """Say what is wrong with one file, or None if it is the recorded one, which is then written to `copy`."""
    answer = fetch(key, listed.encoding, listed.bytes)
    if answer is None:
        return f"{key} is missing"
    digest = hashlib.sha256(answer.content).hexdigest()
    if digest != listed.sha256:
        return f"{key} has sha256 {digest}, the record says {listed.sha256}"
    if copy is not None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(answer.content)
    return wrong_header(key, listed, answer.headers) if answer.headers is not None else None


def files_beside(fetch: Fetch, keys: Sequence[str], digest: str, release: Release) -> tuple[list[str], list[str]]:
    """Return the files that no release lists, and the other releases that have files there."""
    known = {listed.key for listed in release.files.values()} | {*ENTRIES, record_key(digest), claim_key(digest)}
    known.add(signature_key(digest))
    others = releases_in(iter(keys), record_key("*")) | releases_in(iter(keys), claim_key("*"))
    retained = set()
    for key, name in others.items():
        record = None if key in known else fetch(key, "gzip", RECORD_BYTES)
        if record is not None:
            known |= {listed.key for listed in read_record(record.content, name).files.values()}
            known |= {key, signature_key(name)}
            retained.add(name)
    return sorted({*keys} - known - {PRUNE_LOCK}), sorted(retained - {digest})


def problems_with(fetch: Fetch, release: Release, copy: Path | None) -> list[str]:
    """Compare every file of a release, and what the entries show, with the release's record.

    If `copy` is given, write the files there as they lie in the site.
    """
    files = [(listed.key, listed, copy / path if copy else None) for path, listed in release.files.items()]
    files += [(entry, release.files[entry], None) for entry in ENTRIES]
    total = sum(listed.bytes for _, listed, _ in files)
    problems = []
    with (
        ThreadPoolExecutor(PARALLEL) as pool,
        tqdm(total=total, unit="B", unit_scale=True, desc="verifying", file=sys.stdout, disable=None) as progress,
    ):
        found = pool.map(lambda item: problem_with(fetch, *item), files)
        for (_, listed, _), problem in zip(files, found, strict=True):
            progress.update(listed.bytes)
            if problem:
                problems.append(problem)
    return problems


@contextmanager
def copying_to(folder: Path | None, *, needed: bool) -> Iterator[Path | None]:
    """Yield a folder for the release's copy, or None if none is asked for or `needed`.

    `folder` appears when the block succeeds. A copy that is only needed for the check is removed afterwards.
    """
    if folder is not None:
        with replacing(folder) as staging:
            staging.mkdir()
            yield staging
    elif needed:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        yield None


def verify_files(fetch: Fetch, digest: str, release: Release, arguments: argparse.Namespace) -> None:
    """Check the files of a release and, if a public key is given, its signature. Write the copy that is asked for."""
    with copying_to(arguments.copy, needed=arguments.public_key is not None) as copy:
        if problems := problems_with(fetch, release, copy / "site" if copy else None):
            raise Failure(
                f"{problems[0]} ({len(problems)} such in {arguments.release}); do not use it, publish it again"
            )
        if copy is None:
            return
        signature = fetch(signature_key(digest), None, SIGNATURE_BYTES)
        if signature is not None:
            (copy / SIGNATURE).write_bytes(signature.content)
        if arguments.public_key is not None:
            if signature is None:
                raise Failure(f"{arguments.release} has no signature of release {digest}; do not use it")
            check_signature(copy / "site", signature.content, arguments.public_key, digest)


def verify_site(folder: Path, digest: str | None, public_key: Path | None) -> str:
    """Check a copy of the site itself, such as results/site. It must hold exactly the files that its SHA256SUMS lists.

    Return its release, which must equal `digest` if one is given. If a public key is given, the signature lies beside
    the folder, as in the copy that this script writes.
    """
    check_sums(folder)
    release = read_site(folder).id
    if digest not in (None, release):
        raise Failure(f"{folder} is release {release}, not {digest}")
    if public_key is not None:
        signature = folder.absolute().parent / SIGNATURE
        if not signature.is_file():
            raise Failure(f"{folder} has no signature at {signature}; put the release's there")
        check_signature(folder, signature.read_bytes(), public_key, release)
    return release


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", required=True, help="a site's http(s) or s3 address, or a folder with its copy")
    parser.add_argument("--sha256", help="the release's digest, as publish printed it; else what the server says")
    parser.add_argument("--endpoint", help="URL of an S3 server other than AWS, for an s3 address")
    parser.add_argument("--public-key", type=Path, help="public key of the person who must have signed the release")
    parser.add_argument("--copy", type=Path, help="new folder for a copy of the site, site/, and its signature")
    arguments = parser.parse_args(argv)
    if arguments.copy is not None and arguments.copy.exists():
        raise Failure(f"{arguments.copy} exists already; give release_copy a folder that does not")
    signed = f", signed with the key of {arguments.public_key}" if arguments.public_key else ""
    folder = Path(arguments.release)
    keys: Sequence[str] | None = None
    scheme = urlsplit(arguments.release).scheme
    if scheme in ("http", "https"):
        fetch = fetch_from_server(arguments.release)
        digest = arguments.sha256 or live_release(fetch, arguments.release)
    elif scheme == "s3":
        bucket = Bucket(arguments.release, arguments.endpoint)
        keys = list(objects := bucket.objects())
        fetch = fetch_from_bucket(bucket, objects)
        digest = arguments.sha256 or live_release(fetch, arguments.release)
    elif folder.is_dir() and (folder / SUMS).is_file():
        if arguments.copy is not None:
            raise Failure(f"{folder} is a copy of the site already; leave release_copy out")
        release_id = verify_site(folder, arguments.sha256, arguments.public_key)
        print(f"{folder}: every file is the one listed, of release {release_id}{signed}")
        return
    elif folder.is_dir():
        fetch = fetch_from_folder(folder)
        # Found before the folder is listed: the wrong folder may be a large one.
        digest = arguments.sha256 or only_release(folder)
        keys = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() or file.is_symlink()]
    else:
        raise Failure(f"{arguments.release} is neither an http(s) or s3 address nor a folder")
    record = fetch(record_key(digest), "gzip", RECORD_BYTES)
    if record is None:
        raise Failure(f"{record_key(digest)} is not at {arguments.release}; check the address and the digest")
    release = read_record(record.content, digest)
    verify_files(fetch, digest, release, arguments)
    size = sum(listed.bytes for listed in release.files.values())
    said = f"{arguments.release}: all {len(release.files)} files, {size} bytes, are those of release {digest}{signed}"
    if keys is None:
        said += "; files beside them cannot be listed here"
    else:
        extra, others = files_beside(fetch, keys, digest, release)
        if extra:
            raise Failure(f"{extra[0]} belongs to no release ({len(extra)} such in {arguments.release}); remove it")
        said += f"; beside them only those of {len(others)} other releases" if others else "; nothing else is there"
    print(said)


if __name__ == "__main__":
    run(main)
