import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifests import WORST, manifest, rewrite, write_vouched
from workflow_scripts.formats.catalogue import shown_parity
from workflow_scripts.formats.manifest import read_manifest
from workflow_scripts.shared.files import replacing, write_json
from workflow_scripts.website.assemble_site import main

pytestmark = pytest.mark.environment("provenance")

Refusal = Callable[..., str]
CATALOGUE = '<meta name="catalogue" content="catalogue.json">'
INDEX = f'{CATALOGUE}<meta name="worker" content="service_worker.js">'
GRAPH, SHARD, PHOTO = b"{}", b"weights", b"photo"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Parts:
    """The parts of a site with one model, made as the workflow makes them."""

    def __init__(self, project: Path) -> None:
        self.results = project / "results"
        self.manifest = self.results / "mine/64/manifest.json"
        (self.results / "mine/64/tfjs/float32").mkdir(parents=True)
        (self.results / "mine/64/tfjs/float32/model.json").write_bytes(GRAPH)
        write_vouched(project, manifest())
        scripts = {"assets/worker-a.js": b"page", "assets/find_faces-a.js": b"page"}
        pages = {"index.html": INDEX.encode(), "devices.html": CATALOGUE.encode(), "service_worker.js": b"worker"}
        self.output("page", {**pages, **scripts})
        self.output("library", {"u2net.js": b"library"})
        photo = f"coffee.{digest(PHOTO)}.png"
        listed = json.dumps([{"url": f"samples/{photo}", "name": "Coffee", "credit": "CC0"}]).encode()
        self.output("samples", {photo: PHOTO, "samples.json": listed})
        self.share()
        self.output("bills", {"torch.cdx.json": b"{}"})

    def output(self, name: str, files: dict[str, bytes]) -> None:
        with replacing(self.results / name) as staging:
            for path, content in files.items():
                (staging / path).parent.mkdir(parents=True, exist_ok=True)
                (staging / path).write_bytes(content)

    def share(self, **changes: Any) -> None:
        """Write the folder of share_weights."""
        source = "results/mine/64/tfjs/float32/model.json"
        files = {
            f"models/model.{digest(GRAPH)}.json": GRAPH,
            f"weights/{digest(SHARD)}.bin": SHARD,
            "models/model.json": GRAPH,
        }
        graph, shard, address = (
            {"url": url, "sha256": digest(data), "bytes": len(data)} for url, data in files.items()
        )
        artifact: dict[str, Any] = {
            **{"engine": "tfjs", "dtype": "float32", "model": graph, "weights": [shard], "address": address},
            **{"made_of": {source: digest(GRAPH)}, "parity": shown_parity(WORST), **changes},
        }
        entry = {"name": "mine", "resolutions": [{"resolution": 64, "dtypes": [artifact]}]}
        self.output("mine/shared", {**files, "entry.json": json.dumps(entry).encode()})

    def arguments(self) -> list[str]:
        parts = {name: name for name in ("page", "library", "samples")}
        parts |= {"models": "mine/shared", "bills": "bills/torch.cdx.json"}
        return [
            *(word for option, name in parts.items() for word in (f"--{option}", str(self.results / name))),
            *("--manifests", str(self.manifest), "--locks", str(self.results / "bills/torch.cdx.json")),
            *("--builder", "urn:tests", "--output", str(self.results / "site")),
        ]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_site_holds_what_its_parts_name(parts: Parts) -> None:
    main(parts.arguments())
    site = parts.results / "site"
    catalogue, worker = (site / "catalogue.json").read_bytes(), digest(b"worker")
    provenance = ("SHA256SUMS", "mine.64.manifest.json", "statement.json", "torch.cdx.json")
    assert content(site).keys() - {".seal.json"} == {
        *("index.html", "devices.html", "assets/worker-a.js", "assets/find_faces-a.js"),
        *("lib/u2net.js", f"service_worker.{worker}.js"),
        *("catalogue.json", f"catalogue.{digest(catalogue)}.json", f"samples/coffee.{digest(PHOTO)}.png"),
        *(f"models/model.{digest(GRAPH)}.json", f"weights/{digest(SHARD)}.bin", "models/model.json"),
        *(f"provenance/{name}" for name in provenance),
    }
    assert [model["name"] for model in json.loads(catalogue)["models"]] == ["mine"]
    assert json.loads(catalogue)["worker"] == {"url": "assets/worker-a.js"}
    assert json.loads(catalogue)["faces"] == {"url": "assets/find_faces-a.js"}


def test_other_sites_find_the_page_at_its_address(parts: Parts, refusal: Refusal) -> None:
    address = ("--address", "https://example.org/draw/")
    assert "does not name og:url and og:image" in refusal(main, *parts.arguments(), *address)
    metas = '<meta property="og:url" content="./"><meta property="og:image" content="./assets/preview-a.jpg">'
    pages = {"index.html": f"{INDEX}{metas}".encode(), "devices.html": CATALOGUE.encode()}
    scripts = dict.fromkeys(("service_worker.js", "assets/worker-a.js", "assets/find_faces-a.js"), b"page")
    parts.output("page", {**pages, **scripts, "assets/preview-a.jpg": b"picture"})
    main([*parts.arguments(), *address])
    html = (parts.results / "site/index.html").read_text()
    assert '"og:url" content="https://example.org/draw/"' in html
    assert '"og:image" content="https://example.org/draw/assets/preview-a.jpg"' in html
    # Without an address they stay relative.
    main(parts.arguments())
    assert '"og:image" content="./assets/preview-a.jpg"' in (parts.results / "site/index.html").read_text()


