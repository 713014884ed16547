"""Publish the site to an S3 bucket. A visitor sees the whole release before or the whole new one, never a mixture.

The files whose content never changes are uploaded first, and each is read back. Then comes the signature if there is a
key to sign with, and the record that lists the files. The entries and the addresses come last, and change only if
nobody else has changed them meanwhile. If publish is killed at any point, running it again finishes the release.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workflow_scripts.formats.catalogue import check_vouched
from workflow_scripts.formats.manifest import manifest_in_site, vouched
from workflow_scripts.publish.bucket import PARALLEL, Bucket, Stored
from workflow_scripts.publish.bucket import Listed as ListedObject
from workflow_scripts.publish.release import (
    ENTRIES,
    LOCK_SECONDS,
    PRUNE_LOCK,
    Listed,
    Release,
    changing,
    check_sums,
    claim_key,
    content_of,
    headers_of,
    is_address,
    read_site,
    record_key,
    stored_form,
)
from workflow_scripts.publish.signature import sign, signature_key
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import sha256


def say(line: str) -> None:
    """Print a line. Raises Failure if it cannot be written."""
    try:
        print(line, flush=True)
    except OSError as error:
        raise Failure(f"cannot write its report: {error.strerror}; make room and publish again") from error


def check_manifests(site: Path, release: Release, manifests: Sequence[Path]) -> None:
    """Raise Failure unless the manifests cover every model in the catalogue, and are the ones that the site holds."""
    followed = [vouched(path) for path in manifests]
    check_vouched(json.loads((site / "catalogue.json").read_text())["models"], followed)
    for path, manifest in zip(manifests, followed, strict=True):
        listed = release.files.get(manifest_in_site(manifest))
        if listed is None or listed.sha256 != sha256(path):
            raise Failure(f"{site} was built with another manifest than {path}; build the site again")


def check_no_prune(objects: dict[str, ListedObject]) -> None:
    """Raise Failure while prune is running: it may not have seen this release's claim."""
    lock = objects.get(PRUNE_LOCK)
    if lock is not None and (datetime.now(UTC) - lock.modified).total_seconds() < LOCK_SECONDS:
        raise Failure(
            f"{PRUNE_LOCK} says that a prune has been running since {lock.modified:%H:%M} UTC; publish again when it "
            f"has ended (one that a killed prune left counts for {LOCK_SECONDS // 60} minutes, or until you delete it)"
        )


def is_stored(bucket: Bucket, site: Path, path: str, listed: Listed) -> bool:
    """Return whether the bucket holds the file. Raises Failure if its key holds different content."""
    stored = bucket.head(listed.key)
    if stored is None:
        return False
    expected = listed.sha256
    if listed.encoding:
        expected = hashlib.sha256(stored_form((site / path).read_bytes(), listed)).hexdigest()
    if stored.sha256 == expected:
        return True
    # Another version of zlib may compress the same content to different bytes.
    found = hashlib.sha256(content_of(bucket.get(listed.key), listed.encoding, listed.bytes)).hexdigest()
    if found != listed.sha256:
        raise Failure(
            f"{bucket.address(listed.key)} is not the file that its name says, its sha256 is {found}: somebody "
            "changed it; delete it and publish again"
        )
    return True


def upload(bucket: Bucket, site: Path, path: str, listed: Listed) -> int:
    """Upload one file and read it back. Return how many bytes were sent."""
    content = (site / path).read_bytes()
    if hashlib.sha256(content).hexdigest() != listed.sha256:
        raise Failure(f"{site / path} changed while it was being published; publish again")
    stored = stored_form(content, listed)
    if not bucket.put(listed.key, stored, headers_of(listed, immutable=True), {"IfNoneMatch": "*"}, {}):
        # Another publisher was faster, or an earlier attempt arrived but its answer was lost.
        if not is_stored(bucket, site, path, listed):
            raise Failure(
                f"{bucket.address(listed.key)} was refused because it exists, and then it did not exist; publish again"
            )
        return 0
    if bucket.get(listed.key) != stored:
        raise Failure(f"{bucket.address(listed.key)} is not what was sent when read back; publish again")
    return len(stored)


