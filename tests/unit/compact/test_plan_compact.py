import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.graphs_by_hand import SIZE, WEIGHTS, reference, topology, write_model
from workflow_scripts.compact import compact_tfjs
from workflow_scripts.compact.equalize_channels import predicted_errors, scaled
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.plan_compact import Attempt, Planner, main, plan_report
from workflow_scripts.compact.round_kernels import nearest
from workflow_scripts.formats.tfjs_model import read_weights, write_weights

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]


def arguments(folder: Path, floor: float) -> list[str]:
    settings = json.dumps({"calibration": SIZE, "check": [SIZE], "margin_db": 1})
    options = {
        "--model": folder / "float32",
        "--floor": floor,
        "--settings": settings,
        "--threads": 1,
        "--weights": folder / "weights.safetensors",
        "--report": folder / "report.json",
    }
    return [str(word) for option in options.items() for word in option]


def apply(folder: Path, model: str = "float32") -> list[str]:
    files = {"--model": model, "--plan": "report.json", "--weights": "weights.safetensors", "--output": "compact"}
    return [str(word) for option, name in files.items() for word in (option, folder / name)]


def planned(folder: Path, floor: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Plan and apply. Return d0 of the compact model, read as TensorFlow.js reads it, and PyTorch's d0."""
    write_model(folder / "float32")
    main(arguments(folder, floor))
    compact_tfjs.main(apply(folder))
    weights = {}
    for spec, data in read_weights(folder / "compact"):
        if spec["dtype"] == "float32":
            entry = spec["quantization"]
            decoded = np.frombuffer(data, entry["dtype"]).astype(np.float64) * entry["scale"] + entry["min"]
            weights[spec["name"]] = decoded.astype(np.float32).reshape(spec["shape"])
    x = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(9))
    return reference(x, weights), reference(x)


def test_the_floor_is_held_in_few_bytes(tmp_path: Path) -> None:
    found, expected = planned(tmp_path, floor=38)
    error = ((found - expected) / (expected.max() - expected.min())).square().mean()
    # Noise that is not among the calibration inputs.
    assert -10 * error.log10() > 34
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["goal_db"] == 39
    assert report["worst_db"] == min(report["psnr_db"].values()) >= 39
    assert report["float32_bytes"] == sum(values.nbytes for values in WEIGHTS.values())
    stored = sum(len(data) for spec, data in read_weights(tmp_path / "compact") if spec["dtype"] == "float32")
    assert report["bytes"] == stored < report["float32_bytes"] / 2
    dtypes = {layer["name"]: layer["dtype"] for layer in report["layers"]}
    assert list(dtypes) == ["first", "second", "third", "side"]


def test_a_higher_floor_costs_bytes(tmp_path: Path) -> None:
    sizes = []
    for floor in (20, 60):
        planned(tmp_path / str(floor), floor)
        report = json.loads((tmp_path / str(floor) / "report.json").read_text())
        sizes.append(report["bytes"])
        assert report["worst_db"] >= floor + 1
    assert sizes[0] == sum(values.size * (1 if values.ndim == 4 else 2) for values in WEIGHTS.values())
    assert sizes[1] > sizes[0]


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Planner:
    return Planner(GraphModel(write_model(tmp_path_factory.mktemp("planner") / "float32")), SIZE, [SIZE], goal=39)


@pytest.mark.parametrize("name", ["first", "second", "third", "side"])
def test_the_kernel_that_causes_the_error_is_found(planner: Planner, name: str) -> None:
    fine = planner.attempt(list(planner.sizes))
    (kernel,) = (node.constants[0] for node in planner.graph.convolutions if node.name == name)
    coarse = nearest(scaled(planner.graph, planner.ties, fine.factors)[kernel], 63)
    attempt = Attempt((), fine.factors, {**fine.rounded, kernel: coarse}, fine.psnr_db)
    parts, errors = planner.caused_errors(attempt)
    assert torch.allclose(parts[name], errors, rtol=0.2)
    assert torch.allclose(torch.stack(list(parts.values())).sum(0), errors, rtol=0.2)
    goal = -10 * float(errors.max().log10()) + 1
    assert planner.causing(attempt, goal) == [name]
    # What is wide already is not widened again.
    assert name not in planner.causing(replace(attempt, wide=(name,)), goal)


