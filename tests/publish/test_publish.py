"""Publishing as the README shows it: to a real S3 server, and from it into Chromium."""

import json
import re
from pathlib import Path

import pytest

from tests.support.project import NOWHERE, SITE_CONFIG, Workflow, own_tests

PUBLISHER = {"AWS_ACCESS_KEY_ID": "publisher", "AWS_SECRET_ACCESS_KEY": "publisher-secret"}
PRUNER = {"AWS_ACCESS_KEY_ID": "pruner", "AWS_SECRET_ACCESS_KEY": "pruner-secret"}


def test_in_a_bucket(site: Workflow, s3: str) -> None:
    printed = own_tests("publish", "tests/publish/bucket", 60, U2NET_S3=s3, U2NET_RESULTS=str(site.folder / "results"))
    polls = sum(map(int, re.findall(r"^polls: (\d+)$", printed, re.MULTILINE)))
    print(f"{polls} looks at the bucket while publishers were killed or met")
    assert polls > 50


def test_from_the_readme(site: Workflow, s3: str) -> None:
    bucket = ("bucket=s3://site/portraits/readme", f"endpoint={s3}")
    address = f"{s3}/site/portraits/readme"
    done = site.run("publish", *SITE_CONFIG, *bucket, env=NOWHERE | PUBLISHER)
    assert done.returncode == 0, done.stderr
    (release,) = re.findall(r"shows release ([0-9a-f]{64})", done.stdout)
    again = site.run("publish", *SITE_CONFIG, *bucket, env=NOWHERE | PUBLISHER)
    assert "uploaded 0 files, 0 of them weight shards" in again.stdout

    verified = site.succeed("verify_release", "--config", f"release={address}", f"release_sha256={release}")
    assert f"are those of release {release}" in verified.stdout
    wrong = site.run("verify_release", "--config", f"release={address}", f"release_sha256={'f' * 64}")
    assert wrong.returncode != 0
    assert "verify_release: releases/fff" in wrong.stderr

    pruned = site.run("prune", "--config", *bucket, "prune=true", "keep=1", env=NOWHERE | PRUNER)
    assert pruned.returncode == 0, pruned.stderr
    assert f"retains 1 releases: {release}" in pruned.stdout

    origins = site.run("set_cors", "--config", *bucket, "cors_origins=https://a.example", env=NOWHERE | PUBLISHER)
    assert origins.returncode != 0
    assert "set_cors: cannot set the CORS rules" in origins.stderr
    for path in [*(site.folder / ".snakemake/log").iterdir(), *(site.folder / "results/_logs").rglob("*.log")]:
        assert "-secret" not in path.read_text()


def test_failed_check_is_not_published(site: Workflow, s3: str, tmp_path: Path) -> None:
    copy = site.copy(tmp_path / "project")
    predictions = copy.folder / "results/u2netp/64/predictions"
    # An output that wrong weights might give: it differs from PyTorch's.
    content = bytearray((predictions / "tfjs-uint16.safetensors").read_bytes())
    content[-64 * 64 * 4 :] = bytes(64 * 64 * 4)
    (predictions / "tfjs-uint16.safetensors").write_bytes(content)
    done = copy.run("publish", *SITE_CONFIG, "bucket=s3://site/portraits/failed", f"endpoint={s3}", env=PUBLISHER)
    assert done.returncode != 0
    assert "check_parity: tfjs-uint16" in done.stderr
    assert "publish: " not in done.stderr
    report = json.loads((copy.folder / "results/u2netp/64/parity.failed.json").read_text())
    assert report["passed"] is False
    assert "uploaded" not in done.stdout


@pytest.mark.parametrize(
    ("target", "config", "message"),
    [
        ("publish", [], "Error: which bucket? pass --config bucket=s3://name/prefix"),
        ("prune", [], "Error: which bucket? pass --config bucket=s3://name/prefix"),
        ("verify_release", [], "Error: which release? pass --config release="),
        ("publish", ["bucket=https://name"], "Error: config bucket: 'https://name' does not match"),
        ("publish", ["endpoint=http://key:secret@host"], "Error: config endpoint: "),
        ("publish", ["bucket=s3://name", "signing_key=no.pem"], "Error: no key at no.pem (signing_key); docs/publish"),
        ("verify_release", ["release=a", "public_key=no.pem"], "Error: no key at no.pem (public_key); docs/publish"),
        ("set_cors", ["cors_origins=*"], "Error: config cors_origins.0: '*' does not match"),
        ("prune", ["prune=perhaps"], "Error: config prune: 'perhaps' is not of type 'boolean'"),
        ("prune", ["keep=0"], "Error: config keep: 0 is less than the minimum of 1"),
        ("verify_release", ["release_sha256=abc"], "Error: config release_sha256: 'abc' does not match"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_built(
    project: Workflow, target: str, config: list[str], message: str
) -> None:
    done = project.run(target, *(["--config", *config] if config else []))
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.folder / "results").exists()


def test_site_and_all_ask_for_no_credentials(project: Workflow) -> None:
    for target in ("all", "site"):
        rules = project.planned(target, *SITE_CONFIG)
        assert rules["write_manifest"] == 2
        assert not {"publish", "prune", "set_cors"} & rules.keys()


def test_in_chromium(site: Workflow, s3: str) -> None:
    bucket = ("bucket=s3://site/portraits/chromium", f"endpoint={s3}")
    done = site.run("publish", *SITE_CONFIG, *bucket, env=NOWHERE | PUBLISHER)
    assert done.returncode == 0, done.stderr
    own_tests(
        "torch",
        "tests/publish/chromium",
        1,
        U2NET_ADDRESS=f"{s3}/site/portraits/chromium",
        U2NET_RESULTS=str(site.folder / "results"),
    )
