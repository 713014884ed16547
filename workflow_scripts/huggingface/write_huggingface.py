"""Lay out a model's folder as the Hugging Face Hub and its tools read it, from what passed manifests vouch for."""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from workflow_scripts.formats.evidence import unfollowed
from workflow_scripts.formats.manifest import Manifest, by_resolution
from workflow_scripts.formats.predictions import Tensors, read_predictions
from workflow_scripts.huggingface.model_card import ONNX_FILES, model_card, tflite_name
from workflow_scripts.shared.drawings import MEAN, STANDARD_DEVIATION, draw, unnormalise
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, sha256, write_json
from workflow_scripts.shared.psnr import psnr_db

# The probes that are photos.
SHOWN = ("astronaut", "chelsea")
LICENCES = Path(__file__).with_name("licences")
AGAIN = "; check the ONNX files again: add this to the command: --forcerun predict_huggingface check_huggingface"


def read_checked(report: Path, files: Sequence[Path], root: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Return the hops of check_huggingface's report.

    Raises Failure unless the report passed and is of exactly `files`, the ONNX files and their predictions, and of
    evidence that the manifest vouches for. `root` is the folder that the manifest's paths start from.
    """
    content = json.loads(report.read_text())
    recorded = {name: each.sha256 for name, each in manifest.recorded.items()}
    recorded |= {str(file.relative_to(root)): sha256(file) for file in (report, *files)}
    if problems := unfollowed(root, recorded):
        raise Failure(problems[0] + AGAIN)
    hops: list[dict[str, Any]] = content["hops"]
    if content["passed"] is not True or {hop["hop"] for hop in hops} != ONNX_FILES.keys():
        raise Failure(f"{report} does not cover both ONNX files{AGAIN}")
    return hops


def picture(probes: Tensors, predictions: Tensors, task: str) -> Image.Image:
    """Return the photos in one column, and beside it what PyTorch draws of them."""
    rows = []
    for name in SHOWN:
        photo = unnormalise(probes[name])
        drawing = np.round(255 * draw(predictions[name], task)).astype(np.uint8)
        rows.append(np.hstack([photo, drawing[..., np.newaxis].repeat(3, axis=2)]))
    return Image.fromarray(np.vstack(rows))


def unstretched_db(predictions: Tensors) -> float:
    """Return the PSNR of the photos' masks before they are stretched to [0, 1], the worse of the two."""
    return min(psnr_db(predictions[name][0, 0], draw(predictions[name], "saliency")) for name in SHOWN)


def write_settings(folder: Path, resolution: int) -> None:
    """Write what transformers.js reads: which class loads the model, and how a photo becomes its input."""
    # The class of models that make one mask of one picture. U²-Net has no name of its own there.
    write_json(folder / "config.json", {"model_type": "isnet"})
    preprocessor = {
        "image_processor_type": "ViTFeatureExtractor",
        "feature_extractor_type": "ViTFeatureExtractor",
        "do_resize": True,
        "size": {"width": resolution, "height": resolution},
        # Lanczos. With any other filter transformers.js in Node.js skips pixels when it shrinks a photo.
        "resample": 1,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [round(float(value), 6) for value in MEAN],
        "image_std": [round(float(value), 6) for value in STANDARD_DEVIATION],
    }
    write_json(folder / "preprocessor_config.json", preprocessor)


def licence_text(manifest: Manifest) -> str:
    """Return the name of the weights' licence, its text if it is at hand, and the notice to show with it."""
    text = LICENCES / f"{manifest.licence}.txt"
    parts = [f"The weights of {manifest.model} are offered under this licence: {manifest.licence}\n"]
    parts += [text.read_text()] if text.is_file() else []
    parts += [f"{manifest.notice}\n"] if manifest.notice else []
    return "\n".join(parts)


def copy_of(source: Path, target: Path, digest: str) -> None:
    """Copy a file. Raises Failure unless the copy has the digest, in case the file is being changed."""
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(source, target)
    if sha256(target) != digest:
        raise Failure(f"{source} changed while it was being copied; run the same command again")


def lay_out(
    folder: Path,
    manifest: Manifest,
    manifests: Sequence[Manifest],
    hops: Sequence[Mapping[str, Any]],
    probes: Tensors,
    predictions: Tensors,
) -> None:
    """Write everything of a model's folder except the models, which are there already.

    `manifest` is that of the ONNX files' resolution, `manifests` are those of the .tflite files.
    """
    write_settings(folder, manifest.resolution)
    picture(probes, predictions, manifest.task).save(folder / "picture.png")
    (folder / "LICENSE").write_text(licence_text(manifest))
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    (folder / "README.md").write_text(model_card(manifest, manifests, hops, sizes, unstretched_db(predictions)))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float32", type=Path, required=True, help="ONNX file of adapt_onnx")
    parser.add_argument("--uint16", type=Path, required=True, help="the one of half the bytes")
    parser.add_argument("--predictions", type=Path, nargs=2, required=True, help="of these two files")
    parser.add_argument("--report", type=Path, required=True, help="of check_huggingface")
    parser.add_argument("--probes", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="PyTorch's predictions on the probes")
    parser.add_argument("--manifest", type=Path, required=True, help="of the resolution of the ONNX files")
    parser.add_argument(
        "--manifests", type=Path, nargs="+", required=True, help="of all resolutions, for their .tflite"
    )
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    root = arguments.manifest.parents[3]
    manifests = by_resolution(arguments.manifests)
    manifest = manifests[arguments.manifest]
    onnx_files = dict(zip(ONNX_FILES.values(), (arguments.float32, arguments.uint16), strict=True))
    digests = {name: sha256(file) for name, file in onnx_files.items()}
    hops = read_checked(arguments.report, [*onnx_files.values(), *arguments.predictions], root, manifest)
    predictions, _ = read_predictions(arguments.reference)
    with replacing(arguments.output) as staging:
        staging.mkdir()
        for name, file in onnx_files.items():
            copy_of(file, staging / name, digests[name])
        for each in manifests.values():
            for name, recorded in each.artifacts.items():
                if name.endswith(".tflite"):
                    copy_of(root / name, staging / tflite_name(each, Path(name).stem), recorded.sha256)
        lay_out(staging, manifest, list(manifests.values()), hops, load_file(arguments.probes), predictions)


if __name__ == "__main__":
    run(main)
