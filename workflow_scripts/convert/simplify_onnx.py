"""Fix the ONNX model's input size to one resolution and fold every constant that follows from it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import onnx
import onnxsim
from onnx import ModelProto

from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing

# These operators compute shapes at run time. The later converters take static shapes only.
DYNAMIC_OPERATORS = {"Shape", "Gather", "Cast", "Unsqueeze", "Slice", "ConstantOfShape"}


def simplify_onnx(model: ModelProto, resolution: int) -> ModelProto:
    """Return `model` with input x [1, 3, resolution, resolution] and every constant folded.

    Raises Failure if the resolution is not a multiple of 32 (the network halves it five times), or if an operator still
    computes shapes.
    """
    if resolution <= 0 or resolution % 32:
        raise Failure(f"resolution {resolution} is not a positive multiple of 32")
    # check_n=0: no check here, because the parity checks compare every hop with PyTorch.
    simplified, _ = onnxsim.simplify(model, check_n=0, overwrite_input_shapes={"x": [1, 3, resolution, resolution]})
    # onnxsim notes here what it did. The notes would add a quarter of a megabyte to the IR.
    del simplified.metadata_props[:]
    left = sorted({node.op_type for node in simplified.graph.node} & DYNAMIC_OPERATORS)
    if left:
        raise Failure(f"the model still computes shapes at run time, with {', '.join(left)}")
    onnx.checker.check_model(simplified, full_check=True)
    return simplified


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="dynamic ONNX file of export_onnx")
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    simplified = simplify_onnx(onnx.load(arguments.model), arguments.resolution)
    with replacing(arguments.output) as staging:
        onnx.save(simplified, staging)


if __name__ == "__main__":
    run(main)
