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

from workflow_scripts.check.check_size import check_artifact, graph_weights, main
from workflow_scripts.convert.convert_tfjs import SHARD_BYTES

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
Arrays = dict[str, NDArray[np.float32]]
RANDOM = np.random.default_rng(3)
# Two convolutions: kernel and bias each, as an architecture counts them.
WEIGHTS: Arrays = {
    "kernel1": RANDOM.normal(size=(3, 3, 3, 8)).astype(np.float32),
    "bias1": np.zeros(8, np.float32),
    "kernel2": RANDOM.normal(size=(3, 3, 8, 8)).astype(np.float32),
    "bias2": np.zeros(8, np.float32),
}
PARAMETERS = 3 * 3 * 3 * 8 + 8 + 3 * 3 * 8 * 8 + 8
# What mixes two side outputs, which optimize_graph folds into what makes them.
MIXING: Arrays = {"mixer": np.array([[[[0.5], [0.7]]]], np.float32), "mixer_bias": np.zeros(1, np.float32)}
MULTIPLY_ADDS = 32 * 32 * (3 * 3 * 3 * 8 + 3 * 3 * 8 * 8)
ARCHITECTURE = {
    "convolution_parameters": PARAMETERS + 3,
    "convolutions": 3,
    "multiply_adds_32x32": MULTIPLY_ADDS + 32 * 32 * 2,
    "side_outputs": 2,
}
LIMITS = {"weights": 0.02, "graph_bytes": 5000}


def write_onnx(path: Path, weights: Arrays) -> None:
    initializers = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    initializers.append(numpy_helper.from_array(np.array([1, 2], np.int64), "sizes"))
    end = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["d0"])], "g", [end], [], initializers)
    onnx.save(helper.make_model(graph), path)


def write_ir(xml: Path, weights: Arrays) -> None:
    data, layers = b"", []
    for name, values in weights.items():
        shape = ",".join(map(str, values.shape))
        layers.append(
            f'<layer name="{name}" type="Const"><data element_type="f32" shape="{shape}" offset="{len(data)}"'
            f' size="{values.nbytes}" /></layer>'
        )
        data += values.tobytes()
    layers.append(f'<layer type="Const"><data element_type="i64" shape="1" offset="{len(data)}" size="8" /></layer>')
    xml.write_text(f"<net><layers>{''.join(layers)}</layers></net>")
    xml.with_suffix(".bin").write_bytes(data + bytes(8))


