"""Pruning deletes the files that no retained release needs, and no file that is in use or about to be used."""

import gzip
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.line import Line, Passing, at, kill_at
from tests.support.places import Done, Place, objects_in, shards_of
from tests.support.reader import Reader, reading
from workflow_scripts.publish.release import RECORD_BYTES

NOW = ("--grace-hours", "0")


def whole(place: Place, release: str) -> bool:
    """Return whether visitors see this release and all its files."""
    reader = Reader(place.address)
    reader.look()
    return reader.problems == [] and reader.seen == {"index.html": [release], "catalogue.json": [release]}


def prune(place: Place, *arguments: str, **options: Any) -> Done:
    done = place.run("prune", *arguments, **{"identity": "pruner", **options})
    assert done.code == 0, done.error
    return done


@pytest.fixture
def three(place: Place, float32: Path, other_uint16: Path, both: Path) -> list[str]:
    """Three releases, the last one live."""
    return [place.publish(site).release for site in (float32, other_uint16, both)]


def test_dry_run_deletes_nothing(place: Place, admin: Any, three: list[str]) -> None:
    before = objects_in(admin, place)
    done = prune(place, "--keep", "1", *NOW)
    assert f"retains 1 releases: {three[2]}\n" in done.printed
    assert f"drops 2 releases: {three[1]}, {three[0]}\n" in done.printed
    assert "nothing was deleted; add prune=true" in done.printed
    assert objects_in(admin, place) == before


def test_keeps_the_last_and_the_live(
    place: Place, admin: Any, three: list[str], float32: Path, both: Path, other_uint16: Path
) -> None:
    admin.put_object(Bucket="site", Key=f"{place.prefix}/notes.txt", Body=b"somebody's own")
    dry = prune(place, "--keep", "2", *NOW)
    before = objects_in(admin, place)
    done = prune(place, "--keep", "2", *NOW, "--delete")
    after = objects_in(admin, place)
    count = len(before) - len(after)
    assert f"would delete {count} objects" in dry.printed
    assert (
        f"deleted {count} objects, {sum(before[key]['Size'] for key in before.keys() - after.keys())} bytes"
        in done.printed
    )
    assert count > 0
    kept = shards_of(both, "float32", "float16", "uint16") | shards_of(other_uint16, "float32", "float16", "uint16")
    assert {key for key in after if key.startswith("weights/")} == kept
    # The older version of the page and its record are deleted. Files that are not ours stay.
    gone = before.keys() - after.keys()
    assert {key.split("/")[0] for key in gone} >= {"assets", "files", "releases"}
    assert "assets/index-0lder000.css" in gone
    assert "notes.txt" in after
    assert whole(place, three[2])

    prune(place, "--keep", "1", *NOW, "--delete")
    last = objects_in(admin, place)
    assert {key for key in last if key.startswith("weights/")} == shards_of(both, "float32", "float16", "uint16")
    assert [key for key in last if key.startswith(("releases/", "locks/"))] == [f"releases/{three[2]}.json"]
    assert whole(place, three[2])
    assert "would delete 0 objects" in prune(place, "--keep", "1", *NOW).printed
    # A pruned release can be published again.
    assert place.publish(float32).release == three[0]
    assert whole(place, three[0])


def test_live_release_that_is_an_older_one(place: Place, three: list[str], admin: Any) -> None:
    # A publisher was killed between the two entries, so each shows another release.
    record = f"{place.prefix}/releases/{three[1]}.json"
    for entry, release in (("index.html", three[0]), ("catalogue.json", three[2])):
        stored = admin.get_object(Bucket="site", Key=f"{place.prefix}/{entry}")
        admin.put_object(
            Bucket="site", Key=f"{place.prefix}/{entry}", Body=stored["Body"].read(), Metadata={"release": release}
        )
    prune(place, "--keep", "1", *NOW, "--delete")
    left = {key for key in objects_in(admin, place) if key.startswith("releases/")}
    assert left == {f"releases/{three[0]}.json", f"releases/{three[2]}.json"}
    assert record not in left


def test_young_releases_stay(place: Place, admin: Any, three: list[str]) -> None:
    before = objects_in(admin, place)
    done = prune(place, "--keep", "1", "--grace-hours", "1", "--delete")
    assert "retains 3 releases" in done.printed
    assert objects_in(admin, place).keys() == before.keys()


def hold_before_the_record(line: Line) -> tuple[threading.Event, threading.Event]:
    """Stop a publisher before it stores its record. Return an event that says so, and one that lets it go on."""
    held, go = threading.Event(), threading.Event()

    def hold(passing: Passing) -> None:
        if passing.method == "PUT" and passing.key.startswith("releases/") and not passing.answered:
            held.set()
            go.wait(timeout=60)

    line.watch = hold
    return held, go


def test_what_a_running_publisher_uploaded_stays(
    place: Place, line: Line, admin: Any, float32: Path, both: Path
) -> None:
    place.publish(float32)
    held, go = hold_before_the_record(line)
    with reading(place.address) as reader:
        publisher = place.publishing(both, endpoint=line.endpoint)
        assert held.wait(timeout=60)
        prune(place, "--keep", "1", "--grace-hours", "1", "--delete")
        assert shards_of(both, "uint16") <= objects_in(admin, place).keys()
        go.set()
        printed, error = publisher.communicate(timeout=60)
    assert whole(place, Done(publisher.returncode, printed, error).release)
    assert reader.problems == []


