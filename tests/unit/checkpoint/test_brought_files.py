"""Test every kind of file that people bring, made by the exporters that they use. docs/checkpoints.md lists them."""

import copy
import io
import pickle
import random
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import onnxsim
import onnxslim
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.support.project import ROOT
from workflow_scripts.checkpoint.external_data import single_file
from workflow_scripts.checkpoint.file_kinds import kind_of
from workflow_scripts.checkpoint.onnx_network import read_onnx
from workflow_scripts.checkpoint.read_checkpoint import read_network
from workflow_scripts.engines.onnxruntime import ERRORS
from workflow_scripts.shared.failures import Failure
from workflow_scripts.shared.u2net import U2Net, infer_stages, pool, upsample_like

pytestmark = [
    pytest.mark.environment("torch"),
    pytest.mark.filterwarnings("ignore"),
]

# The float32 limits of the parity check.
MAX_ABS, P99_ABS = 2e-4, 5e-5
SIDE = 64


class Backwards(U2Net):
    """The refactored model of the U-2-Net repository: side outputs 6 to 1, joined as 1 to 6, and all seven returned."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        skips: list[Tensor] = []
        hidden = x
        for index in range(1, 6):
            hidden = self.get_submodule(f"stage{index}")(hidden)
            skips.append(hidden)
            hidden = pool(hidden)
        decoded = [self.get_submodule("stage6")(hidden)]
        for index in range(5, 0, -1):
            merged = torch.cat((upsample_like(decoded[0], skips[index - 1]), skips[index - 1]), 1)
            decoded.insert(0, self.get_submodule(f"stage{index}d")(merged))
        sides: list[Tensor] = []
        for index in range(6, 0, -1):
            sides.insert(0, upsample_like(self.get_submodule(f"side{index}")(decoded[index - 1]), x))
        return tuple(map(torch.sigmoid, [self.outconv(torch.cat(sides, 1)), *sides]))


class Wrapped(nn.Module):
    """A network with something before and after it."""

    def __init__(
        self, network: nn.Module, before: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.network(self.before(x)))


@dataclass
class Bench:
    """A network whose output varies, and the files that the exporters have made from it so far."""

    network: U2Net
    made: dict[str, bytes] = field(default_factory=dict)

    def export(self, path: Path, module: nn.Module | None = None, dynamic: bool = False, **options: Any) -> ModelProto:
        """Export with PyTorch to `path`, once for each set of options."""
        key = repr((type(module), dynamic, sorted(options.items())))
        x = torch.zeros(1, 3, SIDE, SIDE)
        names = {"dynamic_axes": {"x": {2: "h", 3: "w"}}, "input_names": ["x"]} if dynamic else {}
        if options.get("dynamo"):
            torch.onnx.export(module or self.network, (x,), path, verbose=False, **options)
            return onnx.load(path, load_external_data=False)
        if key not in self.made:
            options = {"opset_version": 11, **options}
            torch.onnx.export((module or self.network).eval(), (x,), path, dynamo=False, **names, **options)
            self.made[key] = path.read_bytes()
        path.write_bytes(self.made[key])
        return onnx.load(path)

    def state(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


@pytest.fixture(scope="module")
def bench(chain: Callable[..., Any], make_network: Callable[..., U2Net]) -> Bench:
    network = copy.deepcopy(make_network(chain([(2, 4)] * 11)))
    # d0 then takes values from 0 to 1, so that errors show in it.
    for index in range(1, 7):
        network.get_parameter(f"side{index}.weight").data.mul_(4)
    network.outconv.weight.data.mul_(4)
    return Bench(network)


Maker = Callable[[Bench, Path], object]


def exported(module: Callable[[Bench], nn.Module] | None = None, **options: Any) -> Maker:
    return lambda bench, path: bench.export(path, module and module(bench), **options)


def backwards(bench: Bench) -> nn.Module:
    network = Backwards(infer_stages({name: tuple(t.shape) for name, t in bench.state().items()}))
    network.load_state_dict(bench.state())
    return network.eval()


def edited(change: Callable[[ModelProto], object], **options: Any) -> Maker:
    """Return a maker of PyTorch's export with changed nodes."""

    def make(bench: Bench, path: Path) -> None:
        model = bench.export(path, **options)
        found = change(model)
        onnx.save(found if isinstance(found, ModelProto) else model, path)

    return make


