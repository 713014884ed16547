import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tensorflow.lite.python import schema_py_generated as schema

from workflow_scripts.check.check_size import Artifact, check_artifact, graph_weights, main
from workflow_scripts.check.expected_weights import Expected
from workflow_scripts.convert.convert_tfjs import SHARD_BYTES

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
Arrays = dict[str, NDArray[np.float32]]
RANDOM = np.random.default_rng(3)


def drawn(*shape: int) -> NDArray[np.float32]:
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


# A chain of two convolutions, a third over both of their outputs, and two side outputs with the one that mixes them.
WIDTHS = {"first": (3, 8), "second": (8, 8), "joined": (16, 8), "side1": (8, 1), "side2": (8, 1)}
WEIGHTS: Arrays = {
    f"{name}.{kind}": drawn(3, 3, *widths) if kind == "kernel" else drawn(widths[1])
    for name, widths in WIDTHS.items()
    for kind in ("kernel", "bias")
} | {"mixer.kernel": drawn(1, 1, 2, 1), "mixer.bias": drawn(1)}
PARAMETERS = sum(values.size for values in WEIGHTS.values())
MULTIPLY_ADDS = 32 * 32 * sum(9 * inputs * outputs for inputs, outputs in WIDTHS.values())
ARCHITECTURE = {
    "convolution_parameters": PARAMETERS,
    "convolutions": 6,
    "multiply_adds_32x32": MULTIPLY_ADDS + 32 * 32 * 2,
    "side_outputs": 2,
}


def optimized(weights: Arrays) -> Arrays:
    """Return the weights after optimize_graph: side outputs mixed, the kernel over two joined tensors split."""
    found = {name: values for name, values in weights.items() if not name.startswith("mixer.")}
    found["joined.kernel"], found["joined.second"] = np.split(weights["joined.kernel"], [8], axis=2)
    for index in (0, 1):
        for kind in ("kernel", "bias"):
            name = f"side{index + 1}.{kind}"
            found[name] = weights[name] * weights["mixer.kernel"][0, 0, index]
    found["side1.bias"] = found["side1.bias"] + weights["mixer.bias"]
    return found


OPTIMIZED = optimized(WEIGHTS)
LIMITS = {"weights": 0.02, "graph_bytes": 5000}


def write_onnx(path: Path, weights: Arrays) -> None:
    def stored(name: str, values: NDArray[np.float32]) -> TensorProto:
        return numpy_helper.from_array(values.transpose(3, 2, 0, 1) if values.ndim == 4 else values, name)

    def convolution(name: str, source: str) -> Any:
        # A weight that the file lacks is not read.
        read = [weight for weight in (f"{name}.kernel", f"{name}.bias") if weight in weights]
        return helper.make_node("Conv", [source, *read], [f"{name}.output"], name)

    nodes = [
        convolution("first", "x"),
        helper.make_node("Relu", ["first.output"], ["active"]),
        convolution("second", "active"),
        helper.make_node("Concat", ["second.output", "active"], ["both"], axis=1),
        convolution("joined", "both"),
        convolution("side1", "joined.output"),
        convolution("side2", "second.output"),
        helper.make_node("Resize", ["side2.output"], ["large"]),
        helper.make_node("Concat", ["side1.output", "large"], ["sides"], axis=1),
        convolution("mixer", "sides"),
        helper.make_node("Sigmoid", ["mixer.output"], ["d0"]),
    ]
    initializers = [stored(name, values) for name, values in weights.items()]
    initializers.append(numpy_helper.from_array(np.array([1, 2], np.int64), "sizes"))
    x, d0 = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, 32, 32])
        for name, count in (("x", 3), ("d0", 1))
    )
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [x], [d0], initializers)), path)


