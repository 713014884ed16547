"""A bucket to publish to and to break. test_publish.py starts these tests with the publish environment's own pytest."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.environments import HERE

if TYPE_CHECKING:
    from tests.support.line import Line
    from tests.support.places import Place

ROOT = Path(__file__).parents[3]

if HERE == "driver":
    # The driver lacks what these import; test_publish.py runs them instead.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def endpoint() -> str:
    return os.environ["U2NET_S3"]


@pytest.fixture(scope="session")
def results() -> Path:
    """The results of a workflow that built the site, with u2netp at 64 and 128."""
    return Path(os.environ["U2NET_RESULTS"])


@pytest.fixture(scope="session")
def admin(endpoint: str) -> Any:
    """A client that may do everything."""
    from tests.support.s3_server import client

    return client(endpoint, "admin")


@pytest.fixture
def place(endpoint: str, results: Path, request: pytest.FixtureRequest) -> "Place":
    """A prefix that no other test writes to."""
    from tests.support.places import Place

    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return Place(endpoint, f"portraits/{name}-{uuid4().hex[:8]}", results)


@pytest.fixture
def line(endpoint: str) -> "Iterator[Line]":
    from tests.support.line import lined

    with lined(endpoint) as line:
        yield line


def assemble(results: Path, folder: Path, dtypes: list[str], page: Path | None = None) -> Path:
    """Build a site from what the workflow built, with the workflow's own scripts.

    Of the .tflite files it has only the half-size ones, so that uploads take less of these tests' time.
    """
    manifests = ["--manifests", *(str(results / f"u2netp/{size}/manifest.json") for size in (64, 128))]
    weights = ["--dtypes", *dtypes, "--tflite-dtypes", "float16", "--output", str(folder / "shared")]
    own = ["--own-resolution", "320", "--probe", str(results / "u2netp/probe")]
    script("tensorflow", "share_weights", *manifests, *own, *weights)
    page = page or lean(results / "_page", folder / "page")
    parts = ["--page", str(page), "--library", str(results / "_library")]
    parts += ["--samples", str(results / "_samples")]
    sources = ["--locks", str(ROOT / "requirements.txt"), "--bills", str(results / "_bills/driver.cdx.json")]
    made = [*sources, "--builder", "urn:tests", "--models", str(folder / "shared"), "--output", str(folder / "site")]
    script("provenance", "assemble_site", *parts, *manifests, *made)
    return folder / "site"


def lean(folder: Path, copy: Path) -> Path:
    """Copy a page without the engines' files: with their 20 MB, uploads would take most of these tests' time."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("litert_wasm*", "ort*"))
    assert sum(path.stat().st_size for path in copy.rglob("*") if path.is_file()) < 8e6
    return sealed(copy)


def sealed(folder: Path) -> Path:
    """Seal a changed page as if it had been built like that."""
    from workflow_scripts.shared.files import digests_below, seal_of

    seal_of(folder).write_text(json.dumps(digests_below(folder)))
    return folder


def script(environment: str, name: str, *arguments: str) -> None:
    """Run one of the workflow's scripts in its own environment."""
    command = [str(ROOT / f".venvs/{environment}/bin/python"), "-m", f"workflow_scripts.website.{name}", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def both(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with float32 and uint16."""
    folder = tmp_path_factory.mktemp("both")
    return assemble(results, folder, ["float32", "uint16"])


@pytest.fixture(scope="session")
def float32(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site with float32 only, and another version of the page."""
    folder = tmp_path_factory.mktemp("float32")
    lean(results / "_page", folder / "page")
    (style,) = (folder / "page/assets").glob("index-*.css")
    older = style.rename(style.with_name("index-0lder000.css"))
    older.write_text(older.read_text() + "/* older */")
    index = folder / "page/index.html"
    index.write_text(index.read_text().replace(style.name, older.name))
    sealed(folder / "page")
    return assemble(results, folder, ["float32"], folder / "page")


@pytest.fixture(scope="session")
def other_uint16(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site after a change that affects only its uint16 weights."""
    from tests.support.manifests import vouch_again

    folder = tmp_path_factory.mktemp("uint16") / "results"
    shutil.copytree(results / "u2netp", folder / "u2netp", ignore=shutil.ignore_patterns("shared"))
    (folder / "_probes").symlink_to(results / "_probes")
    for size in (64, 128):
        shard = folder / f"u2netp/{size}/tfjs/uint16/group1-shard1of1.bin"
        shard.write_bytes(bytes(byte ^ 1 for byte in shard.read_bytes()))
        vouch_again(folder / f"u2netp/{size}/manifest.json")
    for name in ("_page", "_library", "_samples", "_bills"):
        (folder / name).symlink_to(results / name)
    return assemble(folder, folder, ["float32", "uint16"])
