"""A visitor who looks at a site again and again, follows its entries, and notes every file that is not whole."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3


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
        if record["files"][entry]["sha256"] != hashlib.sha256(content).hexdigest():
            raise Broken(f"{entry} is not of release {release}, which it names")
        for file in record["files"].values():
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

    def look(self) -> None:
        """Look at both entries once. Look at the whole release the first time and every tenth time."""
        self.polls += 1
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