def test_a_widened_kernel_is_exact_and_the_others_stay(planner: Planner) -> None:
    attempt = planner.attempt([])
    exact = scaled(planner.graph, planner.ties, attempt.factors)
    wider = planner.widened(attempt, ["second"])
    assert wider.wide == ("second",)
    for node in planner.graph.convolutions:
        for name in node.constants:
            if node.name == "second":
                assert torch.allclose(wider.rounded[name].values(), exact[name], atol=1e-4)
                assert wider.rounded[name].dtype == "uint16"
            else:
                assert wider.rounded[name] is attempt.rounded[name]
    assert wider.psnr_db != attempt.psnr_db
    fine = planner.widened(attempt, list(planner.sizes))
    assert fine.worst_db > attempt.worst_db + 20


def test_the_report_has_the_sensitivity_of_the_weights_as_they_are_stored(planner: Planner, tmp_path: Path) -> None:
    first = planner.attempt([])
    # The search equalises channels when it rounds all kernels, not when it widens one.
    report = plan_report(planner, [first, planner.widened(first, ["second"])], write_model(tmp_path / "float32"))
    stored = predicted_errors(planner.graph, planner.ties, first.factors, planner.sensitivity, 255)
    assert {layer["name"]: layer["sensitivity_mse"] for layer in report["layers"]} == stored
    assert [layer["name"] for layer in report["layers"] if layer["dtype"] == "uint16"] == ["second"]


@pytest.mark.parametrize(("goal", "sizes"), [(20, {SIZE, 2 * SIZE}), (150, {SIZE})])
def test_a_larger_size_is_drawn_once_the_smaller_holds_the_goal(tmp_path: Path, goal: int, sizes: set[int]) -> None:
    planner = Planner(GraphModel(write_model(tmp_path / "float32")), SIZE, [2 * SIZE, SIZE], goal)
    attempt = planner.attempt([])
    assert {size for size, _ in attempt.psnr_db} == sizes
    assert len(attempt.psnr_db) == 11 * len(sizes)
    assert (attempt.worst_db >= goal) == (len(sizes) == 2)


def test_far_from_the_goal_the_sensitive_kernels_are_widened(planner: Planner) -> None:
    sizes = planner.sizes
    assert set(planner.sensitive([], goal=200)) == set(sizes)
    (first,) = planner.sensitive([], goal=-20)
    (second,) = planner.sensitive([first], goal=-20)
    assert first != second
    # At least twice as many as before.
    assert len(planner.sensitive(list(sizes)[:2], goal=-20)) == 2


def test_the_error_is_that_of_the_drawing(planner: Planner) -> None:
    attempt = planner.attempt([])
    _, errors = planner.caused_errors(attempt)
    # Those of the hardest inputs.
    assert (-10 * errors.log10()).tolist() == pytest.approx(sorted(attempt.psnr_db.values())[:6], abs=0.01)


def test_a_floor_beyond_uint16_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    write_model(tmp_path / "float32")
    message = refusal(main, *arguments(tmp_path, floor=150))
    assert "151.0 are asked for; lower tolerances.tfjs-compact.min_drawing_psnr_db" in message
    assert not (tmp_path / "report.json").exists()
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_plan_fits_only_the_weights_it_was_made_for(tmp_path: Path, refusal: Refusal) -> None:
    planned(tmp_path, floor=20)
    before = (tmp_path / "compact" / "model.json").read_bytes()
    weights = read_weights(tmp_path / "float32")
    other = bytearray(weights[2][1])
    other[3] ^= 1
    model = {"modelTopology": {"node": topology()}}
    write_weights(tmp_path / "other", model, [*weights[:2], (weights[2][0], bytes(other)), *weights[3:]])
    assert refusal(compact_tfjs.main, *apply(tmp_path, "other")) == (
        "script: the plan was made for other weights than kernel2; make a plan for this network"
    )
    write_weights(tmp_path / "fewer", model, weights[1:])
    assert "the model has 7 float weights and the plan 8" in refusal(compact_tfjs.main, *apply(tmp_path, "fewer"))
    assert (tmp_path / "compact" / "model.json").read_bytes() == before