def optimised(level: str) -> Maker:
    """Return a maker of the file that ONNX Runtime writes when it optimises offline."""

    def make(bench: Bench, path: Path) -> None:
        bench.export(path)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
        options.optimized_model_filepath = str(path.with_name("optimised.onnx"))
        options.log_severity_level = 4
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        path.with_name("optimised.onnx").replace(path)

    return make


def logits_only(model: ModelProto) -> None:
    (sigmoid,) = [node for node in model.graph.node if node.op_type == "Sigmoid"]
    model.graph.output[0].name = sigmoid.input[0]
    model.graph.node.remove(sigmoid)


def saved(change: Callable[[dict[str, Tensor]], Any], **options: Any) -> Maker:
    """Return a maker of a changed state dict, written by torch.save."""
    return lambda bench, path: torch.save(change(bench.state()), path, **options)


def prefixed(prefix: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {f"{prefix}{name}": tensor for name, tensor in state.items()}


def typed(kind: torch.dtype) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {n: t.to(kind) if t.is_floating_point() else t for n, t in state.items()}


def trained(bench: Bench) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A state dict and the state of a real optimizer."""
    network = copy.deepcopy(bench.network).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.0)
    network(torch.rand(2, 3, 64, 64)).mean().backward()
    optimizer.step()
    return network.eval().state_dict(), optimizer.state_dict()


def lightning(bench: Bench, path: Path) -> None:
    """Write the layout of Lightning's Trainer.save_checkpoint. The network is an attribute of the module."""
    state, optimizer = trained(bench)
    bench.network.load_state_dict(state)
    content = {
        "epoch": 3,
        "global_step": 120,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": tensor for name, tensor in state.items()},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4, "completed": 3}}}},
        "callbacks": {
            "ModelCheckpoint{'monitor': 'loss'}": {"best_model_score": torch.tensor(0.25), "best_k_models": {}}
        },
        "optimizer_states": [optimizer],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 1e-3, "widths": (4, 2)},
    }
    torch.save(content, path)


def averaged(bench: Bench, path: Path) -> None:
    torch.save(torch.optim.swa_utils.AveragedModel(bench.network).state_dict(), path)


def training(bench: Bench, path: Path) -> None:
    state, optimizer = trained(bench)
    bench.network.load_state_dict(state)
    torch.save({"epoch": 7, "model_state_dict": state, "optimizer": optimizer, "best": 0.5}, path)


def padded_pools(model: ModelProto) -> None:
    """Have every pooling round up by a pad after the last pixel, as PyTorch writes it for opset 9."""
    for node in model.graph.node:
        if node.op_type == "MaxPool":
            del node.attribute[:]
            node.attribute.extend(
                helper.make_attribute(name, value)
                for name, value in {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}.items()
            )


def after_the_first_relu(model: ModelProto, *nodes: onnx.NodeProto) -> None:
    """Insert a chain of nodes, the last of which gives "inserted", between the first ReLU and what reads it."""
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    for node in model.graph.node:
        node.input[:] = ["inserted" if each == relu.output[0] else each for each in node.input]
    place = list(model.graph.node).index(relu) + 1
    for node in reversed(nodes):
        node.input[:] = [relu.output[0] if each == "relu" else each for each in node.input]
        model.graph.node.insert(place, node)


def rounded_to(kind: int) -> Callable[[ModelProto], None]:
    return lambda model: after_the_first_relu(
        model,
        helper.make_node("Cast", ["relu"], ["rounded"], to=kind),
        helper.make_node("Cast", ["rounded"], ["inserted"], to=TensorProto.FLOAT),
    )


def resized_in_place(scales: tuple[float, ...], **how: str) -> Callable[[ModelProto], None]:
    """Resize a map to its own size, but by a scale that is not 1, or only a part of it."""

    def change(model: ModelProto) -> None:
        for name, values in (("scales", scales), ("roi", (0, 0, 0.2, 0.2, 1, 1, 0.8, 0.8))):
            model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.float32), name))
        after_the_first_relu(
            model, helper.make_node("Resize", ["relu", "roi", "scales"], ["inserted"], mode="linear", **how)
        )

    return change


def sparse(model: ModelProto) -> None:
    kernel = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 4)
    values = numpy_helper.to_array(kernel)
    places = numpy_helper.from_array(np.arange(values.size), f"{kernel.name} places")
    dense = numpy_helper.from_array(values.ravel(), kernel.name)
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(dense, places, values.shape))
    model.graph.initializer.remove(kernel)


