"""Write the manifests' figures as a Markdown table and as a page, and print them.

There is one row per model, resolution, engine and dtype.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from workflow_scripts.formats.manifest import Manifest, read_manifest, vouched
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.manifest.summary import markdown, page, rows
from workflow_scripts.shared.agreement import Picture, agreement
from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing

# The probes that are photos, which people draw. The other probes are there to break arithmetic.
PHOTOS = ("astronaut", "chelsea")


def photos_drawn(manifest: Path, resolution: int, task: str) -> list[Picture]:
    """Return what PyTorch draws of the photos at a resolution. The predictions are in a folder beside the manifest."""
    predictions, _ = read_predictions(manifest.parents[1] / f"{resolution}/predictions/torch.safetensors")
    return [draw(predictions[name], task) for name in PHOTOS]


def worth(path: Path, manifest: Manifest, own: int | None) -> str:
    """Compare what a model draws at the manifest's resolution with what it draws at its own: IoU, or F1 of the ink.

    Parity says that the browser draws what PyTorch draws. This figure says whether the drawing is any good at this
    size: a network that was trained at one size may see nothing at another.
    """
    if own is None:
        return "–"
    if own == manifest.resolution:
        return "own"
    task = manifest.task
    here, there = (photos_drawn(path, resolution, task) for resolution in (manifest.resolution, own))
    mean = fmean(agreement(a, b, task) for a, b in zip(here, there, strict=True))
    return f"{'IoU' if task == 'saliency' else 'ink'} {mean:.2f}"


def white_on_black(path: Path, manifest: Manifest) -> str | None:
    """Say so if a network draws the photos in white on black. Then the configured task is the wrong one of two."""
    task = manifest.task
    if task == "saliency" or fmean(float(p.mean()) for p in photos_drawn(path, manifest.resolution, task)) > 0.5:
        return None
    other = "drawing" if task == "portrait" else "portrait"
    return (
        f"{manifest.model} at {manifest.resolution} draws white on black as task={task}; "
        f"it may be a network of task={other}"
    )


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--manifests-only", action="store_true", help="do not look at the artifacts; they are elsewhere"
    )
    parser.add_argument(
        "--own", type=json.loads, default={}, help="JSON: each model's own resolution, predicted beside its manifests"
    )
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")
    arguments = parser.parse_args(argv)
    body: list[tuple[str, ...]] = []
    notices: list[str] = []
    for path in arguments.manifests:
        manifest = read_manifest(path) if arguments.manifests_only else vouched(path)
        own = arguments.own.get(manifest.model)
        body += rows(manifest, worth(path, manifest, own))
        if notice := white_on_black(path, manifest):
            notices.append(notice)
    table = markdown(body)
    with replacing(arguments.table) as staging:
        staging.write_text(table)
    with replacing(arguments.page) as staging:
        staging.write_text(page(body))
    print(table, end="")
    for notice in notices:
        print(notice)


if __name__ == "__main__":
    run(main)