def test_address_goes_when_the_live_release_does_not_have_it(
    place: Place, admin: Any, both: Path, float32: Path
) -> None:
    gone, stays = ({f"models/u2netp/{n}/{dtype}/model.json" for n in (64, 128)} for dtype in ("uint16", "float32"))
    place.publish(both)
    live = place.publish(float32).release
    assert gone | stays <= objects_in(admin, place).keys()
    prune(place, "--keep", "2", *NOW, "--delete")
    left = objects_in(admin, place).keys()
    assert stays <= left
    assert left.isdisjoint(gone)
    assert whole(place, live)


def test_address_that_a_running_publisher_is_about_to_change(
    place: Place, line: Line, admin: Any, both: Path, float32: Path, other_uint16: Path
) -> None:
    place.publish(both)
    place.publish(float32)
    held, go = hold_before_the_record(line)
    publisher = place.publishing(other_uint16, endpoint=line.endpoint)
    assert held.wait(timeout=60)
    prune(place, "--keep", "1", "--grace-hours", "1", "--delete")
    assert "models/u2netp/64/uint16/model.json" not in objects_in(admin, place)
    go.set()
    printed, error = publisher.communicate(timeout=60)
    assert whole(place, Done(publisher.returncode, printed, error).release)
    assert "models/u2netp/64/uint16/model.json" in objects_in(admin, place)
    assert place.run("verify_release", "--release", place.address).code == 0


def test_what_a_killed_publisher_left_goes(place: Place, line: Line, admin: Any, float32: Path, both: Path) -> None:
    live = place.publish(float32).release
    kill_at(line, lambda: place.publishing(both, endpoint=line.endpoint), at("PUT", "releases/", 1, False))
    assert shards_of(both, "uint16") <= objects_in(admin, place).keys()
    prune(place, "--keep", "1", *NOW, "--delete")
    left = objects_in(admin, place)
    assert {key for key in left if key.startswith("weights/")} == shards_of(float32, "float32", "float16")
    assert whole(place, live)


def test_publisher_waits_for_a_prune(place: Place, line: Line, admin: Any, three: list[str], float32: Path) -> None:
    held, go = threading.Event(), threading.Event()

    def hold(passing: Passing) -> None:
        if passing.method == "POST" and not passing.answered and not held.is_set():
            held.set()
            go.wait(timeout=60)

    line.watch = hold
    pruner = place.start("prune", "--keep", "1", *NOW, "--delete", identity="pruner", endpoint=line.endpoint)
    assert held.wait(timeout=60)
    # After prune has listed the bucket and before it deletes, a publisher needs files that are about to be deleted.
    assert "a prune has been running since" in place.publish(float32).line()
    assert "another prune is running" in place.run("prune", "--keep", "1", *NOW, "--delete", identity="pruner").line()
    assert whole(place, three[2])
    go.set()
    printed, error = pruner.communicate(timeout=60)
    assert Done(pruner.returncode, printed, error).code == 0
    assert "locks/prune.json" not in objects_in(admin, place)
    assert whole(place, place.publish(float32).release)


def test_what_it_does_not_know_it_leaves(place: Place, admin: Any, three: list[str]) -> None:
    key = f"{place.prefix}/releases/{three[0]}.json"
    before = objects_in(admin, place)
    admin.put_object(Bucket="site", Key=key, Body=b"{}")
    refusal = place.run("prune", "--keep", "1", *NOW, "--delete", identity="pruner").line()
    assert f"releases/{three[0]}.json is not the record of that release" in refusal
    assert objects_in(admin, place).keys() == before.keys()

    admin.delete_object(Bucket="site", Key=f"{place.prefix}/releases/{three[2]}.json")
    refusal = place.run("prune", "--keep", "1", *NOW, identity="pruner").line()
    assert "the live release's record; publish again" in refusal

    admin.put_object(Bucket="site", Key=f"{place.prefix}/index.html", Body=b"by hand")
    refusal = place.run("prune", "--keep", "1", *NOW, identity="pruner").line()
    assert "was not put there by publish" in refusal


@pytest.mark.parametrize("path", ["../notes.txt", "assets/page.js"])
def test_a_record_by_somebody_else_deletes_nothing_of_theirs(
    place: Place, admin: Any, three: list[str], path: str
) -> None:
    notes = {"key": "notes.txt", "sha256": "0" * 64, "bytes": 1, "type": "text/plain", "encoding": None}
    record = json.dumps({"version": 1, "files": {path: notes}}).encode()
    release = hashlib.sha256(record).hexdigest()
    for key, body in (("notes.txt", b"somebody's own"), (f"releases/{release}.json", record)):
        admin.put_object(Bucket="site", Key=f"{place.prefix}/{key}", Body=body)
    before = objects_in(admin, place)
    refusal = place.run("prune", "--keep", "1", *NOW, "--delete", identity="pruner").line()
    assert f"releases/{release}.json is not a record of a release" in refusal
    assert objects_in(admin, place).keys() == before.keys()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (bytes(RECORD_BYTES + 1), "is larger than any release's record; find out who put it there"),
        (gzip.compress(bytes(8 * RECORD_BYTES)), "is not the record of that release"),
    ],
    ids=["large", "bomb"],
)
def test_a_record_too_large_to_be_one(place: Place, admin: Any, three: list[str], body: bytes, problem: str) -> None:
    admin.put_object(Bucket="site", Key=f"{place.prefix}/releases/{'0' * 64}.json", Body=body)
    before = objects_in(admin, place)
    assert problem in place.run("prune", "--keep", "1", *NOW, "--delete", identity="pruner").line()
    assert objects_in(admin, place).keys() == before.keys()