@pytest.mark.parametrize("place", ["page", "library", "samples", "mine/shared", "mine/shared/weights"])
def test_what_somebody_put_there_is_not_copied(parts: Parts, refusal: Refusal, place: str) -> None:
    main(parts.arguments())
    before = content(parts.results / "site")
    stray = parts.results / place / "checkpoint.pth"
    stray.write_bytes(b"private")
    assert f"{stray} was added since it was made, so the site is not built" in refusal(main, *parts.arguments())
    assert content(parts.results / "site") == before
    # Without the seal, the stray file is not copied, because nothing names it.
    if place not in ("page", "library"):
        (parts.results / ("mine/shared" if "shared" in place else place) / ".seal.json").unlink()
        main(parts.arguments())
        assert content(parts.results / "site").keys() == before.keys()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "page/index.html",
            "page/assets/worker-a.js",
            "library/u2net.js",
            f"mine/shared/weights/{digest(SHARD)}.bin",
            "mine/shared/entry.json",
        ),
        *(f"samples/coffee.{digest(PHOTO)}.png", "samples/samples.json"),
    ],
)
def test_a_damaged_part_reaches_no_site(parts: Parts, refusal: Refusal, name: str) -> None:
    main(parts.arguments())
    before = content(parts.results / "site")
    path = parts.results / name
    path.write_bytes(path.read_bytes() + b" ")
    message = refusal(main, *parts.arguments())
    assert f"{path} changed since it was made, so the site is not built" in message
    assert content(parts.results / "site") == before


def test_a_damaged_bill_reaches_no_site(parts: Parts, refusal: Refusal) -> None:
    write_json(parts.results / "bills/torch.cdx.json", {})
    (parts.results / "bills/torch.cdx.json").write_text("{ }")
    assert "torch.cdx.json changed since it was made" in refusal(main, *parts.arguments())


@pytest.mark.parametrize("part", ["page", "library"])
def test_a_part_that_does_not_say_what_it_is_made_of_is_refused(parts: Parts, refusal: Refusal, part: str) -> None:
    (parts.results / part / ".seal.json").unlink()
    assert f"{part} does not say what it was made of" in refusal(main, *parts.arguments())


@pytest.mark.parametrize("workers", [[], ["worker-a.js", "worker-b.js"]])
def test_a_page_without_its_one_worker_is_refused(parts: Parts, refusal: Refusal, workers: list[str]) -> None:
    files = {f"assets/{name}": b"page" for name in workers}
    parts.output("page", {"index.html": INDEX.encode(), "service_worker.js": b"worker", **files})
    assert f"the built page has {len(workers)} files assets/worker-*.js, not one" in refusal(main, *parts.arguments())
    assert not (parts.results / "site").exists()


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("mine/shared", f"weights/{digest(SHARD)}.bin"),
        ("mine/shared", "models/model.json"),
        ("samples", f"coffee.{digest(PHOTO)}.png"),
    ],
)
def test_a_file_with_another_digest_is_refused_without_its_seal(
    parts: Parts, refusal: Refusal, part: str, name: str
) -> None:
    (parts.results / part / ".seal.json").unlink()
    file = parts.results / part / name
    file.write_bytes(b"other")
    assert f"{file} is not the file that its entry says" in refusal(main, *parts.arguments())
    file.unlink()
    assert f"{file} is missing" in refusal(main, *parts.arguments())
    assert not (parts.results / "site").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "uint8"}, "the site offers mine at 64 in uint8 for tfjs, which no manifest vouches for"),
        ({"made_of": {}}, "mine at 64 in float32 for tfjs was not made of what its manifest vouches for"),
        ({"made_of": {"results/mine/64/tfjs/float32/model.json": "0" * 64}}, "was not made of what its manifest"),
        ({"parity": shown_parity({**WORST, "drawing_psnr_db": 99.0})}, "was not made of what its manifest"),
    ],
)
def test_what_no_manifest_vouches_for_is_not_offered(
    parts: Parts, refusal: Refusal, changes: dict[str, Any], message: str
) -> None:
    parts.share(**changes)
    assert message in refusal(main, *parts.arguments())
    assert not (parts.results / "site").exists()


def test_a_manifest_that_does_not_hold_builds_no_site(parts: Parts, refusal: Refusal) -> None:
    figures = parts.manifest.read_text()
    rewrite(parts.manifest, passed=False)
    assert "manifest.json did not pass its checks" in refusal(main, *parts.arguments())
    parts.manifest.write_text(figures)
    assert read_manifest(parts.manifest).passed
    (parts.results / "mine/64/tfjs/float32/model.json").write_bytes(b"[]")
    assert "tfjs/float32/model.json differs from its recorded sha256" in refusal(main, *parts.arguments())
