import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow.compat.v1 as tf
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from workflow_scripts.reproduce.compare_copies import main

pytestmark = pytest.mark.environment("tensorflow")

Refusal = Callable[..., str]


def write_onnx(path: Path, value: float = 1.0, producer: str = "a") -> None:
    end = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    initializers = [numpy_helper.from_array(np.array([v], np.float32), name) for name, v in (("w", 1.0), ("b", value))]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["d0"])], "g", [end], [], initializers)
    onnx.save(helper.make_model(graph, producer_name=producer), path)


def write_graph(path: Path, value: float = 1.0) -> None:
    with tf.Graph().as_default() as graph:
        tf.constant([2.0], name="first")
        tf.constant([value], name="second")
    path.write_bytes(graph.as_graph_def().SerializeToString(deterministic=True))


def write_all(folder: Path) -> None:
    """Write one file of each format that a build has."""
    (folder / "deep").mkdir(parents=True)
    write_onnx(folder / "model.onnx")
    write_graph(folder / "model.pb")
    save_file({"d0": np.zeros(3, np.float32), "x": np.ones(2, np.float32)}, folder / "p.safetensors", {"backend": "b"})
    (folder / "model.json").write_text(json.dumps({"weightsManifest": [{"paths": ["a", "b"]}], "format": 1}))
    (folder / "model.xml").write_text("<net>\n<layer/>\n</net>\n")
    (folder / "deep/shard.bin").write_bytes(bytes(range(100)))
    (folder / ".snakemake_timestamp").write_text(folder.name)


Copies = tuple[Path, Path]


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    for name in ("first", "second"):
        write_all(tmp_path / name)
    # The copy for another processor has only artifacts.
    write_all(tmp_path / "third")
    (tmp_path / "third/p.safetensors").unlink()
    return tmp_path / "first", tmp_path / "second"


def arguments(copies: Copies) -> list[str]:
    report = copies[0].parent / "report.json"
    third = copies[0].with_name("third")
    return ["--first", str(copies[0]), "--second", str(copies[1]), "--third", str(third), "--output", str(report)]


def test_equal_copies_pass_with_their_digests(copies: Copies) -> None:
    main(arguments(copies))
    report = json.loads((copies[0].parent / "report.json").read_text())
    assert report["passed"] is True
    assert report["different"] == {}
    assert sorted(report["equal"]) == sorted(
        ["deep/shard.bin", "model.json", "model.onnx", "model.pb", "model.xml", "p.safetensors"]
    )


def test_another_processor_may_not_write_another_artifact(copies: Copies, refusal: Refusal) -> None:
    main(arguments(copies))
    report = json.loads((copies[0].parent / "report.json").read_text())
    assert report["equal_on_another_processor"] == [
        *("deep/shard.bin", "model.json", "model.onnx", "model.pb", "model.xml")
    ]
    rewrite_json(copies[0].with_name("third") / "model.json")
    assert "model.json differs: weightsManifest[0].paths[1]: 'b' and 'c', as on another processor (1 of 6" in refusal(
        main, *arguments(copies)
    )
    (copies[0].with_name("third") / "other.bin").write_bytes(b"")
    assert "(2 of 7 files in all)" in refusal(main, *arguments(copies))


def rewrite_json(path: Path) -> None:
    path.write_text(json.dumps({"weightsManifest": [{"paths": ["a", "c"]}], "format": 1}))


def reorder_json(path: Path) -> None:
    path.write_text(json.dumps({"format": 1, "weightsManifest": [{"paths": ["a", "b"]}]}))


def resave(path: Path) -> None:
    save_file({"d0": np.zeros(3, np.float32), "x": np.full(2, 2, np.float32)}, path, {"backend": "b"})


@pytest.mark.parametrize(
    ("file", "change", "where"),
    [
        ("model.json", rewrite_json, "weightsManifest[0].paths[1]: 'b' and 'c'"),
        ("model.json", reorder_json, "weightsManifest[0].paths[0] in the first, format in the second"),
        ("model.onnx", lambda path: write_onnx(path, 1.5), "initializer b: "),
        ("model.onnx", lambda path: write_onnx(path, producer="z"), "producer_name: 'a' and 'z'"),
        ("model.pb", lambda path: write_graph(path, 1.5), "node second (Const): "),
        ("model.xml", lambda path: path.write_text("<net>\n<layer id='1'/>\n</net>\n"), "line 2: "),
        ("model.xml", lambda path: path.write_text("<net>\n<layer/>\n</net>"), "byte 21 of 22 and 21"),
        ("p.safetensors", resave, "tensor x: 8 bytes and 8 bytes"),
        ("deep/shard.bin", lambda path: path.write_bytes(bytes(41) + path.read_bytes()[41:]), "byte 1 of 100 and 100"),
        ("deep/shard.bin", lambda path: path.write_bytes(path.read_bytes()[:-1]), "byte 99 of 100 and 99"),
        ("model.xml", lambda path: path.unlink(), "only one copy has it"),
    ],
)
def test_a_difference_is_named_down_to_its_place(
    copies: Copies, refusal: Refusal, file: str, change: Callable[[Path], Any], where: str
) -> None:
    change(copies[1] / file)
    message = refusal(main, *arguments(copies))
    assert message.startswith(f"script: {file} differs: {where}")
    assert "(1 of 6 files in all)" in message
    assert json.loads((copies[0].parent / "report.failed.json").read_text())["different"].keys() == {file}


def test_nothing_at_all_is_no_success(tmp_path: Path, refusal: Refusal) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    assert "holds no file" in refusal(main, *arguments((tmp_path / "first", tmp_path / "second")))
