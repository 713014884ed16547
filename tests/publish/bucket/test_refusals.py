"""Who may do what. A refusal says in one line what is wrong, and visitors see nothing of the new release."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.support.line import Line, Passing
from tests.support.places import Done, Place, objects_in
from tests.support.s3_server import client

# Runs a script whose requests are dated half an hour ago, as if its clock were slow.
SLOW_CLOCK = """
import datetime, runpy, sys
import botocore.auth
right = botocore.auth.get_current_datetime
botocore.auth.get_current_datetime = lambda *a, **k: right(*a, **k) - datetime.timedelta(minutes=30)
module = sys.argv[2]
sys.argv[:] = sys.argv[2:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret key does not belong to the access key"),
        ({"identity": "stranger"}, "the access key is not known there"),
        ({"identity": "nobody"}, "these credentials do not allow it"),
        (
            {"identity": ""},
            "no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or a role",
        ),
        ({"identity": "", "AWS_PROFILE": "absent"}, "The config profile (absent) could not be found"),
        ({"endpoint": "http://127.0.0.1:9"}, "check the endpoint and the connection"),
    ],
    ids=["wrong key", "unknown key", "no permission", "no credentials", "no profile", "no server"],
)
def test_publisher_is_refused(place: Place, admin: Any, both: Path, options: dict[str, str], message: str) -> None:
    line = place.publish(both, **options).line()
    assert line.startswith("publish: ")
    assert message in line
    assert objects_in(admin, place) == {}


def test_missing_bucket(place: Place, both: Path) -> None:
    absent = Place(place.endpoint, place.prefix, place.results, name="absent")
    assert "there is no such bucket" in absent.publish(both, identity="admin").line()


def test_wrong_clock(place: Place, admin: Any, both: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW_CLOCK)
    process = place.publishing(both, before=[str(slow)])
    printed, error = process.communicate(timeout=60)
    line = Done(process.returncode, printed, error).line()
    assert "this machine's clock is wrong by more than 15 minutes; set it" in line
    assert objects_in(admin, place) == {}


def test_full_disk(place: Place, admin: Any, both: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = place.publishing(both, terminal=full.fileno())
        _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert error.splitlines()[0].endswith(
        "cannot write its report: No space left on device; make room and publish again"
    )
    assert not {"index.html", "catalogue.json"} & objects_in(admin, place).keys()


def test_publisher_stays_within_its_prefix(place: Place, both: Path) -> None:
    elsewhere = Place(place.endpoint, f"elsewhere/{place.prefix}", place.results)
    assert "these credentials do not allow it" in elsewhere.publish(both).line()
    publisher = client(place.endpoint, "publisher")
    for key in ("elsewhere/weights/0.bin", "portraits-of-others/index.html", "index.html"):
        with pytest.raises(ClientError, match="AccessDenied"):
            publisher.put_object(Bucket="site", Key=key, Body=b"")


def test_only_what_is_listed_is_looked_at(place: Place, line: Line, both: Path) -> None:
    # If only the prefix may be listed, AWS answers 403 to a HEAD request for a missing key. This server does not.
    assert place.publish(both, endpoint=line.endpoint).release
    assert [passing for passing in line.passed if passing.method == "HEAD"] == []
    assert any(passing.method == "GET" for passing in line.passed)


def test_publisher_cannot_delete(place: Place, admin: Any, both: Path) -> None:
    release = place.publish(both).release
    before = objects_in(admin, place)
    publisher = client(place.endpoint, "publisher")
    with pytest.raises(ClientError, match="AccessDenied"):
        publisher.delete_object(Bucket="site", Key=f"{place.prefix}/index.html")
    refusal = place.run("prune", "--keep", "1", "--grace-hours", "0", "--delete", identity="publisher").line()
    assert "cannot delete" in refusal
    assert "these credentials do not allow it" in refusal
    assert objects_in(admin, place).keys() - before.keys() <= {"locks/prune.json"}
    assert place.run("verify_release", "--release", place.address, "--sha256", release).code == 0


def test_nobody_writes_without_credentials(place: Place, admin: Any, both: Path) -> None:
    place.publish(both)
    for key in ("index.html", "catalogue.json", "planted.js"):
        assert urllib3.request("PUT", f"{place.address}/{key}", body=b"planted").status == 403
        assert urllib3.request("DELETE", f"{place.address}/{key}").status == 403
    assert urllib3.request("GET", f"{place.address}/index.html").status == 200
    assert urllib3.request("GET", f"{place.endpoint}/site?list-type=2").status == 403
    assert "planted.js" not in objects_in(admin, place)


def test_cors(place: Place, admin: Any, both: Path) -> None:
    place.publish(both)
    assert place.run("set_cors", "--origins").code == 0

    def allowed(origin: str) -> str | None:
        answer = urllib3.request("GET", f"{place.address}/catalogue.json", headers={"Origin": origin})
        assert answer.status == 200
        return answer.headers.get("access-control-allow-origin")

    origins = ["--origins", "https://pages.example", "https://other.example"]
    assert "these credentials do not allow it" in place.run("set_cors", *origins, identity="publisher").line()
    assert allowed("https://pages.example") is None
    assert place.run("set_cors", *origins).code == 0
    assert allowed("https://pages.example") == "https://pages.example"
    assert allowed("https://other.example") == "https://other.example"
    assert allowed("https://foreign.example") is None

    def methods(asked: str) -> str:
        headers = {"Origin": "https://pages.example", "Access-Control-Request-Method": asked}
        answer = urllib3.request("OPTIONS", f"{place.address}/catalogue.json", headers=headers)
        return answer.headers.get("access-control-allow-methods", "")

    assert methods("GET") == "GET, HEAD"
    assert methods("PUT") == ""
    assert place.run("set_cors", "--origins").code == 0
    assert allowed("https://pages.example") is None


def test_credentials_stand_in_no_argument(place: Place, line: Line, both: Path) -> None:
    started = threading.Event()
    arguments = set()

    def look(passing: Passing) -> None:
        started.wait()
        arguments.add(Path(f"/proc/{process.pid}/cmdline").read_bytes())

    line.watch = look
    process = place.publishing(both, endpoint=line.endpoint)
    started.set()
    printed, error = process.communicate(timeout=60)
    assert Done(process.returncode, printed, error).release
    (command,) = arguments
    assert b"publish.publish" in command
    assert b"publisher" not in command
    help_text = subprocess.run(
        [sys.executable, "-m", "workflow_scripts.publish.publish", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "secret" not in help_text.lower()
    assert "access" not in help_text.lower()


def test_address_that_is_none(place: Place, both: Path) -> None:
    nowhere = Place(place.endpoint, "a b", place.results)
    assert "is not a bucket's address; write s3://name or s3://name/prefix" in nowhere.publish(both).line()