def each(function: Callable[..., Any], *items: Any) -> list[Any]:
    """Call a function for each item, several at a time. After the first Failure, no further call starts."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        try:
            return list(pool.map(function, *items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def upload_files(bucket: Bucket, site: Path, release: Release, objects: dict[str, ListedObject]) -> None:
    """Upload the files that the bucket lacks, weights first. The addresses come later."""
    listed = [item for item in release.files.items() if not is_address(item[0])]
    there = each(lambda item: item[1].key in objects and is_stored(bucket, site, *item), listed)
    missing = [item for item, stored in zip(listed, there, strict=True) if not stored]
    missing.sort(key=lambda item: (not item[0].startswith("weights/"), item[0]))
    sent = 0
    total = sum(file.bytes for _, file in missing)
    # Show progress on a terminal only: it would only fill a log.
    with tqdm(total=total, unit="B", unit_scale=True, desc="uploading", file=sys.stdout, disable=None) as progress:
        for weights in (True, False):
            group = [item for item in missing if item[0].startswith("weights/") is weights]

            def upload_one(item: tuple[str, Listed]) -> int:
                count = upload(bucket, site, *item)
                progress.update(item[1].bytes)
                return count

            sent += sum(each(upload_one, group))
    shards = sum(path.startswith("weights/") for path, _ in missing)
    say(
        f"uploaded {len(missing)} files, {shards} of them weight shards, {sent} bytes; "
        f"{len(listed) - len(missing)} files were there"
    )


def store_record(bucket: Bucket, key: str, release: Release) -> None:
    """Store a release's record under `key`.

    It is stored again even if it exists: its age says when the release was last published.
    """
    listed = Listed(key, release.id, len(release.record), "application/json", "gzip")
    stored = stored_form(release.record, listed)
    bucket.put(key, stored, headers_of(listed, immutable=True), {}, {})
    if bucket.get(key) != stored:
        raise Failure(f"{bucket.address(key)} is not what was sent when read back; publish again")


def store_signature(bucket: Bucket, release: Release, signature: bytes) -> None:
    """Store a release's signature beside its record. It replaces an older one, which may be of another key."""
    key = signature_key(release.id)
    bucket.put(key, signature, {"ContentType": "application/json", "CacheControl": "no-cache"}, {}, {})
    if bucket.get(key) != signature:
        raise Failure(f"{bucket.address(key)} is not what was sent when read back; publish again")


def change_entry(bucket: Bucket, site: Path, release: Release, entry: str, seen: Stored | None) -> int:
    """Make an entry or address show this release, unless it has changed since this publisher began and had `seen` it.

    Return how many bytes were sent.
    """
    listed = release.files[entry]
    # The condition compares ETags. The release's name in gzip's header gives each release its own ETag, even if the
    # content is the same.
    stored = stored_form((site / entry).read_bytes(), listed, release.id)
    if seen is not None and seen.sha256 == hashlib.sha256(stored).hexdigest():
        return 0

    def put(condition: dict[str, str]) -> bool:
        return bucket.put(entry, stored, headers_of(listed, immutable=False), condition, {"release": release.id})

    lost = Failure(
        f"{bucket.address(entry)} was changed by another publisher since this one began, and is left as it is; "
        "publish again to replace that release"
    )
    # Only gzip's header gives each release its own ETag. A .tflite file can have the same ETag again after another
    # publisher changed it.
    if seen and not listed.encoding and not shows(bucket, ENTRIES[0], release):
        raise lost
    if put({"IfMatch": seen.etag} if seen else {"IfNoneMatch": "*"}):
        return len(stored)
    # prune may have deleted an address that the live release does not have.
    if is_address(entry) and entry not in bucket.objects() and put({"IfNoneMatch": "*"}):
        return len(stored)
    # If the first attempt arrived but its answer was lost, the repeated request fails because of the first.
    if not shows(bucket, entry, release):
        raise lost
    return len(stored)


def shows(bucket: Bucket, entry: str, release: Release) -> bool:
    """Return whether this release's publisher was the last to write an entry or address."""
    stored = bucket.head(entry)
    return stored is not None and stored.metadata.get("release") == release.id


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True, help="folder of assemble_site")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="of every model and resolution in it")
    parser.add_argument("--bucket", required=True, help="s3://name/prefix")
    parser.add_argument("--endpoint", help="URL of an S3 server other than AWS")
    parser.add_argument("--signing-key", type=Path, help="private key to sign the release with")
    arguments = parser.parse_args(argv)
    check_sums(arguments.site)
    release = read_site(arguments.site)
    check_manifests(arguments.site, release, arguments.manifests)
    # Before the first upload, so that a key that cannot be used changes nothing.
    signature = sign(arguments.site, arguments.signing_key) if arguments.signing_key else None
    bucket = Bucket(arguments.bucket, arguments.endpoint)
    objects = bucket.objects()
    entries = changing(release.files)
    seen = dict(
        zip(entries, each(lambda entry: bucket.head(entry) if entry in objects else None, entries), strict=True)
    )
    # Store the claim before listing the bucket. Either prune sees the claim and keeps these files, or prune listed the
    # bucket earlier and its lock shows in the listing below.
    store_record(bucket, claim_key(release.id), release)
    objects = bucket.objects()
    check_no_prune(objects)
    upload_files(bucket, arguments.site, release, objects)
    if signature is not None:
        store_signature(bucket, release, signature)
    store_record(bucket, record_key(release.id), release)
    sent = [change_entry(bucket, arguments.site, release, entry, seen[entry]) for entry in entries]
    say(f"changed {sum(map(bool, sent))} entries and addresses, {sum(sent)} bytes")
    signed = ", signed" if signature is not None else ""
    say(f"{bucket.address()} shows release {release.id}{signed}")


if __name__ == "__main__":
    run(main)
