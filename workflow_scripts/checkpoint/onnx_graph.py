"""What an ONNX graph computes at one input size, as terms: equal terms compute equal values.

Nodes are followed from the outputs back, so their order, names and repetitions do not matter. Nodes that only pass
values on (Identity, Dropout) or only compute sizes disappear. Each operation that stays must be one that a U²-Net has,
and its attributes must mean the same as in PyTorch. Anything else raises Failure with the reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from workflow_scripts.checkpoint.file_kinds import shown
from workflow_scripts.checkpoint.onnx_tensors import STANDARD, Array, opset_of, values_of
from workflow_scripts.shared.failures import Failure

# Sizes and scales are tensors of a few values. The graph may not create larger tensors out of nothing.
FEW = 64
# How much the constants that a graph computes may take beside eight times its stored values.
SPARE_BYTES = 2**24
HALF_PIXEL = ("half_pixel", "pytorch_half_pixel")
# ONNX Runtime's own operators, for a layout that is fast on one kind of processor only.
PROCESSOR_DOMAINS = ("com.microsoft.nchwc", "com.ms.internal.nhwc")
MICROSOFT = "com.microsoft"
QUANTIZED = ("Quantize", "QLinear", "Dequantize", "ConvInteger", "DynamicQuantize", "MatMulInteger")


@dataclass(frozen=True)
class Feature:
    """A feature map that the graph computes: the term it stands for and its shape [batch, channels, height, width]."""

    term: int
    shape: tuple[int, ...]


Value = Feature | Array


@dataclass(frozen=True)
class Term:
    """One operation on terms. `details` hold its attributes, and the numbers of its weights in `Graph.arrays`."""

    operation: str
    inputs: tuple[int, ...] = ()
    details: tuple[Any, ...] = ()


@dataclass
class Graph:
    """The terms of a graph at one input size, each with its shape and its users, and the arrays they refer to."""

    path: Path
    terms: list[Term] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    numbers: dict[Term, int] = field(default_factory=dict)
    users: dict[int, list[int]] = field(default_factory=dict)
    arrays: list[Array] = field(default_factory=list)
    array_numbers: dict[tuple[str, tuple[int, ...], bytes], int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    # Whether a feature map is rounded to half precision on the way.
    halves: bool = False

    def add(
        self, shape: tuple[int, ...], operation: str, inputs: Sequence[int] = (), details: Sequence[Any] = ()
    ) -> Feature:
        """Return the feature map of a term. If the graph already has an equal term, return that one's."""
        term = Term(operation, tuple(inputs), tuple(details))
        if term not in self.numbers:
            self.numbers[term] = len(self.terms)
            self.terms.append(term)
            self.shapes.append(shape)
            for given in dict.fromkeys(inputs):
                self.users.setdefault(given, []).append(self.numbers[term])
        return Feature(self.numbers[term], shape)

    def keep(self, array: Array) -> int:
        """Return the number of an array. Arrays with equal content have the same number."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.array_numbers:
            self.array_numbers[key] = len(self.arrays)
            self.arrays.append(array)
        return self.array_numbers[key]

    def find(self, operation: str, inputs: Sequence[int]) -> int | None:
        """Return the term of an operation without weights, if the graph has it."""
        return self.numbers.get(Term(operation, tuple(inputs)))


def feature(value: Value | None) -> Feature:
    """Return a value that must be a feature map. Raises ValueError if it is a constant."""
    if not isinstance(value, Feature):
        raise ValueError("it takes a constant for a feature map")
    return value


class Tracer:
    """Follows a model's nodes from its outputs back, at one input size."""

    def __init__(self, model: ModelProto, path: Path, shape: tuple[int, ...], arrays: dict[str, Array]) -> None:
        self.path = path
        self.opset = opset_of(model)
        self.graph = Graph(path)
        self.makers: dict[str, NodeProto] = {}
        for node in model.graph.node:
            for name in filter(None, node.output):
                if name in self.makers or name in arrays:
                    raise Failure(f"{path}: two nodes give {shown(name)}; export it again")
                self.makers[name] = node
        (given,) = [each for each in model.graph.input if each.name not in arrays]
        self.values: dict[str, Value] = {**arrays, given.name: self.graph.add(shape, "input")}
        # How much folding constants may create in all. Exporters pass each weight through several nodes.
        self.left = 8 * sum(array.nbytes for array in arrays.values()) + SPARE_BYTES
        for output in model.graph.output:
            self.follow(output.name)
            value = self.values[output.name]
            if isinstance(value, Feature):
                self.graph.outputs[output.name] = value.term

    def follow(self, name: str) -> None:
        """Compute the value of `name`, after everything that it is computed from."""
        waiting = [name]
        pending: set[str] = set()
        while waiting:
            current = waiting[-1]
            if current in self.values:
                waiting.pop()
                continue
            if current not in self.makers:
                raise Failure(f"{self.path} uses {shown(current)}, which nothing in it gives; export it again")
            node = self.makers[current]
            missing = [each for each in node.input if each and each not in self.values]
            if not missing:
                self.compute(node)
                pending.discard(current)
                if current not in self.values:
                    raise self.refusal(node, f"gives a second output, {shown(current)}, which no U²-Net uses")
            elif current in pending:
                raise Failure(f"{self.path}: {shown(current)} is computed from itself; export it again")
            else:
                pending.add(current)
                waiting.extend(missing)

    def refusal(self, node: NodeProto, why: str) -> Failure:
        """Say which node is wrong, and why."""
        return Failure(
            f"{self.path} is no U²-Net as PyTorch computes it: {shown(node.op_type)} {shown(node.name)} {why}"
        )

    def compute(self, node: NodeProto) -> None:
        """Compute a node's first output."""
        operation = node.op_type
        if node.domain in PROCESSOR_DOMAINS:
            raise Failure(
                f"{self.path} was optimised by ONNX Runtime for one kind of processor "
                f"({shown(node.domain)}.{shown(operation)}); pass the file it was made of, or optimise it with "
                "ORT_ENABLE_EXTENDED at most"
            )
        if operation.startswith(QUANTIZED):
            raise Failure(
                f"{self.path} has quantized weights ({shown(operation)}); pass the float32 file it was made of"
            )
        if node.domain not in STANDARD and (node.domain, operation) != (MICROSOFT, "FusedConv"):
            raise self.refusal(
                node, f"is an operator of {shown(node.domain)}; export the network with standard operators"
            )
        given = [self.values[name] if name else None for name in node.input]
        attributes: dict[str, Any] = {}
        for attribute in node.attribute:
            try:
                attributes[attribute.name] = helper.get_attribute_value(attribute)
            except ValueError as error:
                raise self.refusal(node, f"has an attribute that cannot be read ({shown(str(error))})") from error
        try:
            if operation == "Constant":
                value: Value = self.constant(node, attributes)
            elif (given and isinstance(given[0], Feature)) or any(isinstance(each, Feature) for each in given):
                value = self.on_features(node, operation, given, attributes)
            else:
                value = self.on_arrays(node, operation, list(given), attributes)
        except (IndexError, ValueError, TypeError, KeyError, OverflowError, AttributeError, ZeroDivisionError) as error:
            raise self.refusal(node, f"cannot be understood ({shown(str(error) or type(error).__name__)})") from error
        self.values[node.output[0]] = value

    def constant(self, node: NodeProto, attributes: dict[str, Any]) -> Array:
        """Return a Constant node's values."""
        ((kind, content),) = attributes.items()
        if kind == "value":
            values = values_of(content, self.path)
            # The file itself has these bytes, as it has those of an initializer.
            self.left += 8 * values.nbytes
            return values
        types = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
        return self.paid(np.array(content, types[kind]))

    def paid(self, array: Array) -> Array:
        """Count the memory of a constant. Raises Failure if constants take more than a file of this size needs."""
        self.left -= array.nbytes + 64
        if self.left < 0:
            raise Failure(
                f"{self.path} computes more constants than a network of its size has; simplify it with onnxsim"
            )
        return array

    # Operations on feature maps.

    def on_features(
        self, node: NodeProto, operation: str, given: list[Value | None], attributes: dict[str, Any]
    ) -> Value:
        """Return the result of an operation on feature maps."""
        if operation == "Shape":
            x = feature(*given)
            start, end = attributes.get("start", 0), attributes.get("end")
            return np.array(x.shape, np.int64)[start:end]
        known: dict[str, Callable[..., Value]] = {
            "Conv": self.convolution,
            "FusedConv": self.convolution,
            "BatchNormalization": self.batch_norm,
            "MaxPool": self.pool,
            "Resize": self.resize,
            "Upsample": self.resize,
            "Concat": self.concat,
            "Add": self.add_or_scale,
            "Mul": self.add_or_scale,
            "Sub": self.add_or_scale,
            "Div": self.add_or_scale,
            "Sum": self.add_or_scale,
            "Dropout": self.pass_on,
            "Identity": self.pass_on,
            "Cast": self.pass_on,
        }
        if operation in ("Relu", "Sigmoid"):
            x = feature(*given)
            return self.graph.add(x.shape, operation.lower(), [x.term])
        if operation not in known:
            raise self.refusal(
                node,
                "is an operation that no U²-Net has; export the network alone, without what comes before or after it",
            )
        return known[operation](node, given, attributes)

    def convolution(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """A convolution that keeps the size. The term's details are its kernel, its bias (or -1) and its dilation."""
        x, kernel, bias = [*given, None][:3]
        if len(given) > 3 and given[3] is not None:
            raise self.refusal(node, "adds another feature map within; pass the file that ONNX Runtime optimised")
        if not isinstance(x, Feature) or not isinstance(kernel, np.ndarray) or isinstance(bias, Feature):
            raise self.refusal(node, "has no constant kernel and bias")
        if kernel.ndim != 4 or kernel.dtype.kind != "f" or 0 in kernel.shape:
            raise self.refusal(
                node, f"has a kernel of {kernel.dtype} {list(kernel.shape)[:8]}, not of floats in 4 dimensions"
            )
        out, into, height, width = kernel.shape
        if len(x.shape) != 4 or attributes.get("group", 1) != 1 or into != x.shape[1]:
            raise self.refusal(node, f"takes {into} of {x.shape[1]} channels in {attributes.get('group', 1)} groups")
        if bias is not None and (bias.shape != (out,) or bias.dtype.kind != "f"):
            raise self.refusal(node, f"has a bias of the shape {list(bias.shape)[:8]} for {out} channels")
        strides = list(attributes.get("strides", [1, 1]))
        if strides != [1, 1]:
            hint = "; an IS-Net begins so" if self.graph.terms[x.term].operation == "input" else ""
            raise self.refusal(node, f"has the strides {strides}, U²-Net's convolutions keep the size{hint}")
        dilations = list(attributes.get("dilations", [1, 1]))
        if height != width or height not in (1, 3) or dilations[0] != dilations[1] or len(dilations) != 2:
            raise self.refusal(node, f"has a kernel of {height}×{width} dilated by {dilations[:4]}")
        if list(attributes.get("kernel_shape", [height, width])) != [height, width]:
            raise self.refusal(node, "names another kernel size than its kernel has")
        border = dilations[0] * (height // 2)
        padding = attributes.get("auto_pad", b"NOTSET")
        pads = list(attributes.get("pads", [0] * 4))
        if (pads != [border] * 4 and not (padding in (b"SAME_UPPER", b"SAME_LOWER") and pads == [0] * 4)) or (
            padding == b"VALID" and border
        ):
            raise self.refusal(node, f"pads by {pads[:8]} instead of {border} on each side")
        details = (
            self.graph.keep(kernel),
            -1 if bias is None else self.graph.keep(bias),
            dilations[0] if border else 1,
        )
        made = self.graph.add((x.shape[0], out, *x.shape[2:]), "conv", [x.term], details)
        if node.op_type == "Conv":
            return made
        activation = attributes.get("activation", b"")
        if activation not in (b"", b"Relu", b"Sigmoid") or attributes.get("activation_params"):
            raise self.refusal(node, f"ends in {shown(repr(activation))}")
        return self.graph.add(made.shape, activation.decode().lower(), [made.term]) if activation else made

    def batch_norm(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """A batch norm with stored statistics. The term's details are scale, bias, mean, variance and epsilon."""
        x, *statistics = given
        if attributes.get("training_mode", 0) or len([each for each in node.output if each]) > 1:
            raise self.refusal(node, "normalises by the batch; export the network in evaluation mode")
        if not isinstance(x, Feature) or len(statistics) != 4:
            raise self.refusal(node, "has no constant statistics")
        for each in statistics:
            if not isinstance(each, np.ndarray) or each.shape != (x.shape[1],) or each.dtype.kind != "f":
                raise self.refusal(node, f"has no constant statistics for {x.shape[1]} channels")
        numbers = [self.graph.keep(each) for each in statistics if isinstance(each, np.ndarray)]
        return self.graph.add(x.shape, "bn", [x.term], [*numbers, float(attributes.get("epsilon", 1e-5))])

    def pool(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """Max pooling over 2×2 pixels, sizes rounded up."""
        x = feature(*given)
        padding = attributes.get("auto_pad", b"NOTSET")
        pads = list(attributes.get("pads", [0] * 4))
        # Opset 9 has no ceil_mode. PyTorch then pads after the last pixel, which also rounds up.
        padded = pads == [0, 0, 1, 1] and padding == b"NOTSET" and not attributes.get("ceil_mode", 0)
        expected = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": pads if padded else [0] * 4, "dilations": [1, 1]}
        defaults = {"kernel_shape": [], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1]}
        for name, value in expected.items():
            if (found := list(attributes.get(name, defaults[name]))) != value:
                raise self.refusal(node, f"has the {name} {found[:8]} instead of {value}")
        if padding not in (b"NOTSET", b"VALID") or attributes.get("storage_order", 0):
            raise self.refusal(node, "pads by a rule of its own")
        sides = [math.ceil(side / 2) for side in x.shape[2:]]
        if not (attributes.get("ceil_mode", 0) or padded) and any(side % 2 for side in x.shape[2:]):
            raise self.refusal(node, f"rounds the size {list(x.shape[2:])} down, U²-Net rounds it up")
        return self.graph.add((*x.shape[:2], *sides), "pool", [x.term])

    def resize(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """Bilinear resizing without aligned corners. Resizing to the same size is the identity."""
        x = feature(given[0])
        size, scales = self.resized(node, x, given, attributes)
        mode = attributes.get("mode", b"nearest").decode()
        where = attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
        if size == x.shape and max(scales) - 1 < 1e-6 and min(scales) - 1 > -1e-6 and where != "tf_crop_and_resize":
            return x
        if mode not in ("linear", "bilinear"):
            raise self.refusal(node, f"resizes by the mode {shown(mode)}, U²-Net bilinearly")
        if self.opset < 11:
            raise self.refusal(
                node,
                f"has no half_pixel in opset {self.opset}: ONNX Runtime leaves out the half pixel that PyTorch's "
                "align_corners=False adds, and draws another picture; export with opset 11 or newer",
            )
        if where not in HALF_PIXEL:
            raise self.refusal(node, f"measures by {shown(where)}, U²-Net by half_pixel (align_corners=False)")
        for name in ("antialias", "exclude_outside"):
            if attributes.get(name, 0):
                raise self.refusal(node, f"sets {name}")
        if size[:2] != x.shape[:2] or any(new < old for new, old in zip(size[2:], x.shape[2:], strict=True)):
            raise self.refusal(node, f"makes {list(size)} of {list(x.shape)}")
        # If scales are given, the coordinates follow the scales and not the sizes.
        for scale, new, old in zip(scales, size, x.shape, strict=True):
            if abs(scale * old - new) > 1e-4 * new:
                raise self.refusal(node, f"scales by {scale:g}, which is not the ratio of the sizes {old} and {new}")
        return self.graph.add(size, "resize", [x.term], size[2:])

    def resized(
        self, node: NodeProto, x: Feature, given: list[Value | None], attributes: dict[str, Any]
    ) -> tuple[tuple[int, ...], list[float]]:
        """Return the shape that a Resize or Upsample produces, and the scales that it uses for coordinates."""
        if any(isinstance(each, Feature) for each in given[1:]):
            raise self.refusal(node, "has a size that depends on what the network sees")
        if attributes.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
            raise self.refusal(node, "keeps the aspect ratio by a rule of its own")
        axes = [int(axis) % 4 for axis in attributes.get("axes", range(4))]
        first = 1 if node.op_type == "Upsample" or self.opset < 11 else 2
        scales, sizes = [*given[first:], None, None][:2]
        shape = list(x.shape)
        ratios = [1.0] * 4
        if isinstance(sizes, np.ndarray) and sizes.size:
            for axis, side in zip(axes, sizes.tolist(), strict=True):
                shape[axis] = int(side)
                ratios[axis] = int(side) / x.shape[axis]
        elif isinstance(scales, np.ndarray) and scales.size:
            for axis, scale in zip(axes, scales.tolist(), strict=True):
                ratios[axis] = float(scale)
                # A float32 ratio may be a little below the whole number that it stands for.
                shape[axis] = math.floor(x.shape[axis] * float(scale) + 1e-4)
        else:
            raise self.refusal(node, "names no size")
        if any(not 0 < side <= 2**16 for side in shape):
            raise self.refusal(node, f"gives the size {shape}")
        return tuple(shape), ratios

    def concat(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """Feature maps of one size, joined along the channels."""
        features = [each for each in given if isinstance(each, Feature)]
        if len(features) < len(given) or attributes["axis"] not in (1, -3):
            raise self.refusal(node, "joins something else than feature maps by their channels")
        if len({(each.shape[0], *each.shape[2:]) for each in features}) > 1:
            raise self.refusal(node, f"joins maps of different sizes, {[list(each.shape) for each in features][:6]}")
        channels = sum(each.shape[1] for each in features)
        shape = (features[0].shape[0], channels, *features[0].shape[2:])
        return self.graph.add(shape, "concat", [each.term for each in features])

    def add_or_scale(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """The sum of two feature maps, or a feature map that is scaled or shifted by one constant per channel."""
        if len(given) != 2:
            raise self.refusal(node, f"takes {len(given)} inputs instead of 2")
        first, second = given
        if isinstance(first, Feature) and isinstance(second, Feature):
            if node.op_type not in ("Add", "Sum") or first.shape != second.shape:
                raise self.refusal(
                    node, f"of {list(first.shape)} and {list(second.shape)} is nothing that a U²-Net computes"
                )
            return self.graph.add(first.shape, "add", sorted((first.term, second.term)))
        swapped = isinstance(second, Feature)
        x, constant = feature(second if swapped else first), np.asarray(first if swapped else second)
        channels = x.shape[1]
        if constant.dtype.kind != "f" or np.broadcast_shapes(constant.shape, (1, channels, 1, 1)) != (
            1,
            channels,
            1,
            1,
        ):
            raise self.refusal(node, f"takes a constant of the shape {list(constant.shape)[:8]}")
        if swapped and node.op_type in ("Sub", "Div"):
            raise self.refusal(node, "takes a map from a constant, or divides one by it; export the network alone")
        spread = np.broadcast_to(constant, (1, channels, 1, 1)).reshape(channels).astype(np.float64)
        values = {"Sub": -spread, "Div": 1 / spread}.get(node.op_type, spread)
        operation = "shift" if node.op_type in ("Add", "Sub", "Sum") else "scale"
        return self.graph.add(x.shape, operation, [x.term], [self.graph.keep(self.paid(values))])

    def pass_on(self, node: NodeProto, given: list[Value | None], attributes: dict[str, Any]) -> Value:
        """The input of a node that only passes it on at inference."""
        x, others = feature(given[0]), given[1:]
        if node.op_type == "Dropout" and len(others) > 1:
            training = others[1]
            if not isinstance(training, np.ndarray) or training.any():
                raise self.refusal(node, "drops values at random; export the network in evaluation mode")
        if node.op_type == "Cast":
            to = attributes["to"]
            if to not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
                known = TensorProto.DataType.values()
                raise self.refusal(
                    node, f"rounds maps to {TensorProto.DataType.Name(to).lower() if to in known else to}"
                )
            self.graph.halves = self.graph.halves or to == TensorProto.FLOAT16
        return x

    # Operations on constants: sizes, scales, and weights on their way to their layer.

    def on_arrays(
        self, node: NodeProto, operation: str, given: list[Value | None], attributes: dict[str, Any]
    ) -> Array:
        """Return the result of an operation on constants."""
        arrays: list[Any] = given
        x = arrays[0]

        def several(name: str, position: int) -> list[int] | None:
            # It is an attribute in older opsets and an input in newer ones.
            if name in attributes:
                return [int(each) for each in attributes[name]]
            return (
                [int(each) for each in arrays[position].ravel()]
                if len(arrays) > position and arrays[position] is not None
                else None
            )

        if operation in ("Identity", "Dropout"):
            return np.asarray(x)
        if operation in ("Add", "Sub", "Mul", "Div"):
            if math.prod(np.broadcast_shapes(x.shape, arrays[1].shape)) > max(x.size, arrays[1].size, FEW):
                raise self.refusal(node, "makes a constant larger than what it is made of")
            if operation == "Div" and x.dtype.kind in "iu":
                return self.paid(np.trunc(x / arrays[1]).astype(x.dtype))
            function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[operation]
            return self.paid(np.asarray(function(x, arrays[1])))
        if operation in ("Floor", "Ceil", "Sqrt", "Neg", "Reciprocal"):
            functions: dict[str, Any] = {"Floor": np.floor, "Ceil": np.ceil, "Sqrt": np.sqrt, "Neg": np.negative}
            return self.paid(np.asarray(functions.get(operation, np.reciprocal)(x)))
        if operation == "Shape":
            return np.array(x.shape, np.int64)[attributes.get("start", 0) : attributes.get("end")]
        if operation == "Cast":
            return self.paid(x.astype(np.dtype(helper.tensor_dtype_to_np_dtype(attributes["to"]))))
        if operation == "Concat":
            return self.paid(np.concatenate(arrays, attributes["axis"]))
        if operation == "Gather":
            if arrays[1].size > FEW or x.size > FEW:
                raise self.refusal(node, "picks from a large constant")
            return self.paid(np.take(x, arrays[1], attributes.get("axis", 0)))
        if operation == "Transpose":
            return self.paid(np.transpose(x, attributes.get("perm")))
        if operation == "Reshape":
            shape = several("shape", 1) or []
            return np.reshape(x, [x.shape[place] if side == 0 else side for place, side in enumerate(shape)])
        if operation == "Squeeze":
            axes = several("axes", 1)
            return np.asarray(np.squeeze(x, None if axes is None else tuple(axes)))
        if operation == "Unsqueeze":
            return np.expand_dims(x, tuple(several("axes", 1) or []))
        if operation == "Slice":
            starts, ends = several("starts", 1) or [], several("ends", 2) or []
            axes, steps = several("axes", 3) or list(range(len(starts))), several("steps", 4) or [1] * len(starts)
            cut = [slice(None)] * x.ndim
            for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
                cut[axis] = slice(start, end if step > 0 or end >= -x.shape[axis] else None, step)
            return np.asarray(x[tuple(cut)])
        raise self.refusal(node, "computes a constant in a way that is not known here; simplify the file with onnxsim")


def graph_at(model: ModelProto, path: Path, shape: tuple[int, ...], arrays: dict[str, Array]) -> Graph:
    """Return what a model computes from an input of the given shape [batch, channels, height, width].

    `arrays` are its initializers. Raises Failure if it computes something that a U²-Net does not.
    """
    return Tracer(model, path, shape, arrays).graph
