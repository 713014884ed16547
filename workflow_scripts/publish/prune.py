"""Delete the files in the bucket that no retained release needs. Without --delete, only list them."""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflow_scripts.publish.bucket import Bucket, Listed
from workflow_scripts.publish.release import (
    ENTRIES,
    LOCK_SECONDS,
    PRUNE_LOCK,
    PRUNE_SECONDS,
    RECORD_BYTES,
    claim_key,
    content_of,
    is_address,
    read_record,
    record_key,
    releases_in,
)
from workflow_scripts.publish.signature import signature_key
from workflow_scripts.shared.failures import Failure, run

# One request deletes at most this many objects.
BATCH = 1000


@dataclass(frozen=True)
class Plan:
    """What to keep and what to delete: the names of the releases, and the keys."""

    retained: list[str]
    dropped: list[str]
    # Records and claims come last: if prune is killed, its next run still needs them to know what they list.
    doomed: list[str]


def live_releases(bucket: Bucket, objects: dict[str, Listed]) -> set[str]:
    """Return the releases that the entries show.

    There are two while a publisher changes the entries, or if it was killed while it did.
    """
    live = set()
    for entry in ENTRIES:
        stored = bucket.head(entry) if entry in objects else None
        if stored is None:
            continue
        if "release" not in stored.metadata:
            raise Failure(f"{bucket.address(entry)} was not put there by publish: what it needs is not known")
        live.add(stored.metadata["release"])
    return live


def keys_listed(bucket: Bucket, objects: dict[str, Listed], key: str, release: str) -> set[str]:
    """Return the keys that a record or claim lists, its own key, and the key of the release's signature."""
    if objects[key].bytes > RECORD_BYTES:
        raise Failure(f"{bucket.address(key)} is larger than any release's record; find out who put it there")
    record = content_of(bucket.get(key), "gzip", RECORD_BYTES)
    return {key, signature_key(release)} | {file.key for file in read_record(record, release).files.values()}


def make_plan(bucket: Bucket, objects: dict[str, Listed], keep: int, grace: timedelta) -> Plan:
    """Keep the live releases, the last `keep` releases, and every release published or claimed within `grace`.

    Only files that a record or a claim lists are deleted. publish uploads nothing else, so any other file is not ours.
    An address stays only if the live release has it: what it leads to is deleted with the release that it belongs to.
    """
    records = releases_in(iter(objects), record_key("*"))
    claims = releases_in(iter(objects), claim_key("*"))
    newest = sorted(records, key=lambda key: (objects[key].modified, key), reverse=True)
    live = live_releases(bucket, objects)
    for release in live:
        if record_key(release) not in records:
            raise Failure(f"{bucket.address(record_key(release))} is missing, the live release's record; publish again")
    since = datetime.now(UTC) - grace
    stays = {key for key in records | claims if objects[key].modified >= since}
    stays |= {*newest[:keep], *(record_key(release) for release in live)}
    needed: set[str] = set()
    listed: set[str] = set()
    for key, release in (records | claims).items():
        keys = keys_listed(bucket, objects, key, release)
        listed |= keys
        if key in stays:
            needed |= keys if release in live else {key for key in keys if not is_address(key)}
    doomed = sorted(listed & objects.keys() - needed, key=lambda key: (key in records or key in claims, key))
    retained = [records[key] for key in newest if key in stays]
    return Plan(retained, [records[key] for key in newest if key not in stays], doomed)


@contextmanager
def locked(bucket: Bucket, objects: dict[str, Listed]) -> Iterator[None]:
    """Hold the lock, so that no publisher relies on files that are about to be deleted.

    A publisher first stores its claim and then looks for this lock.
    """
    lock = objects.get(PRUNE_LOCK)
    condition = {"IfNoneMatch": "*"}
    if lock is not None and (datetime.now(UTC) - lock.modified).total_seconds() >= LOCK_SECONDS:
        stored = bucket.head(PRUNE_LOCK)
        condition = {"IfMatch": stored.etag} if stored else condition
    # The time makes each lock different, which the condition above needs.
    body = datetime.now(UTC).isoformat().encode()
    if not bucket.put(PRUNE_LOCK, body, {"ContentType": "text/plain", "CacheControl": "no-cache"}, condition, {}):
        raise Failure(
            f"{bucket.address(PRUNE_LOCK)} says that another prune is running; run this again when it is done "
            f"(one that a killed prune left counts for {LOCK_SECONDS // 60} minutes, or until you delete it)"
        )
    try:
        yield
    finally:
        bucket.delete([PRUNE_LOCK])


def delete(bucket: Bucket, doomed: Sequence[str]) -> None:
    """Delete in order. Stop before the lock may expire."""
    started = time.monotonic()
    for start in range(0, len(doomed), BATCH):
        if time.monotonic() - started > PRUNE_SECONDS:
            raise Failure(f"{start} of {len(doomed)} objects are deleted after {PRUNE_SECONDS} s; run it again")
        bucket.delete(doomed[start : start + BATCH])


def report(plan: Plan, objects: dict[str, Listed], verb: str) -> None:
    """Print what is kept and what is deleted."""
    size = sum(objects[key].bytes for key in plan.doomed)
    print(f"retains {len(plan.retained)} releases: {', '.join(plan.retained) or 'none'}")
    print(f"drops {len(plan.dropped)} releases: {', '.join(plan.dropped) or 'none'}")
    print(f"{verb} {len(plan.doomed)} objects, {size} bytes", flush=True)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="s3://name/prefix")
    parser.add_argument("--endpoint", help="URL of an S3 server other than AWS")
    parser.add_argument("--keep", type=int, required=True, help="how many releases stay besides the live one")
    parser.add_argument("--grace-hours", type=float, required=True, help="what is younger stays")
    parser.add_argument("--delete", action="store_true")
    arguments = parser.parse_args(argv)
    bucket = Bucket(arguments.bucket, arguments.endpoint)
    grace = timedelta(hours=arguments.grace_hours)
    objects = bucket.objects()
    if not arguments.delete:
        report(make_plan(bucket, objects, arguments.keep, grace), objects, "would delete")
        print("nothing was deleted; add prune=true to --config to delete")
        return
    with locked(bucket, objects):
        # List again: every publisher that starts from now on sees the lock.
        objects = bucket.objects()
        plan = make_plan(bucket, objects, arguments.keep, grace)
        delete(bucket, plan.doomed)
    report(plan, objects, "deleted")


if __name__ == "__main__":
    run(main)
