"""Round a model's weights to the fewest bytes found that draw the same picture: uint8 kernels, uint16 where needed."""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import Tensor

from workflow_scripts.compact.calibration_photos import calibration_inputs, checking_inputs, more_bars
from workflow_scripts.compact.equalize_channels import equalize, predicted_errors, scaled, tie_channels
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.round_kernels import Rounded, nearest, round_weights
from workflow_scripts.formats.tfjs_model import read_weights
from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, write_json
from workflow_scripts.shared.psnr import psnr_db

# A drawing further than this from the goal, in dB, is far from the sum of what the kernels cause.
NEAR_DB = 15.0
# How much nearer to the goal one step of widening is meant to bring a drawing, at most, in dB.
STEP_DB = 3.0
# How much better adaptive rounding is expected to be than the predicted error of rounding to the nearest value, in dB.
HEADROOM_DB = 6.0
# What each kernel causes is asked on so many inputs, those with the lowest PSNR, up to this size. A backward pass keeps
# all feature maps, which take 8 GB for a full-size network at 1024.
HARDEST = 6
LARGEST = 512


def output_sensitivity(graph: GraphModel, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return [out, in] of each convolution: the drawing's mean squared derivative by its weights, summed over windows.

    With a random sign for each pixel, one backward pass is an unbiased estimate of the sum over all pixels
    (Hutchinson). A drawing is the output stretched to [0, 1], so an output of small range counts for more.
    """
    kernels = {node.name: node.constants[0] for node in graph.convolutions}
    weights = {name: values.clone().requires_grad_(name in kernels.values()) for name, values in graph.weights.items()}
    random = torch.Generator().manual_seed(0)
    total = {name: torch.zeros(graph.weights[kernel].shape[:2]) for name, kernel in kernels.items()}
    for x in inputs.values():
        d0 = graph.run(x, weights)
        span = max(float(d0.detach().max() - d0.detach().min()), 1e-6)
        signs = torch.randint(0, 2, d0.shape, generator=random) * 2.0 - 1
        projected = (d0 * signs).sum() / (span * d0.numel() ** 0.5)
        gradients = torch.autograd.grad(projected, [weights[kernel] for kernel in kernels.values()])
        for name, gradient in zip(kernels, gradients, strict=True):
            total[name] += gradient.square().flatten(2).sum(2) / len(inputs)
    return total


def stretched(d0: Tensor) -> Tensor:
    """Return the drawing [height, width] of d0 [1, 1, height, width], stretched to [0, 1]."""
    return ((d0 - d0.min()) / (d0.max() - d0.min()).clamp(min=1e-12))[0, 0]


@dataclass(frozen=True)
class Attempt:
    """Weights rounded with the kernels of `wide` in uint16, and the PSNR of each input judged on, in dB.

    Before they were rounded, their channels were scaled by `factors`. If the inputs of one size miss the goal, those of
    larger sizes are not drawn.
    """

    wide: tuple[str, ...]
    factors: Tensor
    rounded: Mapping[str, Rounded]
    psnr_db: Mapping[tuple[int, str], float]

    @property
    def bytes(self) -> int:
        """The bytes of all weights."""
        return sum(each.bytes for each in self.rounded.values())

    @property
    def worst_db(self) -> float:
        """The lowest PSNR."""
        return min(self.psnr_db.values())


class Planner:
    """Everything about one model that does not depend on which kernels are wide, computed once."""

    def __init__(self, graph: GraphModel, calibration: int, check: Sequence[int], goal: float) -> None:
        self.graph = graph
        self.goal = goal
        self.ties = tie_channels(graph)
        self.inputs = calibration_inputs(calibration)
        self.checks = {size: checking_inputs(size) | more_bars(size) for size in sorted(check)}
        self.sizes = {node.name: graph.weights[node.constants[0]].numel() for node in graph.convolutions}
        self.sensitivity = output_sensitivity(graph, self.inputs)
        self._expected: dict[tuple[int, str], NDArray[np.float64]] = {}

    def expected(self, size: int, name: str) -> NDArray[np.float64]:
        """Return what the exact model draws of an input judged on, stretched to [0, 1]."""
        if (size, name) not in self._expected:
            with torch.inference_mode():
                # A portrait is 1 - d0. Stretched to [0, 1], it has the same PSNR as the mask.
                self._expected[size, name] = draw(self.graph.run(self.checks[size][name]).numpy(), "saliency")
        return self._expected[size, name]

    def widened(self, attempt: Attempt, names: Sequence[str]) -> Attempt:
        """Return the attempt with the kernels `names` in uint16, from their exact values. The others stay as they are.

        The bias goes with its kernel, because it was moved to take up the kernel's error.
        """
        exact = scaled(self.graph, self.ties, attempt.factors)
        constants = [each for node in self.graph.convolutions if node.name in names for each in node.constants]
        rounded = {**attempt.rounded, **{each: nearest(exact[each], 65535) for each in constants}}
        return self.measured((*attempt.wide, *names), attempt.factors, rounded)

    def caused_errors(self, attempt: Attempt) -> tuple[dict[str, Tensor], Tensor]:
        """Return the part of each hard input's squared error that each convolution causes, and the errors.

        A drawing's error e is about the sum of what the convolutions cause, Jδ, where δ is by how much a kernel and its
        bias were changed. So e · e is about the sum of the parts e · Jδ. One backward pass gives all of them. J is
        taken halfway between the exact and the rounded weights, where the sum is closest. A part is negative where a
        convolution undoes what others do.
        """
        exact = scaled(self.graph, self.ties, attempt.factors)
        rounded = {name: each.values() for name, each in attempt.rounded.items()}
        halfway = {name: (exact[name] + values) / 2 for name, values in rounded.items()}
        constants = [name for node in self.graph.convolutions for name in node.constants]
        for name in constants:
            halfway[name].requires_grad_()
        parts: dict[str, list[Tensor]] = {node.name: [] for node in self.graph.convolutions}
        errors = []
        small = [each for each in attempt.psnr_db if each[0] <= LARGEST] or list(attempt.psnr_db)
        for size, name in sorted(small, key=lambda each: attempt.psnr_db[each])[:HARDEST]:
            x = self.checks[size][name]
            with torch.no_grad():
                error = stretched(self.graph.run(x, rounded)) - torch.from_numpy(self.expected(size, name)).float()
            errors.append(error.square().mean())
            projected = (error * stretched(self.graph.run(x, halfway))).mean()
            gradients = torch.autograd.grad(projected, [halfway[each] for each in constants])
            slopes = dict(zip(constants, gradients, strict=True))
            for node in self.graph.convolutions:
                caused = [(slopes[each] * (rounded[each] - exact[each])).sum() for each in node.constants]
                parts[node.name].append(torch.stack(caused).sum())
        return {name: torch.stack(each) for name, each in parts.items()}, torch.stack(errors)

    def causing(self, attempt: Attempt, goal: float) -> list[str]:
        """Return the kernels to widen next, those first that cause the most error per byte.

        They are as many as it takes to bring each input that misses `goal` to it, as far as their parts of the error
        predict that, but no further than STEP_DB at once: the larger the error, the less its parts predict.
        """
        parts, errors = self.caused_errors(attempt)
        most = torch.clamp(errors * 10 ** (-STEP_DB / 10), min=10 ** (-goal / 10))
        missed = errors > most
        per_byte = {name: float(part[missed].sum()) / self.sizes[name] for name, part in parts.items()}
        left = errors.clone()
        wider: list[str] = []
        for name in sorted(per_byte.keys() - set(attempt.wide), key=lambda name: (-per_byte[name], name)):
            if per_byte[name] <= 0 or (wider and bool((left <= most).all())):
                break
            wider.append(name)
            left -= parts[name]
        return wider

    def predicted(self, factors: Tensor) -> dict[str, float]:
        """Return, for each kernel, the predicted squared error if it alone, scaled by `factors`, goes to uint8."""
        return predicted_errors(self.graph, self.ties, factors, self.sensitivity, 255)

    def sensitive(self, wide: Sequence[str], goal: float) -> list[str]:
        """Return the kernels to widen next, those first whose widening saves the most predicted error per byte.

        They are as many as it takes to predict an error of `goal` and HEADROOM_DB more, but at least as many as are
        wide already.
        """
        errors = self.predicted(equalize(self.graph, self.ties, self.sensitivity, wide))
        order = sorted(errors.keys() - set(wide), key=lambda name: (-errors[name] / self.sizes[name], name))
        left = [sum(errors[name] for name in order[count:]) for count in range(len(order) + 1)]
        enough = next(count for count, error in enumerate(left) if error < 10 ** ((HEADROOM_DB - goal) / 10))
        return order[: max(enough, len(wide), 1)]

    def attempt(self, wide: Sequence[str]) -> Attempt:
        """Equalise the channels, round the weights, and measure the result."""
        factors = equalize(self.graph, self.ties, self.sensitivity, wide)
        weights = scaled(self.graph, self.ties, factors)
        with torch.no_grad():
            rounded = round_weights(self.graph, weights, wide, torch.cat(list(self.inputs.values())))
        return self.measured(tuple(wide), factors, rounded)

    def measured(self, wide: tuple[str, ...], factors: Tensor, rounded: Mapping[str, Rounded]) -> Attempt:
        """Compare the pictures of the rounded weights with the model's, size after size until the goal is missed."""
        values = {name: each.values() for name, each in rounded.items()}
        psnr: dict[tuple[int, str], float] = {}
        for size, inputs in self.checks.items():
            for name, x in inputs.items():
                with torch.inference_mode():
                    picture = draw(self.graph.run(x, values).numpy(), "saliency")
                psnr[size, name] = psnr_db(picture, self.expected(size, name))
            if min(psnr.values()) < self.goal:
                break
        made = Attempt(wide, factors, rounded, psnr)
        size, name = min(psnr, key=lambda each: psnr[each])
        print(
            f"{len(wide)} kernels in uint16: {made.bytes} bytes, {made.worst_db:.1f} dB at least "
            f"({name} at {size}, the worst of {len(psnr)} inputs up to {max(psnr)[0]})",
            flush=True,
        )
        return made


def search(planner: Planner) -> list[Attempt]:
    """Widen kernels until every input judged on reaches the goal. Return all attempts, of which only the last does.

    Raises Failure if the goal is not reached even with all kernels in uint16.
    """
    goal = planner.goal
    attempts = [planner.attempt([])]
    while (last := attempts[-1]).worst_db < goal:
        narrow = [name for name in planner.sizes if name not in last.wide]
        if not narrow:
            raise Failure(
                f"with all kernels in uint16 the drawing has {last.worst_db:.1f} dB, and "
                f"{goal:.1f} are asked for; lower tolerances.tfjs-compact.min_drawing_psnr_db or compact.margin_db, or "
                "leave compact out"
            )
        if last.worst_db < goal - NEAR_DB:
            attempts.append(planner.attempt([*last.wide, *planner.sensitive(last.wide, goal)]))
        else:
            # As much above the goal as the worst input is below it. This one may be larger than those that are asked.
            aim = 2 * goal - last.worst_db
            attempts.append(planner.widened(last, planner.causing(last, aim) or narrow))
    return attempts


def by_name(attempt: Attempt) -> dict[str, float]:
    """Return the PSNR of each input by its name and size."""
    return {f"{name} at {size}": figure for (size, name), figure in attempt.psnr_db.items()}


def plan_report(planner: Planner, attempts: Sequence[Attempt], folder: Path) -> Any:
    """Return what was measured and chosen, and how compact_tfjs must store each weight."""
    graph, best = planner.graph, attempts[-1]
    errors = planner.predicted(best.factors)
    floats = [(spec, data) for spec, data in read_weights(folder) if spec["dtype"] == "float32"]
    return {
        "goal_db": planner.goal,
        "worst_db": best.worst_db,
        "psnr_db": by_name(best),
        "bytes": best.bytes,
        "float32_bytes": sum(len(data) for _, data in floats),
        "attempts": [{"uint16": len(a.wide), "bytes": a.bytes, "psnr_db": by_name(a)} for a in attempts],
        "layers": [
            {
                "name": node.name,
                "kernel": list(graph.weights[node.constants[0]].shape),
                # The predicted error if this kernel alone, as it is scaled now, is rounded to the nearest uint8 value.
                "sensitivity_mse": errors[node.name],
                "dtype": "uint16" if node.name in best.wide else "uint8",
            }
            for node in graph.convolutions
        ],
        # In the order in which the model stores its float weights, at every resolution.
        "weights": [
            {
                "float32_sha256": hashlib.sha256(data).hexdigest(),
                "shape": spec["shape"],
                "quantization": best.rounded[spec["name"]].quantization,
            }
            for spec, data in floats
        ],
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the float32 model, at any resolution")
    parser.add_argument("--floor", type=float, required=True, help="PSNR of the drawing to hold, dB")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON: calibration, check, margin_db")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to write: each weight as it is stored")
    parser.add_argument("--report", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    goal = arguments.floor + arguments.settings["margin_db"]
    graph = GraphModel(arguments.model)
    planner = Planner(graph, arguments.settings["calibration"], arguments.settings["check"], goal)
    attempts = search(planner)
    report = plan_report(planner, attempts, arguments.model)
    stored = [spec["name"] for spec, _ in read_weights(arguments.model) if spec["dtype"] == "float32"]
    numbers = {f"{index:04}": attempts[-1].rounded[name].stored() for index, name in enumerate(stored)}
    with replacing(arguments.weights) as staging:
        staging.write_bytes(save(numbers))
    write_json(arguments.report, report)


if __name__ == "__main__":
    run(main)