def write_ir(xml: Path, weights: Arrays) -> None:
    data, layers, edges = b"", [], []
    for number, (name, values) in enumerate(weights.items()):
        stored = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.reshape(1, -1, 1, 1)
        shape = ",".join(map(str, stored.shape))
        layers.append(
            f'<layer id="{number}" name="{name}" type="Const"><data element_type="f32" shape="{shape}"'
            f' offset="{len(data)}" size="{values.nbytes}" /></layer>'
        )
        layers.append(f'<layer id="{1000 + number}" type="{"Convolution" if values.ndim == 4 else "Add"}" />')
        edges.append(f'<edge from-layer="{number}" to-layer="{1000 + number}" />')
        data += np.ascontiguousarray(stored).tobytes()
    layers.append(f'<layer type="Const"><data element_type="i64" shape="1" offset="{len(data)}" size="8" /></layer>')
    xml.write_text(f"<net><layers>{''.join(layers)}</layers><edges>{''.join(edges)}</edges></net>")
    xml.with_suffix(".bin").write_bytes(data + bytes(8))


def write_graph(path: Path, weights: Arrays) -> None:
    with tf.Graph().as_default() as graph:
        for name, values in weights.items():
            tf.constant(values, name=name)
        tf.constant([7, 7], tf.int32, name="sizes")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def topology(operation: str) -> list[dict[str, Any]]:
    """Return the convolutions of a 32×32 input, one of them split in two. They come after an `operation`, e.g. ReLU."""
    shape = {"dim": [{"size": size} for size in (1, 32, 32, 3)]}
    same = {"padding": {"s": base64.b64encode(b"SAME").decode()}}
    reads = {
        "c1": ["first", "first.kernel", "first.bias"],
        "c2": ["c1", "second.kernel", "second.bias"],
        "c3a": ["c2", "joined.kernel", "joined.bias"],
        "c3b": ["c1", "joined.second"],
        "c4": ["c3", "side1.kernel", "side1.bias"],
        "c5": ["c2", "side2.kernel", "side2.bias"],
    }
    return [
        {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": shape}}},
        {"name": "first", "op": operation, "input": ["x"]},
        {"name": "c3", "op": "AddV2", "input": ["c3a", "c3b"]},
        *(
            {"name": name, "op": "_FusedConv2D" if len(read) == 3 else "Conv2D", "input": read, "attr": same}
            for name, read in reads.items()
        ),
    ]


def write_tfjs(folder: Path, weights: Arrays, dtype: str, operation: str = "Relu") -> None:
    folder.mkdir(exist_ok=True)
    specs: list[dict[str, Any]] = [{"name": "sizes", "shape": [2], "dtype": "int32"}]
    data = np.array([7, 7], np.int32).tobytes()
    for name, values in weights.items():
        spec: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if dtype != "float32":
            low, scale = float(values.min()), max(float(np.ptp(values)), 1e-9) / 65535
            spec["quantization"] = {"dtype": dtype, "scale": scale, "min": low}
            data += ((values - low) / scale).round().astype(dtype).tobytes()
        else:
            data += values.tobytes()
        specs.append(spec)
    nodes = topology(operation)
    half = len(data) // 2
    (folder / "group1-shard1of2.bin").write_bytes(data[:half])
    (folder / "group1-shard2of2.bin").write_bytes(data[half:])
    (folder / ".snakemake_timestamp").touch()
    paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": paths, "weights": specs}]}
    (folder / "model.json").write_text(json.dumps(model))


TFLITE_TYPES = {
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


def write_tflite(path: Path, weights: Arrays) -> None:
    """Write a size, the weights, and no operators: only what is stored matters here.

    Weights are stored in half precision or, if the file is named int8, kernels in int8 and biases in float32.
    """
    stored: list[tuple[NDArray[Any], list[float]]] = [(np.array([7, 7], np.int32), [])]
    for array in weights.values():
        kernel = array.transpose(3, 0, 1, 2) if array.ndim == 4 else array
        if path.stem == "float16":
            stored.append((kernel.astype(np.float16), []))
        elif array.ndim == 4:
            scales = np.abs(kernel).max((1, 2, 3)) / 127
            stored.append((np.round(kernel / scales[:, None, None, None]).astype(np.int8), scales.tolist()))
        else:
            stored.append((kernel, []))
    values = [value for value, _ in stored]
    tensors = []
    for index, (value, scales) in enumerate(stored, 1):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(value.shape), TFLITE_TYPES[value.dtype], index
        if scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
        tensors.append(tensor)
    graph, file = schema.SubGraphT(), schema.ModelT()
    graph.tensors = tensors
    file.version, file.subgraphs = 3, [graph]
    file.buffers = [schema.BufferT() for _ in range(len(values) + 1)]
    for buffer, value in zip(file.buffers[1:], values, strict=True):
        buffer.data = np.frombuffer(value.tobytes(), np.uint8)
    builder = flatbuffers.Builder()
    builder.Finish(file.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


# The artifacts in which the side outputs are not mixed yet.
PLAIN = ("onnx", "ir", "frozen")


class Artifacts:
    """All artifacts of one resolution. Each holds every weight once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "size.json"
        self.failed = folder / "size.failed.json"
        (folder / "architecture.json").write_text(json.dumps(ARCHITECTURE))
        for artifact in ("onnx", "ir", "frozen", "optimized", "float32", "uint16", "float16.tflite"):
            self.write(artifact, WEIGHTS if artifact in PLAIN else OPTIMIZED)

    def write(self, artifact: str, weights: Arrays) -> None:
        if artifact == "onnx":
            write_onnx(self.folder / "model.onnx", weights)
        elif artifact == "ir":
            write_ir(self.folder / "model.xml", weights)
        elif artifact in ("frozen", "optimized"):
            write_graph(self.folder / f"{artifact}.pb", weights)
        elif artifact == "float16.tflite":
            write_tflite(self.folder / artifact, weights)
        else:
            write_tfjs(self.folder / artifact, weights, artifact)

    def arguments(self) -> list[str]:
        paths = {
            "--architecture": ["architecture.json"],
            "--onnx": ["model.onnx"],
            "--ir": ["model.xml"],
            "--frozen": ["frozen.pb"],
            "--optimized": ["optimized.pb"],
            "--tfjs": ["float32", "uint16"],
            "--tflite": ["float16.tflite"],
            "--output": ["size.json"],
        }
        given = [word for option, names in paths.items() for word in (option, *(str(self.folder / n) for n in names))]
        return [*given, "--resolution", "32", "--limits", json.dumps(LIMITS)]


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path)


def test_every_weight_once_passes(artifacts: Artifacts, capsys: pytest.CaptureFixture[str]) -> None:
    main(artifacts.arguments())
    report = json.loads(artifacts.report.read_text())
    assert report["passed"] is True
    found = {size["artifact"]: size for size in report["artifacts"]}
    assert list(found) == ["onnx", "ir", "frozen", "optimized", "tfjs-float32", "tfjs-uint16", "litert-float16"]
    for name, size in found.items():
        assert size["problems"] == []
        parameters = PARAMETERS if name in PLAIN else PARAMETERS - 3
        # The mixing convolution is gone, and one kernel is in two halves.
        assert size["tensors"] == (12 if name in PLAIN else 11)
        item_bytes = 2 if name in ("tfjs-uint16", "litert-float16") else 4
        assert size["weight_bytes"] == size["expected_weight_bytes"] == parameters * item_bytes
    assert {each["multiply_adds"] for each in report["structures"].values()} == {MULTIPLY_ADDS}
    folder = artifacts.folder
    assert found["ir"]["bytes"] == sum((folder / f"model.{end}").stat().st_size for end in ("xml", "bin"))
    assert found["tfjs-uint16"]["bytes"] == sum(f.stat().st_size for f in (folder / "uint16").iterdir())
    assert len(capsys.readouterr().out.splitlines()) == 8


ALL = pytest.mark.parametrize(
    ("artifact", "name"),
    [
        ("onnx", "onnx"),
        ("ir", "ir"),
        ("frozen", "frozen"),
        ("optimized", "optimized"),
        ("float32", "tfjs-float32"),
        ("uint16", "tfjs-uint16"),
        ("float16.tflite", "litert-float16"),
    ],
)


def problems(artifacts: Artifacts, refusal: Refusal, name: str) -> str:
    """Return everything that the failed report says about the one wrong artifact."""
    message = refusal(main, *artifacts.arguments())
    assert message.startswith(f"script: {name}: ")
    assert not artifacts.report.exists()
    report = json.loads(artifacts.failed.read_text())
    assert report["passed"] is False
    assert [size["artifact"] for size in report["artifacts"] if size["problems"]] == [name]
    return "; ".join(problem for size in report["artifacts"] for problem in size["problems"])


def held(artifact: str) -> Arrays:
    """Return the weights that an artifact must hold."""
    return dict(WEIGHTS if artifact in PLAIN else OPTIMIZED)


@ALL
def test_a_kernel_stored_twice_is_found(artifacts: Artifacts, refusal: Refusal, artifact: str, name: str) -> None:
    artifacts.write(artifact, {**held(artifact), "copy": WEIGHTS["second.kernel"].copy()})
    found = problems(artifacts, refusal, name)
    # In ONNX, a tensor is a kernel because a convolution reads it.
    doubled = "1 weight tensors are stored more than once, the kernel of second first"
    assert ("1 tensors are no weights of the network" if artifact == "onnx" else doubled) in found
    assert "weight bytes, expected" in found


LATER = pytest.mark.parametrize(
    ("artifact", "name"),
    [("ir", "ir"), ("frozen", "frozen"), ("optimized", "optimized"), ("float32", "tfjs-float32"),
     ("uint16", "tfjs-uint16"), ("float16.tflite", "litert-float16")],
)  # fmt: skip


@LATER
def test_one_kernel_in_anothers_place_is_found(
    artifacts: Artifacts, refusal: Refusal, artifact: str, name: str
) -> None:
    # The number of tensors is right. Only the values show the fault.
    weights = held(artifact)
    weights["side1.kernel"] = weights["side2.kernel"].copy()
    artifacts.write(artifact, weights)
    found = problems(artifacts, refusal, name)
    assert "1 of its weight tensors are missing, the kernel of side1 first" in found
    assert "1 weight tensors are stored more than once, the kernel of side2 first" in found


CHANGES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "halved": lambda kernel: kernel / 2,
    "one sign": lambda kernel: np.where(kernel == kernel.max(), -kernel, kernel),
    "zeros": np.zeros_like,
    "truncated": lambda kernel: kernel[:, :, :4],
    "transposed": lambda kernel: kernel.transpose(1, 0, 2, 3),
}


@LATER
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_kernel_is_found(
    artifacts: Artifacts, refusal: Refusal, artifact: str, name: str, change: str
) -> None:
    weights = held(artifact)
    weights["second.kernel"] = np.ascontiguousarray(CHANGES[change](weights["second.kernel"]), np.float32)
    artifacts.write(artifact, weights)
    found = problems(artifacts, refusal, name)
    assert "1 of its weight tensors are missing, the kernel of second first" in found
    assert f"1 tensors are no weights of the network, one of 3×3×{4 if change == 'truncated' else 8}×8 first" in found


@LATER
@pytest.mark.parametrize("bias", ["first.bias", "side2.bias"])
def test_a_lost_or_zeroed_bias_is_found(
    artifacts: Artifacts, refusal: Refusal, artifact: str, name: str, bias: str
) -> None:
    convolution = bias.removesuffix(".bias")
    for weights in ({**held(artifact), bias: np.zeros_like(held(artifact)[bias])}, held(artifact)):
        if weights[bias].any():
            del weights[bias]
        artifacts.write(artifact, weights)
        found = problems(artifacts, refusal, name)
        assert f"1 of its weight tensors are missing, the bias of {convolution} first" in found


def test_nan_is_no_weight(artifacts: Artifacts, refusal: Refusal) -> None:
    weights = {**OPTIMIZED, "first.bias": np.full(8, np.nan, np.float32)}
    artifacts.write("float32", weights)
    assert "the bias of first first; 1 tensors are no weights" in problems(artifacts, refusal, "tfjs-float32")


def test_a_convolution_without_a_weight_in_the_onnx_file_is_named(artifacts: Artifacts, refusal: Refusal) -> None:
    artifacts.write("onnx", {name: values for name, values in WEIGHTS.items() if name != "second.bias"})
    assert "onnx: cannot be read: the convolution second has no bias" in refusal(main, *artifacts.arguments())


def test_other_convolutions_than_the_checkpoints_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    more = {**ARCHITECTURE, "convolution_parameters": PARAMETERS + 1}
    (artifacts.folder / "architecture.json").write_text(json.dumps(more))
    assert f"onnx: {PARAMETERS} convolution parameters, expected {PARAMETERS + 1}" in refusal(
        main, *artifacts.arguments()
    )


@ALL
def test_a_tensor_in_two_pieces_is_found(artifacts: Artifacts, refusal: Refusal, artifact: str, name: str) -> None:
    weights = held(artifact)
    first, second = np.split(weights["second.kernel"], [4], axis=2)
    if artifact == "onnx":
        message = refusal(main, *changed_onnx(artifacts, {**weights, "second.kernel": first, "piece": second}))
        assert "onnx: " in message
        return
    artifacts.write(artifact, {**weights, "second.kernel": first, "piece": second})
    found = problems(artifacts, refusal, name)
    assert "1 of its weight tensors are missing, the kernel of second first" in found
    assert "2 tensors are no weights of the network, one of 3×3×4×8 first" in found


def changed_onnx(artifacts: Artifacts, weights: Arrays) -> list[str]:
    artifacts.write("onnx", weights)
    return artifacts.arguments()


def unusual() -> Arrays:
    """Return weights with two biases of zeros, a side output of zeros, and two equal kernels."""
    zeros = {name: np.zeros_like(WEIGHTS[name]) for name in ("first.bias", "mixer.bias", "side2.kernel", "side2.bias")}
    return {**WEIGHTS, **zeros, "second.bias": WEIGHTS["joined.bias"].copy()}


@pytest.mark.parametrize("dropped", [(), ("first.bias", "side2.bias"), ("second.bias",)])
def test_zeros_and_equal_weights_may_be_left_out_or_shared(artifacts: Artifacts, dropped: tuple[str, ...]) -> None:
    plain = unusual()
    for artifact in ("onnx", "ir", "frozen", "optimized", "float32", "uint16", "float16.tflite"):
        weights = plain if artifact in PLAIN else optimized(plain)
        kept = {name: values for name, values in weights.items() if artifact == "onnx" or name not in dropped}
        artifacts.write(artifact, kept)
    main(artifacts.arguments())
    found = json.loads(artifacts.report.read_text())["artifacts"]
    assert [size["tensors"] for size in found] == [12, *[12 - len(dropped)] * 2, *[11 - len(dropped)] * 4]


def test_an_unusual_network_still_needs_every_other_weight(artifacts: Artifacts, refusal: Refusal) -> None:
    plain = unusual()
    for artifact in ("onnx", "ir", "frozen", "optimized", "float32", "uint16", "float16.tflite"):
        artifacts.write(artifact, plain if artifact in PLAIN else optimized(plain))
    # This equals the bias of `joined`. One of the two must be stored.
    lost = {name: values for name, values in plain.items() if name not in ("second.bias", "joined.bias")}
    artifacts.write("frozen", lost)
    assert "2 of its weight tensors are missing, the bias of second first" in problems(artifacts, refusal, "frozen")
    # A kernel of zeros is not a bias of zeros. No converter may drop it.
    artifacts.write("frozen", {name: values for name, values in plain.items() if name != "side2.kernel"})
    assert "the kernel of side2 first" in problems(artifacts, refusal, "frozen")


def test_the_zeros_that_the_tflite_converter_adds_are_not_weights(artifacts: Artifacts, refusal: Refusal) -> None:
    artifacts.write("float16.tflite", {**OPTIMIZED, "zeros": np.zeros(8, np.float32)})
    main(artifacts.arguments())
    artifacts.write("float16.tflite", {**OPTIMIZED, "values": np.ones(8, np.float32)})
    assert "1 tensors are no weights of the network, one of 8 first" in problems(artifacts, refusal, "litert-float16")
    artifacts.write("float16.tflite", {**OPTIMIZED, "zeros": np.zeros(9, np.float32)})
    assert "1 tensors are no weights of the network, one of 9 first" in problems(artifacts, refusal, "litert-float16")


def test_weights_of_another_width_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "uint16", OPTIMIZED, "float32")
    found = problems(artifacts, refusal, "tfjs-uint16")
    mixed = PARAMETERS - 3
    assert found == f"{mixed * 4} weight bytes, expected {mixed * 2} within 2%"


def test_what_else_takes_room_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    (artifacts.folder / "float32" / "stray.bin").write_bytes(bytes(6000))
    assert "bytes beside the weights, at most 5000 expected" in problems(artifacts, refusal, "tfjs-float32")


def test_a_missing_shard_is_named(artifacts: Artifacts, refusal: Refusal) -> None:
    (artifacts.folder / "float32" / "group1-shard2of2.bin").unlink()
    assert "float32/group1-shard2of2.bin is missing" in problems(artifacts, refusal, "tfjs-float32")


@pytest.mark.parametrize("change", [-1, 1, -40])
def test_a_shard_that_is_short_or_long_is_found(artifacts: Artifacts, refusal: Refusal, change: int) -> None:
    shard = artifacts.folder / "uint16" / "group1-shard2of2.bin"
    shard.write_bytes((shard.read_bytes() + bytes(1))[: shard.stat().st_size + change])
    described = 2 * (PARAMETERS - 3) + 8
    found = problems(artifacts, refusal, "tfjs-uint16")
    assert f"the shards hold {described + change} bytes, but the manifest describes {described}" in found


def test_a_shard_over_4_mib_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    (artifacts.folder / "float32" / "group1-shard1of2.bin").write_bytes(bytes(SHARD_BYTES + 1))
    found = problems(artifacts, refusal, "tfjs-float32")
    assert f"group1-shard1of2.bin is larger than a shard's {SHARD_BYTES} bytes" in found


def test_2_gib_in_one_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    # A sparse file has the full length but takes no disk space.
    with path.open("wb") as file:
        file.truncate(2**31)
    small = tmp_path / "small.pb"
    write_graph(small, WEIGHTS)
    expected = [Expected(name, values) for name, values in WEIGHTS.items()]
    artifact = Artifact("frozen", [path], lambda _: graph_weights(small), expected, 4)
    size = check_artifact(artifact, {"weights": 0.02, "graph_bytes": 2**32})
    assert size.problems == ["2 GiB or more, which no protobuf message can hold"]


def test_a_detour_in_the_graph_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "uint16", OPTIMIZED, "uint16", operation="Pad")
    message = refusal(main, *artifacts.arguments())
    assert message.startswith("script: tfjs-uint16: 1 Pad are left (")
    assert json.loads(artifacts.failed.read_text())["structures"]["tfjs-uint16"]["operations"]["Pad"] == 1


def test_more_multiply_adds_than_the_network_has_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "float32", OPTIMIZED, "float32", operation="MaxPool")
    message = refusal(main, *artifacts.arguments())
    assert message.startswith(
        f"script: tfjs-float32: {MULTIPLY_ADDS // 4:,} multiply-adds, expected {MULTIPLY_ADDS:,} ("
    )


def test_a_convolution_too_few_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    model = artifacts.folder / "float32" / "model.json"
    content = json.loads(model.read_text())
    content["modelTopology"]["node"].pop()
    model.write_text(json.dumps(content))
    message = refusal(main, *artifacts.arguments())
    assert message.startswith("script: tfjs-float32: 4 fused convolutions, expected 5 (")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("frozen.pb", "frozen"),
        ("float32/model.json", "tfjs-float32"),
        ("model.xml", "ir"),
        ("float16.tflite", "litert-float16"),
    ],
)
def test_an_unreadable_artifact_is_reported(artifacts: Artifacts, refusal: Refusal, file: str, name: str) -> None:
    (artifacts.folder / file).write_text("not what it should be")
    assert "cannot be read: " in problems(artifacts, refusal, name)


def test_an_ir_whose_data_end_too_soon_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    data = artifacts.folder / "model.bin"
    data.write_bytes(data.read_bytes()[:-12])
    assert problems(artifacts, refusal, "ir")


def test_a_tflite_file_cut_short_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    file = artifacts.folder / "float16.tflite"
    # The identifier is still there, but the tables are not: they are before and after the weights.
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert problems(artifacts, refusal, "litert-float16")


def test_without_litert_the_rest_is_checked(artifacts: Artifacts) -> None:
    given = artifacts.arguments()
    given.remove(str(artifacts.folder / "float16.tflite"))
    main(given)
    report = json.loads(artifacts.report.read_text())
    assert report["artifacts"][-1]["artifact"] == "tfjs-uint16"


def with_int8(artifacts: Artifacts, planned: int) -> list[str]:
    """Return the arguments to check an int8.tflite, too, with a plan of so many weights in int8."""
    plan = artifacts.folder / "plan.json"
    plan.write_text(json.dumps({"int8_weights": planned}))
    given = artifacts.arguments()
    given.insert(given.index("--tflite") + 1, str(artifacts.folder / "int8.tflite"))
    return [*given, "--int8-plan", str(plan)]


IN_INT8 = sum(values.size for values in OPTIMIZED.values() if values.ndim == 4)


def test_int8_kernels_are_the_weights_up_to_their_rounding(artifacts: Artifacts) -> None:
    write_tflite(artifacts.folder / "int8.tflite", OPTIMIZED)
    main(with_int8(artifacts, IN_INT8))
    report = json.loads(artifacts.report.read_text())
    (found,) = (size for size in report["artifacts"] if size["artifact"] == "litert-int8")
    assert found["weight_bytes"] == IN_INT8 + 4 * (PARAMETERS - 3 - IN_INT8)
    assert any(name.endswith("plan.json") for name in report["read"])


def test_int8_kernels_of_another_network_or_plan_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tflite(artifacts.folder / "int8.tflite", OPTIMIZED)
    assert "weight bytes, expected" in refusal(main, *with_int8(artifacts, IN_INT8 // 2))
    other = {name: values[::-1].copy() if values.ndim == 4 else values for name, values in OPTIMIZED.items()}
    write_tflite(artifacts.folder / "int8.tflite", other)
    assert "litert-int8: " in refusal(main, *with_int8(artifacts, IN_INT8))


def compact(artifacts: Artifacts, planned: int) -> list[str]:
    """Write kernels with one byte per weight and the rest with two. Return the arguments to check `planned` bytes."""
    folder = artifacts.folder / "compact"
    write_tfjs(folder, OPTIMIZED, "uint16")
    model = json.loads((folder / "model.json").read_text())
    (group,) = model["weightsManifest"]
    data = np.array([7, 7], np.int32).tobytes()
    for spec in group["weights"][1:]:
        spec["quantization"]["dtype"] = dtype = "uint8" if len(spec["shape"]) == 4 else "uint16"
        data += RANDOM.integers(0, 256, spec["shape"]).astype(dtype).tobytes()
    group["paths"] = ["group1-shard1of1.bin"]
    (folder / "model.json").write_text(json.dumps(model))
    for shard in folder.glob("*.bin"):
        shard.unlink()
    (folder / "group1-shard1of1.bin").write_bytes(data)
    (artifacts.folder / "report.json").write_text(json.dumps({"bytes": planned}))
    return ["--tfjs", str(folder), "--plan", str(artifacts.folder / "report.json")]


PLANNED = sum(values.size * (1 if values.ndim == 4 else 2) for values in OPTIMIZED.values())


def test_compact_weights_take_what_was_planned(artifacts: Artifacts) -> None:
    main([*artifacts.arguments(), *compact(artifacts, PLANNED)])
    sizes = {size["artifact"]: size for size in json.loads(artifacts.report.read_text())["artifacts"]}
    size = sizes["tfjs-compact"]
    assert size["weight_bytes"] == size["expected_weight_bytes"] == PLANNED


def test_compact_weights_of_other_sizes_than_planned_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    message = refusal(main, *artifacts.arguments(), *compact(artifacts, PLANNED + 72))
    assert f"tfjs-compact: {PLANNED} weight bytes, expected {PLANNED + 72} within 2%" in message


def test_compact_weights_no_smaller_than_uint16_are_refused(artifacts: Artifacts, refusal: Refusal) -> None:
    message = refusal(main, *artifacts.arguments(), *compact(artifacts, 2 * (PARAMETERS - 3)))
    assert message.endswith("takes 2.00 bytes a weight, no less than uint16; leave compact out")
