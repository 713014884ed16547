"""Put the built page, the sample photos and every model's shared weights into one static folder."""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from commands import run
from files import replacing, write_json


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True, help="folder of the built page")
    parser.add_argument("--samples", type=Path, required=True, help="folder of export_samples")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="folders of share_weights")
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


if __name__ == "__main__":
    run(main)
