"""The convolutions of a .tflite file, and the same file with some of them in int8."""

import os
import re
from collections.abc import Collection
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert.schema_py_generated import BuiltinOperator, Model
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.quantizer import Quantizer

from workflow_scripts.shared.failures import Failure


@dataclass(frozen=True)
class Layer:
    """A convolution: the name of its output, its kernel [out, height, width, in], and its multiply-adds."""

    name: str
    kernel: tuple[int, int, int, int]
    multiply_adds: int

    @property
    def weights(self) -> int:
        """How many numbers the kernel has."""
        out, height, width, channels = self.kernel
        return out * height * width * channels


def read_layers(model: bytes) -> list[Layer]:
    """Return the convolutions of a .tflite file, in the order in which they are computed.

    The file is one that this workflow wrote: one graph, float32.
    """
    root = Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    layers = []
    for operator in map(graph.Operators, range(graph.OperatorsLength())):
        if root.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() == BuiltinOperator.CONV_2D:
            kernel, output = graph.Tensors(operator.Inputs(1)), graph.Tensors(operator.Outputs(0))
            out, height, width, channels = (int(side) for side in kernel.ShapeAsNumpy())
            positions = int(output.Shape(1)) * int(output.Shape(2))
            shape = (out, height, width, channels)
            layers.append(Layer(output.Name().decode(), shape, positions * out * height * width * channels))
    return layers


def in_int8(model: bytes, names: Collection[str]) -> bytes:
    """Return the .tflite file with the convolutions of these names in int8.

    Their kernels are stored in int8, with one scale per output channel. LiteRT rounds each input map to int8, with one
    scale for the map, when it computes. All else stays float32. Raises Failure if the file lacks one of the names.
    """
    if absent := sorted(set(names) - {layer.name for layer in read_layers(model)}):
        raise Failure(f"the model has no convolution {absent[0]}; make the plan again for this network")
    quantizer = Quantizer(model)
    for name in names:
        # The quantizer searches in the names of an operation's outputs, each followed by a semicolon.
        quantizer.add_dynamic_config(
            regex=f"^{re.escape(name)};?$", operation_name=TFLOperationName.CONV_2D, num_bits=8
        )
    # It prints a dozen lines each time, and plan_int8 calls it for every convolution.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        return bytes(quantizer.quantize().quantized_model)
