"""Export the network to one ONNX file with dynamic height and width."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing
from workflow_scripts.shared.load_network import load_network
from workflow_scripts.shared.u2net import fold_batch_norms

# openvino2tensorflow knows the operators of this opset. A newer opset would gain nothing.
OPSET = 11
# Any multiple of 32 traces the same graph. A small one is the fastest.
TRACED_SIZE = 64


def export_onnx(network: nn.Module, path: Path) -> None:
    """Write `network` to `path`: input x [1, 3, height, width], output d0 [1, 1, height, width], float32."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, TRACED_SIZE, TRACED_SIZE),),
        path,
        dynamo=False,
        opset_version=OPSET,
        input_names=["x"],
        output_names=["d0"],
        dynamic_axes={"x": {2: "height", 3: "width"}, "d0": {2: "height", 3: "width"}},
    )


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors of read_checkpoint")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    network = load_network(arguments.weights)
    # torch.onnx would fold them, too, but in float32: other processors then write other weights.
    fold_batch_norms(network)
    with replacing(arguments.output) as staging:
        export_onnx(network, staging)
        onnx.checker.check_model(staging, full_check=True)


if __name__ == "__main__":
    run(main)
