"""If a publisher is killed, cut off or overtaken at any point, one whole release stays and a rerun finishes."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.line import Cut, Line, Passing, at, kill_at
from tests.support.places import Done, Place, objects_in
from tests.support.reader import Reader, reading
from workflow_scripts.publish.bucket import Bucket, Stored
from workflow_scripts.publish.publish import change_entry
from workflow_scripts.publish.release import Release, changing, read_site
from workflow_scripts.shared.failures import Failure

# The method, the start of the key, the number of the request, and whether to stop before or after the server gets it.
PHASES = {
    "claim": ("PUT", "locks/publish-", 1, False),
    "claimed": ("PUT", "locks/publish-", 1, True),
    "first shard": ("PUT", "weights/", 1, False),
    "shard stored": ("PUT", "weights/", 1, True),
    "graph": ("PUT", "models/", 2, False),
    "asset": ("PUT", "assets/", 1, True),
    "entries of the record": ("PUT", "files/", 1, False),
    "record": ("PUT", "releases/", 1, False),
    "index": ("PUT", "index.html", 1, False),
    "index changed": ("PUT", "index.html", 1, True),
    "first address": ("PUT", "lib/", 1, True),
    "address of a model": ("PUT", "models/u2netp/64/float32/model.json", 1, True),
    "address of a model that is new": ("PUT", "models/u2netp/64/uint16/model.json", 1, False),
    "catalogue changed": ("PUT", "catalogue.json", 1, True),
}


@pytest.mark.parametrize("phase", PHASES)
def test_killed_and_run_again(place: Place, line: Line, float32: Path, both: Path, phase: str) -> None:
    before = place.publish(float32).release
    with reading(place.address) as reader:
        kill_at(line, lambda: place.publishing(both, endpoint=line.endpoint), at(*PHASES[phase]))
        between = Reader(place.address)
        between.look()
        after = place.publish(both).release
    print(f"polls: {reader.polls}")
    assert reader.problems == []
    assert reader.polls > 5
    shown = {"index.html"} if phase.startswith(("index changed", "first address", "address of")) else set()
    if phase == "catalogue changed":
        shown = {"index.html", "catalogue.json"}
    assert between.problems == []
    assert between.seen == {entry: [after if entry in shown else before] for entry in between.seen}
    assert reader.seen == {"index.html": [before, after], "catalogue.json": [before, after]}


def test_reader_sees_what_is_not_whole(place: Place, admin: Any, float32: Path, both: Path) -> None:
    place.publish(both)
    (shard, *_) = [key for key in objects_in(admin, place) if key.startswith("weights/")]
    admin.delete_object(Bucket="site", Key=f"{place.prefix}/{shard}")
    reader = Reader(place.address)
    reader.look()
    assert len(reader.problems) >= 2
    assert all(shard in problem for problem in reader.problems)

    # A mixture: the page of one release with another release's record.
    place.run("prune", "--keep", "1", "--grace-hours", "0")
    admin.put_object(
        Bucket="site",
        Key=f"{place.prefix}/index.html",
        Body=(float32 / "index.html").read_bytes(),
        Metadata={"release": reader.seen["index.html"][0]},
    )
    again = Reader(place.address)
    again.look()
    assert any("index.html is not of release" in problem for problem in again.problems)


def test_two_at_once(place: Place, line: Line, float32: Path, both: Path, other_uint16: Path) -> None:
    before = place.publish(float32).release
    together = threading.Barrier(2)

    def meet(passing: Passing) -> None:
        if passing.method == "PUT" and passing.key == "index.html" and not passing.answered:
            together.wait(timeout=60)

    line.watch = meet
    with reading(place.address) as reader:
        publishers = [place.publishing(site, endpoint=line.endpoint) for site in (both, other_uint16)]
        ended = []
        for publisher in publishers:
            printed, error = publisher.communicate(timeout=120)
            ended.append(Done(publisher.returncode, printed, error))
    (winner,) = [done for done in ended if done.code == 0]
    (loser,) = [done for done in ended if done.code != 0]
    assert "index.html was changed by another publisher since this one began, and is left as it is" in loser.line()
    assert reader.problems == []
    assert reader.seen == {"index.html": [before, winner.release], "catalogue.json": [before, winner.release]}
    print(f"polls: {reader.polls}")
    # The publisher that lost may run again, and then it wins.
    line.watch = lambda passing: None
    assert place.publish((both, other_uint16)[ended.index(loser)]).release != winner.release


def test_overtaken_publisher_changes_nothing_more(place: Place, line: Line, both: Path, other_uint16: Path) -> None:
    held, go = threading.Event(), threading.Event()

    def hold(passing: Passing) -> None:
        if passing.method == "PUT" and passing.key == "catalogue.json" and not passing.answered:
            held.set()
            go.wait(timeout=60)

    line.watch = hold
    slow = place.publishing(both, endpoint=line.endpoint)
    assert held.wait(timeout=60)
    fast = place.publish(other_uint16).release
    go.set()
    printed, error = slow.communicate(timeout=60)
    assert "catalogue.json was changed by another publisher" in Done(slow.returncode, printed, error).line()
    reader = Reader(place.address)
    reader.look()
    assert reader.problems == []
    assert reader.seen == {"index.html": [fast], "catalogue.json": [fast]}


def test_overtaken_publisher_changes_no_whole_model(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ETag of a .tflite file says nothing of the release, so it cannot tell that somebody else was faster."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "publisher")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "publisher-secret")
    bucket = Bucket(place.bucket, place.endpoint)

    def site(page: str, model: str) -> tuple[Path, Release]:
        folder = tmp_path / page
        (folder / "models/m/64").mkdir(parents=True)
        (folder / "models/m/64/float32.tflite").write_text(model)
        (folder / "index.html").write_text(page)
        (folder / "catalogue.json").write_text("{}")
        return folder, read_site(folder)

    def change(made: tuple[Path, Release], seen: dict[str, Stored | None], *paths: str) -> None:
        for path in paths:
            change_entry(bucket, *made, path, seen[path])

    entries = changing(["models/m/64/float32.tflite"])
    page, model, _ = entries
    nothing: dict[str, Stored | None] = dict.fromkeys(entries)
    change(site("first", "old model"), nothing, *entries)
    slow, fast = site("slow", "new model"), site("fast", "old model")
    seen_by_slow = {path: bucket.head(path) for path in entries}
    change(slow, seen_by_slow, page)
    change(fast, {path: bucket.head(path) for path in entries}, *entries)
    with pytest.raises(Failure, match=r"float32\.tflite was changed by another publisher since this one began"):
        change(slow, seen_by_slow, model)
    assert bucket.get(model) == b"old model"


@pytest.mark.parametrize("key", ["weights/", "index.html", "models/u2netp/64/float16.tflite", "catalogue.json"])
def test_answer_lost_on_the_way(place: Place, line: Line, both: Path, key: str) -> None:
    lost = at("PUT", key, 1, True)

    def lose(passing: Passing) -> None:
        if lost(passing):
            raise Cut

    line.watch = lose
    done = place.publish(both, endpoint=line.endpoint)
    assert done.release
    puts = [passing for passing in line.passed if passing.method == "PUT" and passing.answered]
    assert len(puts) > len({passing.key for passing in puts})
    reader = Reader(place.address)
    reader.look()
    assert reader.problems == []


def test_connection_cut_in_the_middle(place: Place, line: Line, float32: Path, both: Path) -> None:
    before = place.publish(float32).release

    def cut(passing: Passing) -> None:
        if passing.method == "PUT" and passing.key.startswith("weights/"):
            raise Cut

    line.watch = cut
    refusal = place.publish(both, endpoint=line.endpoint).line()
    assert "no whole answer from the server" in refusal
    assert "check the endpoint and the connection, and run the same command again" in refusal
    reader = Reader(place.address)
    reader.look()
    assert reader.problems == []
    assert reader.seen == {"index.html": [before], "catalogue.json": [before]}


def test_altered_on_the_way_up(place: Place, line: Line, admin: Any, both: Path) -> None:
    def damage(passing: Passing, body: bytes) -> bytes:
        if passing.method == "PUT" and passing.key.startswith("weights/"):
            return bytes([body[0] ^ 1]) + body[1:]
        return body

    line.damage = damage
    assert "what arrived has another checksum than what was sent" in place.publish(both, endpoint=line.endpoint).line()
    keys = objects_in(admin, place)
    assert {key.split("/")[0] for key in keys} == {"locks"}
