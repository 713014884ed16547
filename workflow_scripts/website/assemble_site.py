"""Put the built page, the sample photos, every model's shared weights and their provenance into one static folder."""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, sha256, write_json
from workflow_scripts.website.attestations import attest


def digest_name(file: Path) -> str:
    """Return the file's name with its SHA-256 in it."""
    return f"{file.stem}.{sha256(file)}{file.suffix}"


def name_in_page(page: Path, name: str, replacement: str) -> None:
    """Have index.html name a file by its digest; raise Failure unless it names the file once."""
    html = page.read_text()
    if html.count(f'content="{name}"') != 1:
        raise Failure(f"the built index.html does not name {name} once, as web/index.html does; build the page again")
    page.write_text(html.replace(f'content="{name}"', f'content="{replacement}"'))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True, help="folder of the built page")
    parser.add_argument("--samples", type=Path, required=True, help="folder of export_samples")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="folders of share_weights")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="of all models at all resolutions")
    parser.add_argument(
        "--locks", type=Path, nargs="+", required=True, help="lock files of what the site was made with"
    )
    parser.add_argument("--bills", type=Path, nargs="+", required=True, help="of list_components and describe_model")
    parser.add_argument("--builder", required=True, help="URI of what ran the build, for the statement")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with replacing(arguments.output) as staging:
        # Snakemake's own markers in the folders copied are not part of the site.
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(arguments.page, staging, ignore=hidden)
        shutil.copytree(arguments.samples, staging / "samples", ignore=shutil.ignore_patterns(".*", "samples.json"))
        entries = []
        for folder in arguments.models:
            ignored = shutil.ignore_patterns(".*", "entry.json")
            shutil.copytree(folder, staging, ignore=ignored, dirs_exist_ok=True)
            entries.append(json.loads((folder / "entry.json").read_text()))
        catalogue = {
            "version": 2,
            "models": sorted(entries, key=lambda entry: str(entry["name"])),
            "samples": json.loads((arguments.samples / "samples.json").read_text()),
        }
        write_json(staging / "catalogue.json", catalogue)
        # The page names its catalogue and its service worker by digest, and the catalogue its models: so one
        # index.html leads to one release, whichever other one is published meanwhile.
        listing, worker, page = (staging / name for name in ("catalogue.json", "service_worker.js", "index.html"))
        shutil.copyfile(listing, listing.with_name(digest_name(listing)))
        name_in_page(page, listing.name, digest_name(listing))
        name_in_page(page, worker.name, digest_name(worker))
        worker.rename(worker.with_name(digest_name(worker)))
        attest(staging, arguments.manifests, arguments.locks, arguments.bills, arguments.builder)


if __name__ == "__main__":
    run(main)
