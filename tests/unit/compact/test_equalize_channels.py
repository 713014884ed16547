from pathlib import Path

import pytest
import torch

from tests.support.graphs_by_hand import SIZE, reference, topology, write_model
from workflow_scripts.compact.equalize_channels import equalize, predicted_errors, scaled, tie_channels
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.plan_compact import output_sensitivity
from workflow_scripts.compact.round_kernels import nearest
from workflow_scripts.shared.failures import Failure

pytestmark = pytest.mark.environment("torch")

INPUTS = {str(seed): torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) for seed in range(6)}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> GraphModel:
    return GraphModel(write_model(tmp_path_factory.mktemp("graph") / "float32"))


def test_ties_follow_the_topology(graph: GraphModel) -> None:
    ties = tie_channels(graph)
    # Input and side output have the fixed factor. The residual addition ties the factors of the third and the first.
    assert ties.inputs["first"].tolist() == [0, 0, 0]
    assert ties.outputs["side"].tolist() == [0]
    assert len(set(ties.outputs["first"])) == 8
    assert ties.outputs["third"].tolist() == ties.outputs["first"].tolist() == ties.inputs["side"].tolist()
    assert ties.inputs["second"].tolist() == ties.outputs["first"].tolist()
    assert ties.inputs["third"].tolist() == [*ties.outputs["second"], *ties.outputs["first"]]
    assert ties.count == 1 + 8 + 6


def test_any_factors_leave_the_function_alone(graph: GraphModel) -> None:
    ties = tie_channels(graph)
    factors = torch.exp(torch.randn(ties.count, generator=torch.Generator().manual_seed(3)))
    factors[0] = 1
    weights = scaled(graph, ties, factors)
    assert not torch.allclose(weights["kernel3"], graph.weights["kernel3"], rtol=0.1)
    for x in INPUTS.values():
        assert torch.allclose(graph.run(x, weights), reference(x), atol=2e-6)
    # Without one of the ties, the function would change.
    ties.outputs["third"][0] = ties.outputs["second"][0]
    assert not torch.allclose(graph.run(x, scaled(graph, ties, factors)), reference(x), atol=1e-3)


def measured_error(graph: GraphModel, weights: dict[str, torch.Tensor], kernels: list[str]) -> float:
    """Mean squared error of the stretched output if these kernels are rounded to the nearest uint8 values."""
    rounded = {name: nearest(w, 255).values() if name in kernels else w for name, w in weights.items()}
    errors = []
    for x in INPUTS.values():
        exact, found = graph.run(x), graph.run(x, rounded)
        errors.append(((found - exact) / (exact.max() - exact.min())).square().mean())
    return float(torch.stack(errors).mean())


def test_sensitivity_predicts_what_rounding_one_layer_does(graph: GraphModel) -> None:
    ties, sensitivity = tie_channels(graph), output_sensitivity(graph, INPUTS)
    predicted = predicted_errors(graph, ties, torch.ones(ties.count), sensitivity, 255)
    for node in graph.convolutions:
        measured = measured_error(graph, graph.weights, [node.constants[0]])
        # A handful of weights is a small sample of rounding errors.
        assert predicted[node.name] / 5 < measured < predicted[node.name] * 5


def test_equalizing_lowers_the_error_of_rounding(graph: GraphModel) -> None:
    ties, sensitivity = tie_channels(graph), output_sensitivity(graph, INPUTS)
    factors = equalize(graph, ties, sensitivity, wide=[])
    before = predicted_errors(graph, ties, torch.ones(ties.count), sensitivity, 255)
    after = predicted_errors(graph, ties, factors, sensitivity, 255)
    assert sum(after.values()) < sum(before.values()) / 2
    kernels = [node.constants[0] for node in graph.convolutions]
    equalized = measured_error(graph, scaled(graph, ties, factors), kernels)
    assert equalized < 0.8 * measured_error(graph, graph.weights, kernels)
    for x in INPUTS.values():
        assert torch.allclose(graph.run(x, scaled(graph, ties, factors)), reference(x), atol=2e-6)


def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    nodes = topology()
    next(each for each in nodes if each["name"] == "pooled")["op"] = "Tanh"
    graph = GraphModel(write_model(tmp_path / "float32", nodes))
    with pytest.raises(
        Failure, match="pooled is a Tanh, and equalize_channels does not know how it passes on a factor"
    ):
        tie_channels(graph)