def write_graph(path: Path, weights: Arrays) -> None:
    with tf.Graph().as_default() as graph:
        for name, values in weights.items():
            tf.constant(values, name=name)
        tf.constant([7, 7], tf.int32, name="sizes")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def topology(operation: str) -> list[dict[str, Any]]:
    """Two convolutions of a 32×32 input, after a ReLU or whatever `operation` is."""
    shape = {"dim": [{"size": size} for size in (1, 32, 32, 3)]}
    same = {"padding": {"s": base64.b64encode(b"SAME").decode()}}
    return [
        {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": shape}}},
        {"name": "first", "op": operation, "input": ["x"]},
        {"name": "c1", "op": "_FusedConv2D", "input": ["first", "kernel1", "bias1"], "attr": same},
        {"name": "c2", "op": "_FusedConv2D", "input": ["c1", "kernel2", "bias2"], "attr": same},
    ]


def write_tfjs(folder: Path, weights: Arrays, dtype: str, operation: str = "Relu") -> None:
    folder.mkdir(exist_ok=True)
    specs: list[dict[str, Any]] = [{"name": "sizes", "shape": [2], "dtype": "int32"}]
    data = np.array([7, 7], np.int32).tobytes()
    for name, values in weights.items():
        spec: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if dtype != "float32":
            spec["quantization"] = {"dtype": dtype, "scale": 1e-4, "min": -4.0}
            data += ((values + 4) / 1e-4).astype(dtype).tobytes()
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


def write_tflite(path: Path, weights: Arrays) -> None:
    """Half-precision weights, a size beside them, and no operator: only what is stored counts here."""
    values = [np.array([7, 7], np.int32), *(array.astype(np.float16) for array in weights.values())]
    types = {np.dtype(np.int32): schema.TensorType.INT32, np.dtype(np.float16): schema.TensorType.FLOAT16}
    tensors = []
    for index, value in enumerate(values, 1):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(value.shape), types[value.dtype], index
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


class Artifacts:
    """All of one resolution's artifacts, each holding every weight once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "size.json"
        self.failed = folder / "size.failed.json"
        (folder / "architecture.json").write_text(json.dumps(ARCHITECTURE))
        for artifact in ("onnx", "ir", "frozen", "optimized", "float32", "uint16", "float16.tflite"):
            self.write(artifact, WEIGHTS)

    def write(self, artifact: str, weights: Arrays) -> None:
        if artifact == "onnx":
            write_onnx(self.folder / "model.onnx", {**weights, **MIXING})
        elif artifact == "ir":
            write_ir(self.folder / "model.xml", {**weights, **MIXING})
        elif artifact == "frozen":
            write_graph(self.folder / "frozen.pb", {**weights, **MIXING})
        elif artifact == "optimized":
            write_graph(self.folder / "optimized.pb", weights)
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
        mixed = name in ("optimized", "tfjs-float32", "tfjs-uint16", "litert-float16")
        parameters = PARAMETERS if mixed else PARAMETERS + 3
        assert size["tensors"] == (4 if mixed else 6)
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
    """All that the failed report says of the one artifact at fault."""
    message = refusal(main, *artifacts.arguments())
    assert message.startswith(f"script: {name}: ")
    assert not artifacts.report.exists()
    report = json.loads(artifacts.failed.read_text())
    assert report["passed"] is False
    assert [size["artifact"] for size in report["artifacts"] if size["problems"]] == [name]
    return "; ".join(problem for size in report["artifacts"] for problem in size["problems"])


@ALL
def test_a_kernel_stored_twice_is_found(artifacts: Artifacts, refusal: Refusal, artifact: str, name: str) -> None:
    artifacts.write(artifact, {**WEIGHTS, "copy": WEIGHTS["kernel2"].copy()})
    found = problems(artifacts, refusal, name)
    assert "1 kernels are stored more than once" in found
    assert "weight tensors, expected" in found
    assert "weight bytes, expected" in found


@ALL
def test_one_kernel_in_anothers_place_is_found(
    artifacts: Artifacts, refusal: Refusal, artifact: str, name: str
) -> None:
    # As many tensors and bytes as there should be: only the digests tell.
    weights = {
        "kernel1": WEIGHTS["kernel1"],
        "copy": WEIGHTS["kernel1"].copy(),
        "bias": np.zeros(8, np.float32),
        "rest": RANDOM.normal(size=PARAMETERS - 2 * 216 - 8).astype(np.float32),
    }
    artifacts.write(artifact, weights)
    assert problems(artifacts, refusal, name) == "1 kernels are stored more than once"


@ALL
def test_a_missing_tensor_is_found(artifacts: Artifacts, refusal: Refusal, artifact: str, name: str) -> None:
    artifacts.write(artifact, {key: values for key, values in WEIGHTS.items() if key != "bias2"})
    found = problems(artifacts, refusal, name)
    mixing = 3 if artifact in ("onnx", "ir", "frozen") else 0
    assert f"{PARAMETERS - 8 + mixing} weights, expected {PARAMETERS + mixing}" in found
    assert ("5 weight tensors, expected 6" if mixing else "3 weight tensors, expected 4") in found


@ALL
def test_a_tensor_in_two_pieces_is_found(artifacts: Artifacts, refusal: Refusal, artifact: str, name: str) -> None:
    # As many weights and bytes as there should be: only the count tells.
    first, second = np.split(WEIGHTS["kernel2"], [4], axis=2)
    artifacts.write(artifact, {**WEIGHTS, "kernel2": first, "kernel2b": second})
    expected = 6 if artifact in ("onnx", "ir", "frozen") else 4
    assert problems(artifacts, refusal, name) == f"{expected + 1} weight tensors, expected {expected}"


def test_the_zeros_that_the_tflite_converter_adds_are_not_weights(artifacts: Artifacts, refusal: Refusal) -> None:
    artifacts.write("float16.tflite", {**WEIGHTS, "zeros": np.zeros(16, np.float32)})
    main(artifacts.arguments())
    biased = {name: values + np.float32(1) for name, values in WEIGHTS.items()}
    artifacts.write("float16.tflite", {**biased, "values": np.ones(16, np.float32)})
    assert f"{PARAMETERS + 16} weights, expected {PARAMETERS}" in problems(artifacts, refusal, "litert-float16")


def test_weights_of_another_width_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "uint16", WEIGHTS, "float32")
    found = problems(artifacts, refusal, "tfjs-uint16")
    assert found == f"{PARAMETERS * 4} weight bytes, expected {PARAMETERS * 2} within 2%"


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
    described = 2 * PARAMETERS + 8
    found = problems(artifacts, refusal, "tfjs-uint16")
    assert f"the shards hold {described + change} bytes, but the manifest describes {described}" in found


def test_a_shard_over_4_mib_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    (artifacts.folder / "float32" / "group1-shard1of2.bin").write_bytes(bytes(SHARD_BYTES + 1))
    found = problems(artifacts, refusal, "tfjs-float32")
    assert f"group1-shard1of2.bin is larger than a shard's {SHARD_BYTES} bytes" in found


def test_2_gib_in_one_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    # A hole in the file: as long as it says, at no cost.
    with path.open("wb") as file:
        file.truncate(2**31)
    small = tmp_path / "small.pb"
    write_graph(small, WEIGHTS)
    limits = {"weights": 0.02, "graph_bytes": 2**32}
    size = check_artifact("frozen", [path], lambda _: graph_weights(small), 4, PARAMETERS, 4, limits)
    assert size.problems == ["2 GiB or more, which no protobuf message can hold"]


def test_a_detour_in_the_graph_is_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "uint16", WEIGHTS, "uint16", operation="Pad")
    message = refusal(main, *artifacts.arguments())
    assert message.startswith("script: tfjs-uint16: 1 Pad are left (")
    assert json.loads(artifacts.failed.read_text())["structures"]["tfjs-uint16"]["operations"]["Pad"] == 1


def test_more_multiply_adds_than_the_network_has_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    write_tfjs(artifacts.folder / "float32", WEIGHTS, "float32", operation="MaxPool")
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
    assert message.startswith("script: tfjs-float32: 1 fused convolutions, expected 2 (")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("frozen.pb", "frozen"),
        ("float32/model.json", "tfjs-float32"),
        ("model.onnx", "onnx"),
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
    # The identifier is still there, the tables are not: they lie before and behind the weights.
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert problems(artifacts, refusal, "litert-float16")


def test_without_litert_the_rest_is_checked(artifacts: Artifacts) -> None:
    given = artifacts.arguments()
    given.remove(str(artifacts.folder / "float16.tflite"))
    main(given)
    report = json.loads(artifacts.report.read_text())
    assert report["artifacts"][-1]["artifact"] == "tfjs-uint16"


def compact(artifacts: Artifacts, planned: int) -> list[str]:
    """Kernels in one byte a weight, the rest in two; the arguments that check it against `planned` bytes."""
    folder = artifacts.folder / "compact"
    write_tfjs(folder, WEIGHTS, "uint16")
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


PLANNED = 3 * 3 * 3 * 8 + 2 * 8 + 3 * 3 * 8 * 8 + 2 * 8


def test_compact_weights_take_what_was_planned(artifacts: Artifacts) -> None:
    main([*artifacts.arguments(), *compact(artifacts, PLANNED)])
    sizes = {size["artifact"]: size for size in json.loads(artifacts.report.read_text())["artifacts"]}
    size = sizes["tfjs-compact"]
    assert size["weight_bytes"] == size["expected_weight_bytes"] == PLANNED


def test_compact_weights_of_other_sizes_than_planned_are_found(artifacts: Artifacts, refusal: Refusal) -> None:
    message = refusal(main, *artifacts.arguments(), *compact(artifacts, PLANNED + 72))
    assert f"tfjs-compact: {PLANNED} weight bytes, expected {PLANNED + 72} within 2%" in message


def test_compact_weights_no_smaller_than_uint16_are_refused(artifacts: Artifacts, refusal: Refusal) -> None:
    message = refusal(main, *artifacts.arguments(), *compact(artifacts, 2 * PARAMETERS))
    assert message.endswith("takes 2.00 bytes a weight, no less than uint16; leave compact out")
