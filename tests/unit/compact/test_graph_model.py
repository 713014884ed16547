from pathlib import Path

import pytest
import torch

from tests.support.graphs_by_hand import SIZE, reference, topology, write_model
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("torch")


@pytest.mark.parametrize("size", [SIZE, 2 * SIZE, SIZE // 2])
def test_graph_computes_its_function_at_any_size(tmp_path: Path, size: int) -> None:
    graph = GraphModel(write_model(tmp_path / "float32"))
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    expected = reference(x)
    assert expected.std() > 0.01
    assert torch.allclose(graph.run(x), expected, atol=1e-6)
    assert [node.name for node in graph.convolutions] == ["first", "second", "third", "side"]


@pytest.mark.parametrize(
    ("node", "changes", "message"),
    [
        (
            "up",
            {"op": "ResizeNearestNeighbor"},
            "up is a ResizeNearestNeighbor, an operation that graph_model does not know",
        ),
        ("third", {"strides": {"list": {"i": ["1", "2", "2", "1"]}}}, "third is not a convolution of stride 1"),
        ("third", {"padding": {"s": "VkFMSUQ="}}, "third is a convolution with another padding than SAME"),
        (
            "third",
            {"fused_ops": {"list": {"s": ["RWx1"]}}},
            "third is not a convolution of stride 1 with bias and ReLU",
        ),
    ],
)
def test_what_it_does_not_know_is_named(tmp_path: Path, node: str, changes: dict[str, object], message: str) -> None:
    nodes = topology()
    (found,) = (each for each in nodes if each["name"] == node)
    found.update({key: value for key, value in changes.items() if key == "op"})
    found.setdefault("attr", {}).update({key: value for key, value in changes.items() if key != "op"})
    graph = GraphModel(write_model(tmp_path / "float32", nodes))
    with pytest.raises(Failure, match=message):
        graph.run(torch.zeros(1, 3, SIZE, SIZE))
