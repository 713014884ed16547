"""Store a TensorFlow.js model of any resolution with the weights that plan_compact rounded."""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load_file

from workflow_scripts.formats.tfjs_model import Specification, read_weights, write_weights
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing


def replace_weights(
    weights: Sequence[tuple[Specification, bytes]], plan: Sequence[dict[str, Any]], stored: Sequence[NDArray[Any]]
) -> list[tuple[Specification, bytes]]:
    """Replace the float32 weights by the planned ones. Integer constants stay.

    A model stores its float weights in the same order at every resolution. Raises Failure unless each weight is, bit
    for bit, the one that the plan was made for.
    """
    floats = [(spec, data) for spec, data in weights if spec["dtype"] == "float32"]
    if len(floats) != len(plan):
        raise Failure(
            f"the model has {len(floats)} float weights and the plan {len(plan)}; make a plan for this network"
        )
    replaced = {}
    for (spec, data), planned, numbers in zip(floats, plan, stored, strict=True):
        if hashlib.sha256(data).hexdigest() != planned["float32_sha256"] or list(numbers.shape) != spec["shape"]:
            raise Failure(f"the plan was made for other weights than {spec['name']}; make a plan for this network")
        quantization = planned["quantization"]
        made = spec if quantization is None else {**spec, "quantization": quantization}
        replaced[spec["name"]] = (made, numbers.tobytes())
    return [replaced.get(spec["name"], (spec, data)) for spec, data in weights]


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the float32 model")
    parser.add_argument("--plan", type=Path, required=True, help="report of plan_compact")
    parser.add_argument("--weights", type=Path, required=True, help="weights of plan_compact")
    parser.add_argument("--output", type=Path, required=True, help="folder for model.json and its shards")
    arguments = parser.parse_args(argv)
    plan = json.loads(arguments.plan.read_text())["weights"]
    stored = [values for _, values in sorted(load_file(arguments.weights).items())]
    weights = replace_weights(read_weights(arguments.model), plan, stored)
    with replacing(arguments.output) as staging:
        write_weights(staging, json.loads((arguments.model / "model.json").read_text()), weights)


if __name__ == "__main__":
    run(main)
