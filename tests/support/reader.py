"""A visitor who looks at a site again and again, follows its entries, and notes every file that is not whole."""

import hashlib
import json
import posixpath
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

import urllib3

# Some of the files that have the same address in every release.
ADDRESSES = ("lib/u2net.js", "models/u2netp/64/float32/model.json", "models/u2netp/64/float16.tflite")


class Broken(Exception):
    """A visitor would not get a file, or not the whole file."""


class Reader:
    """Looks at a published site without credentials, and does not know how it is published."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.polls = 0
        self.problems: list[str] = []
        # By entry, the releases seen, in the order in which they first appeared.
        self.seen: dict[str, list[str]] = {"index.html": [], "catalogue.json": []}
        # By release seen, what its record lists: digests by path.
        self.records: dict[str, dict[str, str]] = {}
        # By address, the tag of what was there last.
        self.tags: dict[str, str] = {}
        self.pool = urllib3.PoolManager(timeout=30, retries=False)

    def get(self, key: str) -> urllib3.BaseHTTPResponse:
        response = self.pool.request("GET", f"{self.address}/{key}", headers={"Accept-Encoding": "gzip"})
        if response.status != 200:
            raise Broken(f"{key}: {response.status}")
        return response

    def check(self, key: str, sha256: str) -> bytes:
        content = self.get(key).data
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Broken(f"{key} is not {sha256}")
        return content

    def check_record(self, release: str, entry: str, content: bytes) -> None:
        """Read every file that the release's record lists."""
        record = json.loads(self.check(f"releases/{release}.json", release))
        self.records[release] = {path: file["sha256"] for path, file in record["files"].items()}
        if record["files"][entry]["sha256"] != hashlib.sha256(content).hexdigest():
            raise Broken(f"{entry} is not of release {release}, which it names")
        for path, file in record["files"].items():
            # Other files change between the entries. `check_address` reads them.
            if file["sha256"] in file["key"] or path.startswith("assets/"):
                self.check(file["key"], file["sha256"])

    def check_catalogue(self, catalogue: dict[str, Any]) -> None:
        """Read the files that a program gets if it follows only the catalogue."""
        for model in catalogue["models"]:
            for resolution in model["resolutions"]:
                for artifact in resolution["dtypes"]:
                    for file in (artifact["model"], *artifact["weights"]):
                        self.check(file["url"], file["sha256"])
        for sample in catalogue["samples"]:
            self.get(sample["url"])

    def check_page(self, html: str) -> None:
        """Read what a browser gets that follows index.html only."""
        assets = re.findall(r'"\./(assets/[^"]+)"', html)
        named = dict(re.findall(r'<meta name="(catalogue|service-worker)" content="([^"]+)"', html))
        if len(assets) < 2 or len(named) != 2:
            raise Broken("index.html names too little")
        for name in (*assets, named["service-worker"]):
            self.get(name)
        digest = named["catalogue"].split(".")[1]
        self.check_catalogue(json.loads(self.check(named["catalogue"], digest)))

    def read_address(self, address: str) -> str | None:
        """Load from an address as other programs do. Return the digest of what is there, or None if it is the same."""
        asked = {"Accept-Encoding": "gzip"}
        asked |= {"If-None-Match": self.tags[address]} if address in self.tags else {}
        response = self.pool.request("GET", f"{self.address}/{address}", headers=asked)
        if response.status == 304:
            return None
        if response.status != 200:
            raise Broken(f"{address}: {response.status}")
        self.tags[address] = response.headers["etag"]
        if address.endswith("/model.json"):
            for group in json.loads(response.data)["weightsManifest"]:
                for path in group["paths"]:
                    shard = posixpath.normpath(posixpath.join(posixpath.dirname(address), path))
                    self.check(shard, PurePosixPath(shard).stem)
        return hashlib.sha256(response.data).hexdigest()

    def look_at_addresses(self) -> dict[str, str]:
        """Read what is new at the addresses. Return the digests of that."""
        found = {}
        for address in ADDRESSES:
            try:
                digest = self.read_address(address)
            except (Broken, KeyError, urllib3.exceptions.HTTPError) as problem:
                self.problems.append(f"poll {self.polls}, {address}: {problem!r}")
            else:
                found |= {address: digest} if digest else {}
        return found

    def look(self) -> None:
        """Look at the addresses and entries once. Look at the whole release the first time and every tenth time."""
        self.polls += 1
        new = self.look_at_addresses()
        for entry, seen in self.seen.items():
            try:
                response = self.get(entry)
                release = response.headers["x-amz-meta-release"]
                if release not in seen or self.polls % 10 == 0:
                    if release not in seen:
                        seen.append(release)
                    self.check_record(release, entry, response.data)
                    if entry == "index.html":
                        self.check_page(response.data.decode())
                    else:
                        self.check_catalogue(json.loads(response.data))
            except (Broken, KeyError, urllib3.exceptions.HTTPError) as problem:
                self.problems.append(f"poll {self.polls}, {entry}: {problem!r}")
        # index.html changes first, so what an address had before is of a release that was seen by now.
        for address, digest in new.items():
            if all(files.get(address) != digest for files in self.records.values()):
                self.problems.append(f"poll {self.polls}: {address} is of no release that an entry showed")


@contextmanager
def reading(address: str) -> Iterator[Reader]:
    """Look again and again until the block ends."""
    reader = Reader(address)
    done = threading.Event()

    def keep_looking() -> None:
        while not done.wait(0.01):
            reader.look()

    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        yield reader
    finally:
        done.set()
        thread.join()
        reader.look()
