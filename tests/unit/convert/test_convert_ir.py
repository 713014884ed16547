import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.folders import visible
from workflow_scripts.check.check_size import ir_weights
from workflow_scripts.convert.convert_ir import main, without_paths

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]
KERNEL = np.random.default_rng(6).normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
BIAS = np.random.default_rng(7).normal(0, 0.3, 8).astype(np.float32)
X = np.random.default_rng(8).normal(size=(1, 3, 8, 8)).astype(np.float32)


def write_onnx(path: Path) -> None:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 8, 8])
        for name, channels in (("x", 3), ("d0", 8))
    ]
    weights = [numpy_helper.from_array(KERNEL, "kernel"), numpy_helper.from_array(BIAS, "bias")]
    node = helper.make_node("Conv", ["x", "kernel", "bias"], ["d0"], pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)


def arguments(model: Path, folder: Path) -> list[str]:
    outputs = ["--xml", str(folder / "ir" / "model.xml"), "--bin", str(folder / "ir" / "model.bin")]
    return ["--model", str(model), *outputs]


@pytest.fixture(scope="module")
def ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here")
    write_onnx(folder / "model.onnx")
    main(arguments(folder / "model.onnx", folder))
    return folder / "ir" / "model.xml"


def test_the_ir_computes_the_convolution_in_fp32(ir: Path) -> None:
    core = openvino.Core()
    model = core.compile_model(core.read_model(ir), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = model({model.input(): X})[model.output()]
    padded = np.pad(X[0].astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    windows = np.stack([[padded[:, i : i + 8, j : j + 8] for j in range(3)] for i in range(3)])
    expected = np.einsum("ijchw,ocij->ohw", windows, KERNEL.astype(np.float64)) + BIAS[:, None, None]
    # FP16 weights would differ by 1e-3.
    assert np.abs(found[0] - expected).max() < 1e-5


def test_weights_are_stored_in_fp32_once(ir: Path) -> None:
    stored = {weight.values.size: weight for weight in ir_weights(ir)}
    assert stored[KERNEL.size].bytes == KERNEL.nbytes
    assert np.array_equal(stored[KERNEL.size].values, KERNEL.transpose(2, 3, 1, 0))
    assert ir.with_suffix(".bin").read_bytes().count(KERNEL.tobytes()) == 1


def test_the_folder_holds_the_two_files_and_no_path(ir: Path) -> None:
    assert [file.name for file in visible(ir.parent)] == ["model.bin", "model.xml"]
    text = ir.read_text()
    assert str(ir.parent) not in text
    assert "output_dir" not in text
    assert ElementTree.parse(ir).getroot().tag == "net"


def test_dropping_the_path_drops_nothing_else() -> None:
    kept = '<net><rt_info>\n\t<MO_version value="2024.6.0" />{}\n\t<layout value="" />\n</rt_info></net>'
    assert without_paths(kept.format('\n\t<output_dir value="/tmp/a b/c" />')) == kept.format("")
    assert without_paths(kept.format("")) == kept.format("")


def test_an_onnx_file_that_is_none_leaves_nothing(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "model.onnx").write_text(json.dumps("not ONNX"))
    message = refusal(main, *arguments(tmp_path / "model.onnx", tmp_path))
    assert re.search(r"mo exited with \d+ and wrote no model\.xml", message)
    assert list((tmp_path / "ir").iterdir()) == []