def own_relu(model: ModelProto) -> None:
    node = helper.make_node("Sigmoid", ["a"], ["b"])
    model.functions.append(helper.make_function("", "Relu", ["a"], ["b"], [node], list(model.opset_import)))


def scattered(bench: Bench, path: Path) -> None:
    """Keep the weights in Constant nodes, and the large ones' values in another file."""
    model = bench.export(path)
    for tensor in list(model.graph.initializer):
        model.graph.initializer.remove(tensor)
        model.graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], value=tensor))
    options = {"save_as_external_data": True, "location": "all.bin", "convert_attribute": True}
    onnx.save(model, path, size_threshold=200, **options)


def divided(bench: Bench, path: Path) -> None:
    network = copy.deepcopy(bench.network)
    torch.nn.utils.parametrizations.weight_norm(network.get_submodule("stage2.rebnconv3.conv_s1"))
    torch.save(network.state_dict(), path)


# The label is the docs' row.
ACCEPTED: dict[str, Maker] = {
    "ONNX of PyTorch's exporter by tracing (`dynamo=False`), opset 11, any size": exported(dynamic=True),
    "the same, opset 17, one size": exported(opset_version=17),
    "the same, opset 22, batch norms not folded (`do_constant_folding=False`)": exported(
        opset_version=22, do_constant_folding=False, dynamic=True, training=torch.onnx.TrainingMode.PRESERVE
    ),
    "ONNX of PyTorch's new exporter (`dynamo=True`), with its NAME.onnx.data beside it": exported(dynamo=True),
    "seven outputs; side outputs computed in another order than 1 to 6 (the refactored upstream model)": exported(
        backwards
    ),
    "ONNX that gives out logits, the sigmoid left out": edited(logits_only),
    "ONNX after onnxsim": edited(lambda model: onnxsim.simplify(model, check_n=0)[0]),
    "ONNX after onnxslim": edited(onnxslim.slim),
    "ONNX after ONNX Runtime's offline optimisation, ORT_ENABLE_BASIC": optimised("BASIC"),
    "the same, ORT_ENABLE_EXTENDED (`FusedConv`)": optimised("EXTENDED"),
    "ONNX in half precision (onnxruntime's `convert_float_to_float16`)": edited(
        lambda model: convert_float_to_float16(model, keep_io_types=True)
    ),
    "ONNX that rounds some maps to half precision": edited(rounded_to(TensorProto.FLOAT16)),
    "ONNX with its weights in `Constant` nodes, and their values in another file of its folder": scattered,
    "state dict, `torch.save(model.state_dict(), PATH)`": saved(dict),
    "the same in the older format, before PyTorch 1.6": saved(dict, _use_new_zipfile_serialization=False),
    "state dict in float64": saved(typed(torch.float64)),
    "state dict in float16": saved(typed(torch.float16)),
    "state dict in bfloat16": saved(typed(torch.bfloat16)),
    "state dict without `num_batches_tracked`": saved(
        lambda state: {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}
    ),
    "a training checkpoint: the state dict under a key, beside optimizer, epoch and counters": training,
    "Lightning's .ckpt": lightning,
    "`AveragedModel` (`n_averaged`, prefix `module.`)": averaged,
    "prefixes: `module.`, `model.`, `net.`, `u2net.`, `_orig_mod.`, several of them": saved(
        prefixed("module._orig_mod.net.u2net.")
    ),
    "a list or tuple with the state dict in it": saved(lambda state: [state, {"epoch": 3}]),
    ".safetensors": lambda bench, path: save_file(bench.state(), path),
    "a file named .PTH or .ONNX, or by any other name": saved(dict),
}


def attributes(operation: str, **values: Any) -> Callable[[ModelProto], None]:
    """Set attributes on every node of an operation."""

    def change(model: ModelProto) -> None:
        for node in model.graph.node:
            if node.op_type == operation:
                for name, value in values.items():
                    for old in [each for each in node.attribute if each.name == name]:
                        node.attribute.remove(old)
                    node.attribute.append(helper.make_attribute(name, value))

    return change


def renamed(content: bytes) -> Maker:
    return lambda _, path: path.write_bytes(content)


