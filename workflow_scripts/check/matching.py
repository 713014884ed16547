"""Find out by shape and values which stored tensor is which expected weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workflow_scripts.check.expected_weights import Expected, Values

# A bias below this counts as zero. Converters may drop, share or add such biases. See rewrite_graph.
ZERO = 1e-20
# How far a stored value may be off, as a share of its tensor's largest value. Float32 kernels are copied, except for
# those of the mixed side outputs, which are multiplied once. The other limits are twice the largest rounding error.
ROUNDING = {"float32": 1e-6, "float16": 1e-3, "uint16": 2 / 65535, "uint8": 2 / 255, "int8": 1 / 127}


@dataclass(frozen=True)
class Stored:
    """One stored weight tensor: a kernel [height, width, in, out] or a bias [out] as read, and its bytes as stored.

    `rounding` says how far rounding may have changed its values, as a share of the largest. It is None if the values
    cannot be compared, because compact_tfjs scaled and rounded them to its own plan.
    """

    values: Values
    bytes: int
    rounding: float | None


@dataclass(frozen=True)
class Match:
    """What a comparison found: weights stored more than once, tensors that match no weight, and missing weights.

    `bytes` counts what is stored, without the zeros that a converter added. `elements` counts what had to be stored.
    """

    doubled: list[Expected]
    unknown: list[Stored]
    missing: list[Expected]
    bytes: int
    elements: int
    tensors: int

    def problems(self) -> list[str]:
        """Return what is wrong, in one line each."""
        found = []
        if self.missing:
            found.append(f"{len(self.missing)} of its weight tensors are missing, {self.missing[0]} first")
        if self.doubled:
            found.append(f"{len(self.doubled)} weight tensors are stored more than once, {self.doubled[0]} first")
        if self.unknown:
            shape = "×".join(map(str, self.unknown[0].values.shape))
            found.append(f"{len(self.unknown)} tensors are no weights of the network, one of {shape} first")
        return found


def is_zero(values: Values) -> bool:
    """Return whether these values are zero, or so small that they vanish beside any other value."""
    return values.size == 0 or bool(np.abs(values).max() < ZERO)


def distance(stored: Stored, expected: Expected) -> float | None:
    """Return how far a stored tensor is from an expected one, or None if rounding cannot explain the distance."""
    if stored.values.shape != expected.values.shape:
        return None
    if stored.rounding is None:
        return 0.0
    allowed = stored.rounding * float(np.abs(expected.values).max()) + ZERO
    found, wanted = stored.values.reshape(-1), expected.values.reshape(-1)
    # The first values already tell most tensors apart. A NaN is within no limit.
    if not (np.abs(found[:64] - wanted[:64]) <= allowed).all():
        return None
    largest = float(np.abs(found - wanted).max())
    return largest if largest <= allowed else None


def nearest(stored: Stored, weights: Sequence[Expected]) -> Expected | None:
    """Return the weight that a stored tensor holds, or None if it holds no expected weight."""
    distances = [(far, index) for index, each in enumerate(weights) if (far := distance(stored, each)) is not None]
    return weights[min(distances)[1]] if distances else None


def match(stored: Sequence[Stored], expected: Sequence[Expected]) -> Match:
    """Find each stored tensor among the expected weights.

    Each weight must be stored once. A converter may store equal weights only once. It may also leave out a bias of
    zeros, or add one to a convolution without a bias.
    """
    biases = {each.values.shape for each in expected if not each.is_kernel}
    left, taken = list(expected), list[Expected]()
    doubled, unknown, kept = list[Expected](), list[Stored](), 0
    for tensor in stored:
        if (found := nearest(tensor, left)) is not None:
            left = [each for each in left if each is not found]
            taken.append(found)
        elif tensor.values.shape in biases and is_zero(tensor.values):
            continue
        elif (again := nearest(tensor, taken)) is not None:
            doubled.append(again)
        else:
            unknown.append(tensor)
        kept += tensor.bytes
    missing = [each for each in left if not may_be_absent(each, taken)]
    needed = sum(each.values.size for each in (*taken, *missing))
    return Match(doubled, unknown, missing, kept, needed, len(stored))


def may_be_absent(expected: Expected, taken: Sequence[Expected]) -> bool:
    """Return whether a weight may be missing: a bias of zeros, or a weight equal to another that is stored."""
    if not expected.is_kernel and is_zero(expected.values):
        return True
    return nearest(Stored(expected.values, 0, ROUNDING["float32"]), taken) is not None
