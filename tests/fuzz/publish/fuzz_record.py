"""Records of releases as a server sends them, with changed values, bytes and compression."""

import gzip
import hashlib
import json
import tempfile
from copy import deepcopy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import HOSTILE_TEXTS, Watch, changed, damaged, fuzz, instrument, short

instrument("workflow_scripts.publish.release", "workflow_scripts.publish.verify_release")

from workflow_scripts.publish.release import RECORD_BYTES, content_of, read_record, read_site
from workflow_scripts.publish.verify_release import fetch_from_folder, problems_with
from workflow_scripts.shared.failures import Failure

WATCH = Watch()
DIGEST = hashlib.sha256(b"weights").hexdigest()


def published() -> dict[str, object]:
    """The record of a site of four files."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        (site / "weights").mkdir()
        (site / f"weights/{DIGEST}.bin").write_bytes(b"weights")
        (site / "lib").mkdir()
        (site / "lib/u2net.js").write_text("export {};")
        (site / "index.html").write_text("<!doctype html>")
        (site / "catalogue.json").write_text("{}")
        record: dict[str, object] = json.loads(read_site(site).record)
    return record


RECORD = published()


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """A record with other values, paths or bytes. It is compressed, and then perhaps damaged."""
    record = draw(changed(deepcopy(RECORD)))
    text = json.dumps(record).encode()
    if draw(st.booleans()):
        text = text.replace(f"weights/{DIGEST}.bin".encode(), draw(st.sampled_from(HOSTILE_TEXTS[:8])).encode())
    text = draw(damaged(text, 2))
    return draw(damaged(gzip.compress(text), 1) | st.just(gzip.compress(text)))


@short
@given(records())
def test_record(stored: bytes) -> None:
    content = content_of(stored, "gzip", RECORD_BYTES)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "copy")
        folder.mkdir()
        (folder / "index.html").write_text("<!doctype html>")
        with WATCH.reading(Path(parent), Failure):
            release = read_record(content, hashlib.sha256(content).hexdigest())
            problems_with(fetch_from_folder(folder), release, None)


if __name__ == "__main__":
    fuzz(test_record)