def archive(bench: Bench, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("u2net/README.md", "read me")
        target.writestr("u2net/u2net.pth", b"weights")


def tar(bench: Bench, path: Path) -> None:
    with tarfile.open(path, "w") as target:
        target.addfile(tarfile.TarInfo("u2net.pth"), io.BytesIO())


def wide_output(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for index in range(1, 7):
        state[f"side{index}.weight"] = state[f"side{index}.weight"].repeat(4, 1, 1, 1)
        state[f"side{index}.bias"] = state[f"side{index}.bias"].repeat(4)
    return {**state, "outconv.weight": torch.zeros(4, 24, 1, 1), "outconv.bias": torch.zeros(4)}


def four_channels(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "stage1.rebnconvin.conv_s1.weight": torch.zeros(4, 4, 3, 3)}


def outside(bench: Bench, path: Path) -> None:
    bench.export(path)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="w.bin")
    path.write_bytes(path.read_bytes().replace(b"w.bin", b"../w0"))


# The label is the docs' row. The words are those that the docs promise.
REFUSED: dict[str, tuple[Maker, str]] = {
    "ONNX that resizes to the nearest pixel": (
        edited(attributes("Resize", mode="nearest")),
        "resizes by the mode nearest, U²-Net bilinearly",
    ),
    "ONNX that resizes with `align_corners=True`": (
        edited(attributes("Resize", coordinate_transformation_mode="align_corners")),
        "measures by align_corners, U²-Net by half_pixel",
    ),
    "ONNX of opset 9 or 10 that resizes bilinearly": (exported(opset_version=10), "export with opset 11 or newer"),
    "ONNX after ONNX Runtime's offline optimisation, ORT_ENABLE_ALL": (
        optimised("ALL"),
        "was optimised by ONNX Runtime for one kind of processor",
    ),
    "ONNX that resizes by parts of a pixel": (
        edited(resized_in_place(scales=(1, 1, 1.01, 1.01))),
        "which is not the ratio of the sizes",
    ),
    "ONNX that crops while it resizes": (
        edited(resized_in_place((1, 1, 1, 1), coordinate_transformation_mode="tf_crop_and_resize")),
        "measures by tf_crop_and_resize",
    ),
    "ONNX that rounds maps to bfloat16": (edited(rounded_to(TensorProto.BFLOAT16)), "rounds maps to bfloat16"),
    "ONNX in float64": (
        lambda bench, path: torch.onnx.export(
            copy.deepcopy(bench.network).double(), (torch.zeros(1, 3, SIDE, SIDE).double(),), path, dynamo=False
        ),
        "computes in float64; export the network in float32",
    ),
    "ONNX with sparse weights": (edited(sparse), "keeps weights as sparse tensors"),
    "ONNX that says itself what an operator computes": (edited(own_relu), "says itself what Relu computes"),
    "ONNX with the normalisation built in": (
        exported(lambda bench: Wrapped(bench.network, lambda x: (x - 0.45) / 0.225, lambda d0: d0)),
        "the normalisation is built in; export the network alone",
    ),
    "ONNX that changes d0 after the sigmoid": (
        exported(
            lambda bench: Wrapped(bench.network, lambda x: x, lambda d0: 1 - d0), training=torch.onnx.TrainingMode.EVAL
        ),
        "export the network alone",
    ),
    "ONNX with weights in another folder, or behind a link": (outside, "outside its own folder"),
    "several output channels": (saved(wide_output), "has 4 output channels; one is supported"),
    "four input channels": (saved(four_channels), "takes 4 input channels; three are supported, RGB"),
    "IS-Net": (
        saved(lambda state: {**state, "conv_in.weight": torch.zeros(1)}),
        "is an IS-Net (it has conv_in), which is another network than U²-Net",
    ),
    "another number of stages": (
        saved(lambda state: {n: t for n, t in state.items() if "stage6" not in n}),
        "a U²-Net has six stages and five decoders",
    ),
    "another number of levels in a stage": (
        saved(lambda state: {n: t for n, t in state.items() if "stage1.rebnconv7" not in n}),
        "has 6 levels instead of 7",
    ),
    "several networks in one file (model and EMA)": (
        saved(lambda state: {"model": state, "ema": {n: t.clone() for n, t in state.items()}}),
        "holds 2 networks, under model, ema; choose one with --config checkpoint_key=",
    ),
    "other weights beside the network": (
        saved(lambda state: {"state_dict": {**prefixed("model.")(state), "critic.weight": torch.zeros(1)}}),
        "holds other weights beside the network under state_dict.model",
    ),
    "kernels in parts (`weight_norm`, `spectral_norm`, pruning)": (divided, "holds kernels in parts"),
    "sparse, quantized or float8 tensors": (
        saved(lambda state: {**state, "side1.weight": state["side1.weight"].to_sparse()}),
        "holds tensors of a kind that is not read here",
    ),
    "a whole pickled model": (
        lambda bench, path: torch.save(bench.network, path),
        "it may be a whole pickled model or trainer",
    ),
    "TorchScript": (
        lambda bench, path: torch.jit.save(torch.jit.trace(bench.network, torch.zeros(1, 3, 32, 32)), path),
        "is a TorchScript model, which is a program",
    ),
    "`torch.save(…, pickle_protocol=4)`": (saved(dict, pickle_protocol=4), "was saved with pickle protocol 4"),
    "a pickle that torch.save did not write": (
        renamed(pickle.dumps({"a": 1}, protocol=2)),
        "is a pickle that torch.save did not write",
    ),
    "a web page": (
        renamed(b"\n<!DOCTYPE html><p>Quota exceeded"),
        "is a web page, not a checkpoint; download the file itself",
    ),
    "a Git LFS pointer": (
        renamed(b"version https://git-lfs.github.com/spec/v1\noid sha256:0"),
        "fetch the file with git lfs pull",
    ),
    "a zip archive of something else": (
        archive,
        "is a zip archive of something else (u2net/readme.md, u2net/u2net.pth)",
    ),
    "a tar archive": (tar, "is a tar archive; unpack it"),
    "a TensorFlow Lite, HDF5 or OpenVINO model": (renamed(b"\x1c\0\0\0TFL3" + bytes(64)), "is a TensorFlow Lite model"),
    "an empty file": (renamed(b""), "is empty; download it again"),
}


def path_of(label: str, folder: Path) -> Path:
    return folder / ("MINE.PTH" if ".PTH" in label else "mine.file")


def own_output(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a random picture and the file's output for it in ONNX Runtime, which knows nothing of U²-Nets."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(3).normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    (given,) = session.get_inputs()
    return x, session.run(None, {given.name: x})[0]


def network_of(path: Path) -> U2Net:
    weights, _ = read_network(path)
    network = U2Net(infer_stages({name: tuple(tensor.shape) for name, tensor in weights.items()}))
    network.load_state_dict(weights, strict=False)
    return network.eval()


@torch.inference_mode()
def difference(network: nn.Module, x: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = np.abs(network(torch.from_numpy(x)).numpy().astype(np.float64) - expected)
    return found


@pytest.mark.parametrize("label", ACCEPTED)
def test_an_accepted_file_is_read_as_what_it_computes(bench: Bench, tmp_path: Path, label: str) -> None:
    path = path_of(label, tmp_path)
    bench = Bench(copy.deepcopy(bench.network), bench.made)
    ACCEPTED[label](bench, path)
    if kind_of(path) == "onnx":
        x, expected = own_output(path)
        if (content := single_file(path)) is not None:
            path.write_bytes(content)
        _, source = read_network(path)
        expected = 1 / (1 + np.exp(-expected.astype(np.float64))) if source["logits"] else expected
    else:
        # The file holds weights only. Compare with the network that it was saved from.
        x = np.random.default_rng(3).normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
        precision = re.search(r"in (b?float\d+)$", label)
        state = typed(getattr(torch, precision[1]) if precision else torch.float32)(bench.state())
        bench.network.load_state_dict(state)
        with torch.inference_mode():
            expected = bench.network(torch.from_numpy(x)).numpy()
    assert expected.max() - expected.min() > 0.2
    delta = difference(network_of(path), x, expected)
    half = "half precision" in label
    assert delta.max() <= (100 if half else 1) * MAX_ABS
    assert np.quantile(delta, 0.99) <= (100 if half else 1) * P99_ABS


@pytest.mark.parametrize("label", REFUSED)
def test_a_refused_file_is_refused_in_the_docs_words(bench: Bench, tmp_path: Path, label: str) -> None:
    path = path_of(label, tmp_path)
    make, words = REFUSED[label]
    make(bench, path)

    def read() -> None:
        # Run fetch_checkpoint's step and then read_checkpoint's.
        if kind_of(path) == "onnx":
            single_file(path)
        read_network(path)

    with pytest.raises(Failure) as refused:
        read()
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("side", [64, 72])
def test_pools_that_pad_are_read_as_what_they_compute(bench: Bench, tmp_path: Path, side: int) -> None:
    path = tmp_path / "padded.onnx"
    edited(padded_pools, dynamic=True)(bench, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(3).normal(size=(1, 3, side, side)).astype(np.float32)
    assert difference(network_of(path), x, session.run(None, {"x": x})[0]).max() <= MAX_ABS


@pytest.mark.parametrize("opset", [9, 10])
def test_old_opsets_resize_by_another_function_than_pytorch(bench: Bench, tmp_path: Path, opset: int) -> None:
    bench.export(tmp_path / "old.onnx", opset_version=opset)
    edited(attributes("Resize", coordinate_transformation_mode="asymmetric"))(bench, tmp_path / "asymmetric.onnx")
    (x, old), (_, asymmetric) = (own_output(tmp_path / name) for name in ("old.onnx", "asymmetric.onnx"))
    assert np.abs(old - asymmetric).max() < 1e-5
    assert difference(bench.network, x, old).max() > 0.1
    with pytest.raises(Failure, match=f"has no half_pixel in opset {opset}: .*; export with opset 11 or newer"):
        read_network(tmp_path / "old.onnx")


def test_the_docs_list_just_these_kinds_with_these_words() -> None:
    text = (ROOT / "docs/checkpoints.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (read|refused: .+?) \|$", text, re.MULTILINE)
    assert [label for label, verdict in rows if verdict == "read"] == list(ACCEPTED)
    refusals = {label: verdict for label, verdict in rows if verdict != "read"}
    assert list(refusals) == list(REFUSED)
    for label, (_, words) in REFUSED.items():
        assert f"“{words}”" in refusals[label], label


def find(model: ModelProto, operation: str, place: int = 0) -> onnx.NodeProto:
    return [node for node in model.graph.node if node.op_type == operation][place]


def takers(model: ModelProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if name in node.input]


def between(model: ModelProto, name: str, operation: str, *constants: np.ndarray[Any, Any]) -> None:
    """Insert an operation between a value and all nodes that read it."""
    for node in takers(model, name):
        node.input[:] = ["between" if each == name else each for each in node.input]
    for number, constant in enumerate(constants):
        model.graph.initializer.append(numpy_helper.from_array(constant, f"between{number}"))
    inputs = [name, *(f"between{number}" for number in range(len(constants)))]
    model.graph.node.append(helper.make_node(operation, inputs, ["between"]))


def without_relu(model: ModelProto) -> None:
    node = find(model, "Relu", -1)
    node.op_type = "Identity"


def swapped_convolutions(model: ModelProto) -> None:
    """Exchange two convolutions of one shape in the wiring. Their places in the file stay the same."""
    first, second = [node for node in model.graph.node if node.op_type == "Conv"][2:4]
    first.input[0], second.input[0] = second.input[0], first.input[0]
    first.output[0], second.output[0] = second.output[0], first.output[0]


def swapped_join(model: ModelProto) -> None:
    joins = [node for node in model.graph.node if node.op_type == "Concat" and len(node.input) == 2]
    node = [node for node in joins if any("Relu" in each for each in node.input)][-1]
    node.input[:] = list(reversed(node.input))


def swapped_sides(model: ModelProto) -> None:
    node = next(node for node in model.graph.node if node.op_type == "Concat" and len(node.input) == 6)
    node.input[:] = [node.input[each] for each in (3, 1, 0, 5, 2, 4)]


def another_skip(model: ModelProto) -> None:
    """Join a level with another level's map, in a stage that does not pool."""
    joins = [
        node for node in model.graph.node if node.op_type == "Concat" and all("stage5d/" in each for each in node.input)
    ]
    joins[1].input[1] = joins[0].input[1]


def another_side(model: ModelProto) -> None:
    """Make a side output from a map within its stage instead of the stage's own output."""
    (side,) = [node for node in model.graph.node if node.name == "/side2/Conv"]
    (stage,) = [node for node in model.graph.node if side.input[0] in node.output]
    side.input[0] = stage.input[0]


def side_for_d0(model: ModelProto) -> None:
    (side,) = [node for node in model.graph.node if node.name == "/side1/Conv"]
    find(model, "Sigmoid").input[0] = side.output[0]


def product_for_sum(model: ModelProto) -> None:
    find(model, "Add", 3).op_type = "Mul"


def mean_for_maximum(model: ModelProto) -> None:
    node = find(model, "MaxPool", -5)
    node.op_type = "AveragePool"
    for attribute in [each for each in node.attribute if each.name in ("dilations", "storage_order")]:
        node.attribute.remove(attribute)


def reflected(model: ModelProto) -> None:
    node = find(model, "Conv", -8)
    (pads,) = [each for each in node.attribute if each.name == "pads"]
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "reflected"))
    padded = helper.make_node("Pad", [node.input[0], "reflected"], ["padded"], mode="reflect")
    model.graph.node.insert(list(model.graph.node).index(node), padded)
    node.input[0] = "padded"
    pads.ints[:] = [0] * 4


def scaled_after_relu(model: ModelProto) -> None:
    between(model, find(model, "Relu", -1).output[0], "Mul", np.array(0.7, np.float32))


def scaled_after_convolution(model: ModelProto) -> None:
    between(
        model, find(model, "Conv", -8).output[0], "Mul", np.linspace(0.5, 2, 4, dtype=np.float32).reshape(1, 4, 1, 1)
    )


def clipped(model: ModelProto) -> None:
    between(model, find(model, "Relu", -1).output[0], "Clip", np.array(0, np.float32), np.array(0.5, np.float32))


# In each file, the 119 convolutions keep their order. But each file is another network.
WRONG: dict[str, tuple[Callable[[ModelProto], object], str | None]] = {
    "resized to the nearest pixel": (attributes("Resize", mode="nearest"), "resizes by the mode nearest"),
    "resized with aligned corners": (
        attributes("Resize", coordinate_transformation_mode="align_corners"),
        "measures by align_corners",
    ),
    "resized from the pixels' corners": (
        attributes("Resize", coordinate_transformation_mode="asymmetric"),
        "measures by asymmetric",
    ),
    "resized by cubic splines": (attributes("Resize", mode="cubic"), "resizes by the mode cubic"),
    "a ReLU left out": (without_relu, "where U²-Net has the ReLU of"),
    "a sum made a product": (product_for_sum, "is nothing that a U²-Net computes"),
    "means for maxima": (mean_for_maximum, "is an operation that no U²-Net has"),
    "borders reflected": (reflected, "is an operation that no U²-Net has"),
    "a map scaled": (scaled_after_relu, "where U²-Net has the sum"),
    "a map clipped": (clipped, "is an operation that no U²-Net has"),
    "another skip connection": (another_skip, "where U²-Net has the joining of 2 maps"),
    "a side output of another map": (another_side, "where U²-Net has"),
    "a side output for d0": (side_for_d0, "no U²-Net"),
    "d0 inverted": (
        lambda m: (between(m, find(m, "Sigmoid").output[0], "Neg"), setattr(m.graph.output[0], "name", "between")),
        "Neg",
    ),
    # Other networks with the same topology. They are read correctly.
    "two convolutions change places": (swapped_convolutions, None),
    "maps joined the other way round": (swapped_join, None),
    "side outputs joined in another order": (swapped_sides, None),
    "a convolution scaled": (scaled_after_convolution, None),
}


@pytest.mark.parametrize("case", WRONG)
def test_another_network_is_never_taken_for_this_one(bench: Bench, tmp_path: Path, case: str) -> None:
    path = tmp_path / "mine.onnx"
    change, words = WRONG[case]
    bench.export(path)
    x, original = own_output(path)
    edited(change)(bench, path)
    x, expected = own_output(path)
    # It computes another function: the difference exceeds the limits.
    assert np.abs(expected - original).max() > 10 * MAX_ABS
    if words is None:
        assert difference(network_of(path), x, expected).max() <= MAX_ABS
        return
    with pytest.raises(Failure, match=re.escape(words)):
        read_network(path)


@st.composite
def rewritten(draw: st.DrawFn, model: ModelProto) -> ModelProto:
    """Permute, rename and repeat a model's nodes, or insert Identity nodes. Sometimes change their inputs."""
    # Use a seed: Hypothesis cannot draw the names and places of some hundred nodes.
    chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    changed = copy.deepcopy(model)
    graph = changed.graph
    nodes = list(graph.node)
    for _ in range(draw(st.integers(0, 6))):
        node = chance.choice(nodes)
        again = copy.deepcopy(node)
        again.output[0] = f"again{len(nodes)}"
        users = takers(changed, node.output[0])
        match draw(st.integers(0, 3)):
            case 0:
                # Repeat the node, and let some of its users read the copy.
                for user in users[: chance.randint(0, len(users))]:
                    user.input[:] = [again.output[0] if each == node.output[0] else each for each in user.input]
            case 1:
                again.op_type, again.domain = "Identity", ""
                del again.attribute[:]
                again.input[:] = [node.output[0]]
                for user in users:
                    user.input[:] = [again.output[0] if each == node.output[0] else each for each in user.input]
            case 2:
                again.name = "a name of no meaning"
                node.name = ""
            case _:
                # This may make another network: inputs change places or come from another node.
                target = chance.choice(nodes)
                if len(target.input) > 1 and target.op_type in ("Concat", "Add"):
                    target.input[:] = list(reversed(target.input))
                elif target.input:
                    target.input[0] = chance.choice(
                        [other for other in nodes if other.op_type == target.op_type]
                    ).input[0]
        nodes.append(again)
        graph.node.append(again)
    names = {name: f"n{chance.random()}" for node in nodes for name in node.output}
    names |= {tensor.name: f"w{chance.random()}" for tensor in graph.initializer}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in [*graph.initializer, *graph.output]:
        tensor.name = names[tensor.name]
    chance.shuffle(nodes)
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


def in_order(model: ModelProto) -> ModelProto | None:
    """Return the model with its nodes in an order that can run, as ONNX Runtime requires, or None if it has a cycle."""
    left, known = (
        list(model.graph.node),
        {"", model.graph.input[0].name, *(tensor.name for tensor in model.graph.initializer)},
    )
    ordered: list[onnx.NodeProto] = []
    while left:
        ready = [node for node in left if set(node.input) <= known]
        if not ready:
            return None
        ordered += ready
        known |= {name for node in ready for name in node.output}
        left = [node for node in left if not set(node.output) <= known]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    return model


@pytest.fixture(scope="module")
def rewriting(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelProto, Path, list[str]]]:
    path = tmp_path_factory.mktemp("rewritten") / "mine.onnx"
    verdicts: list[str] = []
    yield bench.export(path), path, verdicts
    # Both must happen, or the test shows nothing.
    assert verdicts.count("read") > 5
    assert verdicts.count("refused") > 2


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_however_its_nodes_are_written_it_is_the_same_network_or_refused(
    rewriting: tuple[ModelProto, Path, list[str]], data: st.DataObject
) -> None:
    model, path, verdicts = rewriting
    changed = data.draw(rewritten(model))
    path.write_bytes(changed.SerializeToString())
    try:
        network = network_of(path)
    except Failure:
        verdicts.append("refused")
        return
    runnable = in_order(changed)
    assert runnable is not None
    path.write_bytes(runnable.SerializeToString())
    try:
        x, expected = own_output(path)
    except ERRORS:
        # No engine can run this file, so predict_checkpoint refuses it at the first hop.
        verdicts.append("refused")
        return
    assert difference(network, x, expected).max() <= MAX_ABS
    verdicts.append("read")


def test_weights_in_constant_nodes_count_as_stored(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow_scripts.checkpoint.onnx_graph.SPARE_BYTES", 0)
    scattered(bench, tmp_path / "mine.onnx")
    content = single_file(tmp_path / "mine.onnx")
    assert content is not None
    (tmp_path / "mine.onnx").write_bytes(content)
    read_network(tmp_path / "mine.onnx")


def test_a_file_at_another_size_than_it_was_traced_at_is_the_same_network(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    bench.export(path, dynamic=True)
    found = read_onnx(path)
    assert found.input.sides is None
    assert found.output == onnx.load(path).graph.output[0].name


def test_the_key_chooses_between_networks(bench: Bench, tmp_path: Path) -> None:
    other = {name: tensor * 0.5 if tensor.is_floating_point() else tensor for name, tensor in bench.state().items()}
    torch.save({"model": bench.state(), "ema": prefixed("module.")(other)}, tmp_path / "mine.pth")
    weights, source = read_network(tmp_path / "mine.pth", "ema.module")
    assert source["key"] == "ema.module"
    assert torch.equal(weights["side1.weight"], other["side1.weight"])
    with pytest.raises(Failure, match=r"no U²-Net under checkpoint_key=ema; it has one under model, ema\.module"):
        read_network(tmp_path / "mine.pth", "ema")
