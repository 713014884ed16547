"""Check every byte of a published release, as a stranger would who trusts the digest of its record and nothing else."""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3
from tqdm import tqdm

from workflow_scripts.publish.release import (
    DIGEST,
    ENTRIES,
    RECORD_BYTES,
    Listed,
    Release,
    content_of,
    read_record,
    record_key,
    releases_in,
)
from workflow_scripts.shared.failures import Failure, run

PARALLEL = 8
TRIES = 3


@dataclass(frozen=True)
class Answer:
    """A file's content, and the release that its server says it belongs to."""

    content: bytes
    release: str | None


# Fetches the file under a key, with the encoding that a copy on disk may have, as far as one byte beyond the most that
# it may have; None where there is none.
Fetch = Callable[[str, str | None, int], Answer | None]


def fetch_from_server(address: str) -> Fetch:
    """Fetch as a browser does: below an http(s) address, decoding what says that it is encoded."""
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
                # What cannot be decoded is what somebody damaged.
                return Answer(b"", None)
            except urllib3.exceptions.HTTPError as error:
                # The pool tries again until an answer begins, not where one breaks off.
                if tries == 1 or isinstance(error, urllib3.exceptions.MaxRetryError):
                    raise Failure(f"{url} cannot be read: {error}; check the address and the connection") from error
        # Where nobody may list, S3 answers 403 for what is not there.
        if response.status in (403, 404):
            return None
        if response.status != 200:
            raise Failure(f"{url} cannot be read: the server answered {response.status}")
        return Answer(content, response.headers.get("x-amz-meta-release"))

    return fetch


def fetch_from_folder(folder: Path) -> Fetch:
    """Read from a copy of the bucket's prefix, whose files may still be encoded as they were there."""

    def fetch(key: str, encoding: str | None, limit: int) -> Answer | None:
        if not (folder / key).is_file():
            return None
        with (folder / key).open("rb") as file:
            # What does not shrink grows by less than this in gzip.
            stored = file.read(limit + limit // 100 + 1000)
        return Answer(content_of(stored, encoding, limit), None)

    return fetch


def live_release(fetch: Fetch, release: str) -> str:
    """Return the digest that the last entry to change names."""
    answer = fetch(ENTRIES[-1], "gzip", RECORD_BYTES)
    if answer is None:
        raise Failure(f"there is no {ENTRIES[-1]} at {release}; give the address that has it")
    if answer.release is None or not DIGEST.fullmatch(answer.release):
        raise Failure(f"{release} does not say which release it shows; pass release_sha256, which publish printed")
    return answer.release


def only_release(folder: Path) -> str:
    """Return the one release that a folder holds."""
    found = list(
        releases_in((str(path.relative_to(folder)) for path in folder.glob("releases/*")), record_key("*")).values()
    )
    if len(found) != 1:
        raise Failure(f"{folder} holds {len(found)} releases' records, not one; pass release_sha256")
    return found[0]


def problem_with(fetch: Fetch, key: str, listed: Listed) -> str | None:
    """Say what is wrong with one file; None where it is the one recorded."""
    answer = fetch(key, listed.encoding, listed.bytes)
    if answer is None:
        return f"{key} is missing"
    digest = hashlib.sha256(answer.content).hexdigest()
    if digest != listed.sha256:
        return f"{key} has sha256 {digest}, the record says {listed.sha256}"
    return None


def problems_with(fetch: Fetch, release: Release) -> list[str]:
    """Compare every file of a release with its record, and what the entries show with it."""
    keys = {listed.key: listed for listed in release.files.values()} | {
        entry: release.files[entry] for entry in ENTRIES
    }
    total = sum(listed.bytes for listed in keys.values())
    problems = []
    with (
        ThreadPoolExecutor(PARALLEL) as pool,
        tqdm(total=total, unit="B", unit_scale=True, desc="verifying", file=sys.stdout, disable=None) as progress,
    ):
        found = pool.map(lambda item: problem_with(fetch, *item), keys.items())
        for listed, problem in zip(keys.values(), found, strict=True):
            progress.update(listed.bytes)
            if problem:
                problems.append(problem)
    return problems


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", required=True, help="http(s) address of a site, or a folder that holds its copy")
    parser.add_argument("--sha256", help="the release's digest, as publish printed it; else what the server says")
    arguments = parser.parse_args(argv)
    if urlsplit(arguments.release).scheme in ("http", "https"):
        fetch = fetch_from_server(arguments.release)
        digest = arguments.sha256 or live_release(fetch, arguments.release)
    elif Path(arguments.release).is_dir():
        fetch = fetch_from_folder(Path(arguments.release))
        digest = arguments.sha256 or only_release(Path(arguments.release))
    else:
        raise Failure(f"{arguments.release} is neither an http(s) address nor a folder")
    record = fetch(record_key(digest), "gzip", RECORD_BYTES)
    if record is None:
        raise Failure(f"{record_key(digest)} is not at {arguments.release}; check the address and the digest")
    release = read_record(record.content, digest)
    if problems := problems_with(fetch, release):
        raise Failure(f"{problems[0]} ({len(problems)} such in {arguments.release}); do not use it, publish it again")
    size = sum(listed.bytes for listed in release.files.values())
    print(f"{arguments.release}: all {len(release.files)} files, {size} bytes, are those of release {digest}")


if __name__ == "__main__":
    run(main)
