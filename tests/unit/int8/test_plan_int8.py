import json
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from safetensors.numpy import save_file

from workflow_scripts.int8 import quantize_tflite
from workflow_scripts.int8.layers import in_int8, read_layers
from workflow_scripts.int8.plan_int8 import main

pytestmark = pytest.mark.environment("litert")

Refusal = Callable[..., str]
RANDOM = np.random.default_rng(3)
SIDE = 32
CHANNELS = ((3, 8), (8, 8), (8, 8), (8, 1))
# Names that begin alike, as TensorFlow numbers them.
NAMES = ("relu", "relu_1", "relu_10", "d0")


def kernels(hard: bool = False) -> dict[str, NDArray[np.float32]]:
    """Kernels [out, height, width, in]. In a hard relu_10, two large weights cancel; they leave others no steps."""
    random = np.random.default_rng(3)
    found = {}
    for name, (before, after) in zip(NAMES, CHANNELS, strict=True):
        kernel = random.normal(0, (2 / (9 * before)) ** 0.5, (after, 3, 3, before)).astype(np.float32)
        found[name] = kernel
    if hard:
        found["relu_1"][1] = found["relu_1"][0]
        found["relu_10"][:, 0, 0, :2] = 40, -40
    return found


def write_model(path: Path, weights: dict[str, NDArray[np.float32]], names: tuple[str, ...] = NAMES) -> bytes:
    """Write a chain of convolutions with ReLU as a .tflite file."""

    def tensor(name: str, shape: list[int], buffer: int) -> schema.TensorT:
        return schema.TensorT(name=name.encode(), shape=shape, type=schema.TensorType.FLOAT32, buffer=buffer)

    tensors = [tensor("x", [1, SIDE, SIDE, 3], 0)]
    buffers, operators = [None], []
    for name, (original, kernel) in zip(names, weights.items(), strict=True):
        buffers += [kernel.reshape(-1).view(np.uint8), np.zeros(len(kernel), np.float32).view(np.uint8)]
        source = len(tensors) - 1
        tensors += [
            tensor(f"{name}/kernel", list(kernel.shape), len(buffers) - 2),
            tensor(f"{name}/bias", [len(kernel)], len(buffers) - 1),
            tensor(name, [1, SIDE, SIDE, len(kernel)], 0),
        ]
        last = len(tensors) - 1
        options = schema.Conv2DOptionsT(strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
        options.fusedActivationFunction = 0 if original == "d0" else 1
        operators.append(
            schema.OperatorT(
                inputs=[source, last - 2, last - 1],
                outputs=[last],
                builtinOptionsType=schema.BuiltinOptions.Conv2DOptions,
                builtinOptions=options,
            )
        )
    file = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(builtinCode=schema.BuiltinOperator.CONV_2D, version=1)],
        subgraphs=[schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[len(tensors) - 1], operators=operators)],
        buffers=[schema.BufferT(data=data) for data in buffers],
    )
    builder = flatbuffers.Builder()
    builder.Finish(file.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path.read_bytes()


def computed(model: bytes, x: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    output: NDArray[np.float32] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return output


def arguments(folder: Path, goal: float) -> list[str]:
    inputs = {name: RANDOM.normal(size=(1, 3, SIDE, SIDE)).astype(np.float32) for name in ("one", "two")}
    save_file(inputs, folder / "inputs.safetensors")
    files = {"--model": "model.tflite", "--inputs": "inputs.safetensors", "--output": "plan.json"}
    words = [str(word) for option, name in files.items() for word in (option, folder / name)]
    return [*words, "--goal", str(goal), "--threads", "1"]


def planned(folder: Path, goal: float) -> dict[str, object]:
    main(arguments(folder, goal))
    plan: dict[str, object] = json.loads((folder / "plan.json").read_text())
    return plan


def test_layers_are_read_in_order_with_their_multiply_adds(tmp_path: Path) -> None:
    layers = read_layers(write_model(tmp_path / "model.tflite", kernels()))
    assert [layer.name for layer in layers] == list(NAMES)
    assert [layer.weights for layer in layers] == [9 * a * b for a, b in CHANNELS]
    assert [layer.multiply_adds for layer in layers] == [SIDE**2 * 9 * a * b for a, b in CHANNELS]


def test_only_the_named_layers_change_and_the_function_nearly_stays(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.tflite", kernels())
    x = RANDOM.normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    exact = computed(model, x)
    errors = [np.abs(computed(in_int8(model, names), x) - exact).max() for names in (["relu_1"], ["relu_1", "relu_10"])]
    assert 0 < errors[0] < 0.05 * exact.std() + 0.1
    assert errors[1] < 0.1 * exact.std() + 0.2
    # relu_1 is not relu_10: their names only begin alike.
    assert len(in_int8(model, ["relu_1"])) < len(model)
    assert in_int8(model, ["relu_1"]) != in_int8(model, ["relu_10"])
    # A function of the file and the names alone.
    assert in_int8(model, ["relu_1"]) == in_int8(model, ["relu_1"])


def test_a_layer_that_loses_the_picture_stays_float32_and_so_do_the_first(tmp_path: Path) -> None:
    write_model(tmp_path / "model.tflite", kernels(hard=True))
    plan = planned(tmp_path, goal=25)
    assert plan["layers"]
    assert not {"relu", "relu_1", "relu_10"} & set(plan["layers"])  # type: ignore[call-overload]
    assert float(plan["worst_db"]) >= 25  # type: ignore[arg-type]
    assert 0 < float(plan["share_of_multiply_adds"]) < 1  # type: ignore[arg-type]


def test_a_layer_that_misses_the_goal_by_itself_does_not_keep_another_out(tmp_path: Path) -> None:
    weights = kernels()
    # relu_10 has eight times the multiply-adds of d0. So its error per multiply-add is smaller, though its error is
    # larger: int8 stores the kernel of d0 as it is, because its weights have one size.
    weights["relu_10"] = np.concatenate([weights["relu_10"]] * 40)
    weights["d0"] = np.sign(np.concatenate([weights["d0"]] * 40, axis=-1)) / 40
    write_model(tmp_path / "model.tflite", weights)
    assert planned(tmp_path, goal=55)["layers"] == ["d0"]


def test_all_layers_but_the_first_two_are_in_int8_where_the_picture_allows_it(tmp_path: Path) -> None:
    write_model(tmp_path / "model.tflite", kernels())
    plan = planned(tmp_path, goal=15)
    assert set(plan["layers"]) == {"relu_10", "d0"}  # type: ignore[call-overload]
    assert plan["int8_weights"] == 9 * (8 * 8 + 8)


def test_a_floor_that_no_layer_holds_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    write_model(tmp_path / "model.tflite", kernels())
    message = refusal(main, *arguments(tmp_path, goal=150))
    assert "no convolution can be in int8 if the drawing is to have 150.0 dB; lower tolerances.litert-int8" in message
    assert not (tmp_path / "plan.json").exists()


def test_a_plan_for_another_network_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    write_model(tmp_path / "model.tflite", kernels())
    planned(tmp_path, goal=15)
    write_model(tmp_path / "other.tflite", kernels(), names=("relu", "relu_1", "relu_2", "d0"))
    files = {"--model": "other.tflite", "--plan": "plan.json", "--output": "int8.tflite"}
    words = [str(word) for option, name in files.items() for word in (option, tmp_path / name)]
    assert refusal(quantize_tflite.main, *words) == (
        "script: the model has no convolution relu_10; make the plan again for this network"
    )
    assert not (tmp_path / "int8.tflite").exists()
