"""One prefix of the bucket, the scripts that work on it, and the files below it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Done:
    """What a script printed, and how it ended."""

    code: int
    printed: str
    error: str

    @property
    def release(self) -> str:
        """The release that publish printed."""
        assert self.code == 0, self.error
        # The address before it may have a digest in its path.
        *_, release = DIGEST.findall(self.printed.splitlines()[-1])
        return str(release)

    def line(self) -> str:
        """The one line with which a script refuses."""
        assert self.code == 1, self.printed + self.error
        assert "Traceback" not in self.error
        (line,) = self.error.strip().splitlines()
        assert "-secret" not in self.printed + self.error
        return line


@dataclass(frozen=True)
class Place:
    """One prefix of the bucket, for one test."""

    endpoint: str
    prefix: str
    results: Path
    name: str = "site"

    @property
    def bucket(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    @property
    def address(self) -> str:
        return f"{self.endpoint}/site/{self.prefix}"

    def start(
        self,
        script: str,
        *arguments: str,
        identity: str = "admin",
        endpoint: str | None = None,
        terminal: int = subprocess.PIPE,
        before: Sequence[str] = (),
        **environment: str,
    ) -> "subprocess.Popen[str]":
        """Start a script with one identity, and without the machine's own credentials."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        credentials = {"AWS_ACCESS_KEY_ID": identity, "AWS_SECRET_ACCESS_KEY": f"{identity}-secret"} if identity else {}
        nowhere = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/nonexistent")
        bucket = [] if script == "verify_release" else ["--bucket", self.bucket]
        server = [] if script == "verify_release" else ["--endpoint", endpoint or self.endpoint]
        return subprocess.Popen(
            [sys.executable, *before, "-m", f"workflow_scripts.publish.{script}", *bucket, *server, *arguments],
            cwd=ROOT,
            env={
                "PYTHONPATH": str(ROOT),
                **known,
                **nowhere,
                "AWS_EC2_METADATA_DISABLED": "true",
                **credentials,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *arguments: str, **options: Any) -> Done:
        """Run a script to its end."""
        process = self.start(script, *arguments, **options)
        printed, error = process.communicate(timeout=120)
        return Done(process.returncode, printed, error)

    def publishing(self, site: Path, **options: Any) -> "subprocess.Popen[str]":
        """Start publishing a site, and do not wait."""
        return self.start("publish", *self.what(site), **{"identity": "publisher", **options})

    def publish(self, site: Path, **options: Any) -> Done:
        """Publish a site."""
        return self.run("publish", *self.what(site), **{"identity": "publisher", **options})

    def what(self, site: Path) -> list[str]:
        # A site that was changed lies beside the manifests that vouch for the change.
        results = site.parent if (site.parent / "u2netp").is_dir() else self.results
        manifests = [str(results / f"u2netp/{size}/manifest.json") for size in (64, 128)]
        return ["--site", str(site), "--manifests", *manifests]


def shards_of(site: Path, *dtypes: str) -> set[str]:
    """Name the weight shards that a site's catalogue lists for some dtypes."""
    catalogue = json.loads((site / "catalogue.json").read_text())
    return {
        shard["url"]
        for model in catalogue["models"]
        for resolution in model["resolutions"]
        for artifact in resolution["dtypes"]
        if artifact["dtype"] in dtypes
        for shard in artifact["weights"]
    }


def objects_in(admin: Any, place: Place) -> dict[str, dict[str, Any]]:
    """List the keys below a prefix."""
    pages = admin.get_paginator("list_objects_v2").paginate(Bucket="site", Prefix=f"{place.prefix}/")
    return {
        entry["Key"].removeprefix(f"{place.prefix}/"): entry for page in pages for entry in page.get("Contents", [])
    }
