import copy
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.support.folders import visible
from workflow_scripts.convert.export_onnx import main
from workflow_scripts.shared.u2net import U2Net

pytestmark = pytest.mark.environment("torch")

RunOnnx = Callable[[Path | bytes, Tensor], Tensor]


@pytest.fixture(scope="module")
def exported(small_network: U2Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    save_file(dict(small_network.state_dict()), folder / "weights.safetensors")
    main(["--weights", str(folder / "weights.safetensors"), "--output", str(folder / "onnx" / "dynamic.onnx")])
    assert [file.name for file in visible(folder / "onnx")] == ["dynamic.onnx"]
    return folder / "onnx" / "dynamic.onnx"


@torch.inference_mode()
def difference(network: U2Net, model: Path, height: int, width: int, run_onnx: RunOnnx) -> float:
    x = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(2))
    d0 = run_onnx(model, x)
    assert d0.shape == (1, 1, height, width)
    return float((network(x) - d0).abs().max())


@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 32), (96, 160), (256, 256)])
def test_one_file_computes_what_pytorch_computes_at_any_size(
    small_network: U2Net, exported: Path, run_onnx: RunOnnx, height: int, width: int
) -> None:
    assert difference(small_network, exported, height, width, run_onnx) <= 1e-5


@pytest.mark.parametrize(
    "name",
    ["stage1.rebnconv3.bn_s1.running_mean", "stage1.rebnconvin.bn_s1.running_var", "stage2d.rebnconv1d.bn_s1.bias"],
)
def test_one_changed_batch_statistic_shows(small_network: U2Net, exported: Path, run_onnx: RunOnnx, name: str) -> None:
    changed = copy.deepcopy(small_network)
    changed.state_dict()[name][0] += 0.5
    assert difference(changed, exported, 64, 64, run_onnx) > 1e-5


def test_ends_are_named_typed_and_open_in_height_and_width(exported: Path) -> None:
    graph = onnx.load(exported).graph
    (x,), (d0,) = graph.input, graph.output
    assert (x.name, d0.name) == ("x", "d0")
    for end, channels in ((x, 3), (d0, 1)):
        kind = end.type.tensor_type
        assert kind.elem_type == onnx.TensorProto.FLOAT
        batch, channel, height, width = kind.shape.dim
        assert (batch.dim_value, channel.dim_value) == (1, channels)
        assert (height.dim_param, width.dim_param) == ("height", "width")


def test_batch_norms_are_folded_and_every_weight_is_inside(exported: Path) -> None:
    model = onnx.load(exported, load_external_data=False)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("Conv") == 119
    assert "BatchNormalization" not in operators
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
