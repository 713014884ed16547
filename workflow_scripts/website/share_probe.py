"""Share one probe and what PyTorch made of it. With these a page checks whether a visitor's GPU computes right."""

import argparse
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from workflow_scripts.formats.manifest import Manifest, again, vouched
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.drawings import Floats, preprocess, unnormalise
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, sha256, write_json

# Bars of the eight colours whose channels are all 0 or 255. Of the probes with exact pixels at every size, this is the
# one to which the networks answer with the most different values.
PROBE = "saturated"
# d0 is shipped in whole numbers of this many steps. That is 7.6e-6 from the float at most.
STEPS = 65535


def encode(x: Floats) -> bytes:
    """Return the photo of which a network input [1, 3, size, size] was made, as a PNG file of that size.

    Raises Failure if `preprocess` does not make the same input of it again.
    """
    pixels = unnormalise(x)
    if not np.array_equal(preprocess(pixels, pixels.shape[0]), x):
        raise Failure(f"the probe {PROBE} was not made of whole pixels, so no page can make the same input of a photo")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def write_named(content: bytes, site: Path, suffix: str) -> dict[str, Any]:
    """Write a file named after its SHA-256 below `site`. Return its url, sha256 and bytes."""
    digest = hashlib.sha256(content).hexdigest()
    url = f"probes/{digest}.{suffix}"
    (site / "probes").mkdir(parents=True, exist_ok=True)
    (site / url).write_bytes(content)
    return {"url": url, "sha256": digest, "bytes": len(content)}


def check_recorded(manifest: Manifest, file: Path, name: str) -> None:
    """Raise Failure unless the manifest's checks read this very file."""
    recorded = manifest.evidence.get(name)
    if recorded is None or recorded.sha256 != sha256(file):
        raise Failure(f"{file} is not the file that the checks of {manifest.model} read{again(file)}")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the smallest resolution")
    parser.add_argument("--probes", type=Path, required=True, help="of make_probe_inputs")
    parser.add_argument("--reference", type=Path, required=True, help="of predict_torch, from these probes")
    parser.add_argument("--tolerances", type=json.loads, required=True, help="of config.yaml, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder: probes/ and probe.json")
    arguments = parser.parse_args(argv)
    manifest = vouched(arguments.manifest)
    folder = f"results/{manifest.model}/{manifest.resolution}"
    check_recorded(manifest, arguments.probes, f"results/_probes/{manifest.resolution}.safetensors")
    check_recorded(manifest, arguments.reference, f"{folder}/predictions/torch.safetensors")
    d0 = read_predictions(arguments.reference)[0][PROBE]
    # Whole numbers in rows from the top left, the low byte first.
    steps = np.round(STEPS * d0.astype(np.float64)).astype("<u2")
    # The most that the chain allows any network in float32: half a grey level. A GPU rounds in its own way, so the
    # narrow limits that follow from PyTorch's rounding would refuse GPUs that draw right.
    float32 = arguments.tolerances["float32"]
    with replacing(arguments.output) as staging:
        entry = {
            "resolution": manifest.resolution,
            "photo": write_named(encode(load_file(arguments.probes)[PROBE]), staging, "png"),
            "reference": write_named(steps.tobytes(), staging, "d0"),
            "limits": {figure: float32[figure]["ceiling"] for figure in ("max_abs", "p99_abs")},
        }
        write_json(staging / "probe.json", entry)


if __name__ == "__main__":
    run(main)
