"""Choose the convolutions that compute in int8: those with the most multiply-adds for the least error."""

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from safetensors.numpy import load_file

from workflow_scripts.engines.litert import engine_of
from workflow_scripts.int8.layers import Layer, in_int8, read_layers
from workflow_scripts.shared.drawings import draw
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import write_json
from workflow_scripts.shared.psnr import psnr_db

# So many convolutions, the first ones, see the photo's own colours, and stay float32.
COLOURS = 2
# Convolutions with a smaller share of the multiply-adds stay float32: they would gain nothing.
SHARE = 0.001
# Each convolution is judged by itself on the inputs that lose the most if all are in int8.
HARDEST = 3
# The search ends when it could gain less than this share of the multiply-adds.
SLACK = 0.01

Pictures = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Attempt:
    """The layers in int8, and the PSNR of each checking input's drawing in dB."""

    layers: tuple[Layer, ...]
    psnr_db: Mapping[str, float]

    @property
    def worst_db(self) -> float:
        """The lowest PSNR."""
        return min(self.psnr_db.values())


class Planner:
    """A float32 model, and what it draws of the checking inputs [1, 3, side, side]."""

    def __init__(self, model: bytes, inputs: Mapping[str, NDArray[np.float32]], threads: int) -> None:
        self.model = model
        self.inputs = inputs
        self.threads = threads
        every = read_layers(model)
        self.multiply_adds = sum(layer.multiply_adds for layer in every)
        # The steps of int8 are too coarse for plain areas of pure colours, and photos do not show it (docs/engines.md).
        self.layers = [layer for layer in every[COLOURS:] if layer.multiply_adds >= SHARE * self.multiply_adds]
        self.expected = self.drawings(model, list(inputs))

    def drawings(self, model: bytes, names: Collection[str]) -> Pictures:
        """Return what a .tflite file draws of the inputs with these names."""
        engine = engine_of(Interpreter(model_content=model, num_threads=self.threads))
        # A portrait is 1 - d0. Stretched to [0, 1], it has the same PSNR as the mask.
        return {name: draw(engine.predict(self.inputs[name]), "saliency") for name in names}

    def attempt(self, layers: Sequence[Layer], names: Collection[str] | None = None) -> Attempt:
        """Measure the model with these layers in int8, on the inputs with these names, or on all."""
        model = in_int8(self.model, [layer.name for layer in layers])
        drawn = self.drawings(model, names or self.inputs.keys())
        return Attempt(tuple(layers), {name: psnr_db(picture, self.expected[name]) for name, picture in drawn.items()})

    def share(self, layers: Sequence[Layer]) -> float:
        """The share of the multiply-adds that these layers have."""
        return sum(layer.multiply_adds for layer in layers) / self.multiply_adds


def fastest(planner: Planner, goal: float) -> Attempt:
    """Return the attempt found with the most multiply-adds in int8 that reaches `goal` dB on every input.

    Raises Failure if no convolution can be in int8.
    """

    def tried(layers: Sequence[Layer]) -> Attempt:
        made = planner.attempt(layers)
        figures = ", ".join(f"{name} {figure:.1f}" for name, figure in made.psnr_db.items())
        share = f"{planner.share(layers):.1%} of the multiply-adds"
        print(f"{len(layers)} convolutions in int8, {share}: {made.worst_db:.1f} dB at least ({figures})", flush=True)
        return made

    best = tried(planner.layers)
    if best.worst_db >= goal:
        return best
    hardest = sorted(best.psnr_db, key=lambda name: best.psnr_db[name])[:HARDEST]
    errors = {}
    for index, layer in enumerate(planner.layers, start=1):
        alone = planner.attempt([layer], hardest).worst_db
        errors[layer.name] = 10 ** (-alone / 10)
        print(f"{index} of {len(planner.layers)}: {layer.name} alone {alone:.1f} dB", flush=True)
    allowed = 10 ** (-goal / 10)
    harmless = [layer for layer in planner.layers if errors[layer.name] <= allowed]
    order = sorted(harmless, key=lambda layer: errors[layer.name] / layer.multiply_adds)
    # As many as their errors, added up, allow. Then bisect.
    added = np.cumsum([errors[layer.name] for layer in order])
    count = int(np.searchsorted(added, allowed, side="right"))
    held: Attempt | None = None
    above = len(order)
    while count:
        made = tried(order[:count])
        if made.worst_db >= goal:
            held = made
        else:
            above = count
        below = len(held.layers) if held else 0
        if above - below < 2 or planner.share(order[below:above]) < SLACK:
            break
        count = (below + above) // 2
    if held is None:
        raise Failure(
            f"no convolution can be in int8 if the drawing is to have {goal:.1f} dB; lower "
            "tolerances.litert-int8.min_drawing_psnr_db or int8.margin_db, or leave int8 out"
        )
    return held


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help=".tflite file in float32, at any resolution")
    parser.add_argument("--inputs", type=Path, required=True, help="safetensors of make_checking_inputs, at that size")
    parser.add_argument("--goal", type=float, required=True, help="PSNR of the drawing to hold, dB")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args(argv)
    planner = Planner(arguments.model.read_bytes(), load_file(arguments.inputs), arguments.threads)
    best = fastest(planner, arguments.goal)
    write_json(
        arguments.output,
        {
            "goal_db": arguments.goal,
            "worst_db": best.worst_db,
            "psnr_db": dict(best.psnr_db),
            "share_of_multiply_adds": planner.share(best.layers),
            "int8_weights": sum(layer.weights for layer in best.layers),
            "layers": [layer.name for layer in best.layers],
        },
    )


if __name__ == "__main__":
    run(main)
