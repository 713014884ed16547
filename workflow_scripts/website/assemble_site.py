"""Put the built page, the sample photos, every model's shared weights and their provenance into one static folder."""

import argparse
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.formats.catalogue import check_vouched, references
from workflow_scripts.formats.manifest import again, vouched
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import broken_seal, replacing, seal_of, sha256, write_json
from workflow_scripts.website.attestations import attest

# The addresses in index.html that other sites read. They begin with ./ in the built page.
SHOWN = re.compile(r'(<meta property="og:(?:url|image)" content=")\./')


def digest_name(file: Path) -> str:
    """Return the file's name with its SHA-256 in it."""
    return f"{file.stem}.{sha256(file)}{file.suffix}"


def name_in_page(page: Path, name: str, replacement: str) -> None:
    """Make a page name a file by its digest. Raises Failure unless it names the file exactly once."""
    html = page.read_text() if page.is_file() else ""
    if html.count(f'content="{name}"') != 1:
        raise Failure(f"the built {page.name} does not name {name} once, as web/{page.name} does; build the page again")
    page.write_text(html.replace(f'content="{name}"', f'content="{replacement}"'))


def name_address(page: Path, address: str) -> None:
    """Make what other sites show of the page absolute: its address and its preview. Raises Failure if it lacks one."""
    html, count = SHOWN.subn(lambda found: f"{found[1]}{address.rstrip('/')}/", page.read_text())
    if count != 2:
        raise Failure("the built index.html does not name og:url and og:image, as web/index.html does; build it again")
    page.write_text(html)


def copy_named(named: Any, folder: Path, site: Path, prefix: str = "") -> None:
    """Copy the files that a catalogue's entry names, and nothing else. Each is checked against its digest.

    A file's place in `folder` is its url without `prefix`. Raises Failure if a file is missing or has another digest.
    """
    for reference in references(named):
        url = str(reference["url"])
        source, target = folder / url.removeprefix(prefix), site / url
        if not source.is_file():
            raise Failure(f"{source} is missing, so the site is not built{again(folder)}")
        digest = sha256(source)
        # A file without a digest in its entry has it in its name.
        if digest != reference["sha256"] if "sha256" in reference else digest not in url:
            raise Failure(f"{source} is not the file that its entry says, so the site is not built{again(folder)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def copy_sealed(folder: Path, site: Path) -> None:
    """Copy the files that an output had when it was made, and nothing else. Raises Failure if it has no seal."""
    seal = seal_of(folder)
    if not seal.is_file():
        raise Failure(f"{folder} does not say what it was made of ({seal.name} is missing){again(folder)}")
    for name in json.loads(seal.read_text()):
        target = site / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target)


def find_script(site: Path, name: str) -> str:
    """Return the path in the site of a worker's script, which a hash follows; raise Failure if it is missing."""
    found = sorted((site / "assets").glob(f"{name}-*.js"))
    if len(found) != 1:
        raise Failure(f"the built page has {len(found)} files assets/{name}-*.js, not one; build the page again")
    return f"assets/{found[0].name}"


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True, help="folder of the built page")
    parser.add_argument("--library", type=Path, required=True, help="folder of build_library")
    parser.add_argument("--samples", type=Path, required=True, help="folder of export_samples")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="folders of share_weights")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="of all models at all resolutions")
    parser.add_argument(
        "--locks", type=Path, nargs="+", required=True, help="lock files of what the site was made with"
    )
    parser.add_argument("--bills", type=Path, nargs="+", required=True, help="of list_components and describe_model")
    parser.add_argument("--builder", required=True, help="URI of what ran the build, for the statement")
    parser.add_argument("--address", nargs="?", help="where visitors open the site, if that is known")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    manifests = {path: vouched(path) for path in arguments.manifests}
    for output in (arguments.page, arguments.library, arguments.samples, *arguments.models, *arguments.bills):
        if problem := broken_seal(output):
            raise Failure(f"{problem}, so the site is not built{again(output)}")
    entries = [json.loads((folder / "entry.json").read_text()) for folder in arguments.models]
    check_vouched(entries, list(manifests.values()))
    samples = json.loads((arguments.samples / "samples.json").read_text())
    with replacing(arguments.output) as staging:
        copy_sealed(arguments.page, staging)
        copy_sealed(arguments.library, staging / "lib")
        copy_named(samples, arguments.samples, staging, "samples/")
        for folder, entry in zip(arguments.models, entries, strict=True):
            copy_named(entry, folder, staging)
        catalogue = {
            "version": 3,
            "worker": {"url": find_script(staging, "worker")},
            "faces": {"url": find_script(staging, "find_faces")},
            "models": sorted(entries, key=lambda entry: str(entry["name"])),
            "samples": samples,
        }
        write_json(staging / "catalogue.json", catalogue)
        # The page names its catalogue and its service worker by digest, and the catalogue names its models by digest.
        # So one index.html always leads to one release, even if another is published meanwhile.
        listing, worker, page = (staging / name for name in ("catalogue.json", "service_worker.js", "index.html"))
        shutil.copyfile(listing, listing.with_name(digest_name(listing)))
        if arguments.address:
            name_address(page, arguments.address)
        for each in (page, staging / "devices.html"):
            name_in_page(each, listing.name, digest_name(listing))
        name_in_page(page, worker.name, digest_name(worker))
        worker.rename(worker.with_name(digest_name(worker)))
        attest(staging, manifests, arguments.locks, arguments.bills, arguments.builder)


if __name__ == "__main__":
    run(main)
