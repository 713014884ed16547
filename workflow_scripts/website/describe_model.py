"""Describe a model as a CycloneDX machine-learning component: its task, architecture, licence and figures."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from workflow_scripts.formats.manifest import Manifest, by_resolution
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

TASKS = {
    "portrait": "photo to pencil drawing",
    "drawing": "photo to pencil drawing",
    "saliency": "salient object segmentation",
}


def metrics(manifest: Manifest) -> list[dict[str, str]]:
    """Return the worst figures of each browser model, as CycloneDX's performance metrics."""
    resolution = f"{manifest.resolution} × {manifest.resolution}"
    return [
        {"type": f"{figure} against PyTorch, {hop}", "value": repr(value), "slice": resolution}
        for hop in sorted(f"{engine}-{dtype}" for engine, dtype in manifest.delivered)
        for figure, value in sorted(manifest.checks.parity[hop].items())
    ]


def model_card(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """Return the CycloneDX bill of one model, from its manifests."""
    first = manifests[0]
    stages = ", ".join(f"{name} {'-'.join(map(str, widths))}" for name, widths in first.stages.items())
    licences = [] if first.licence == "unstated" else [{"license": {"name": first.licence}}]
    model = {
        "type": "machine-learning-model",
        "bom-ref": first.model,
        "name": first.model,
        "description": f"U²-Net converted for browsers at {', '.join(str(m.resolution) for m in manifests)} pixels",
        "hashes": [{"alg": "SHA-256", "content": first.checkpoint.sha256}],
        "licenses": licences,
        "externalReferences": [{"type": "documentation", "url": "https://arxiv.org/abs/2005.09007"}],
        "modelCard": {
            "modelParameters": {
                "task": TASKS[first.task],
                "architectureFamily": "U²-Net",
                "modelArchitecture": f"{first.family} ({stages}; input, middle, output channels)",
                "inputs": [{"format": "RGB image, float32, NHWC"}],
                "outputs": [{"format": "probability map d0 in [0, 1], float32, NHWC"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": [metric for m in manifests for metric in metrics(m)]},
            **({"considerations": {"technicalLimitations": [first.notice]}} if first.notice else {}),
        },
        "properties": [
            {"name": "parameters", "value": str(first.parameters)},
            *trained_by(first.provenance),
        ],
    }
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [model]}


def trained_by(provenance: dict[str, Any] | None) -> list[dict[str, str]]:
    """Return how a student was trained, as properties of its card. For any other model the list is empty."""
    if provenance is None:
        return []
    photos = provenance["photos"]
    values = {
        "distilled from": f"{provenance['teacher']['name']} (SHA-256 {provenance['teacher']['sha256']})",
        "trained on": f"{photos['training']} photos, {photos['held_back']} held back (SHA-256 {photos['sha256']})",
        "training": f"{provenance['steps']} steps in {provenance['hours']} hours",
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="one per resolution, all of one model")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    manifests = list(by_resolution(arguments.manifests).values())
    text = json.dumps(model_card(manifests), indent=2, sort_keys=True) + "\n"
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        reason = str(problem).splitlines()[0]
        raise Failure(f"the description of {manifests[0].model} does not fit the CycloneDX schema: {reason}")
    with replacing(arguments.output) as staging:
        staging.write_text(text)


if __name__ == "__main__":
    run(main)
