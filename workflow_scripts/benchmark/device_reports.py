"""The files that the site's devices.html saves: how fast each engine is on one device. They come from other people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from workflow_scripts.shared.failures import Failure

# As ENGINES_TIMED in web/devices/report.ts.
ENGINES = {
    "webgpu": "TensorFlow.js, WebGPU",
    "webgl": "TensorFlow.js, WebGL",
    "wasm": "TensorFlow.js, WebAssembly",
    "litert-webgpu": "LiteRT.js, WebGPU",
    "litert-wasm": "LiteRT.js, WebAssembly",
    "onnxruntime-webgpu": "ONNX Runtime, WebGPU",
    "onnxruntime-wasm": "ONNX Runtime, WebAssembly",
}
# A name or a reason from outside is cut to so many characters.
LONGEST_TEXT = 120


@dataclass(frozen=True)
class Timing:
    """One engine at one size on one device. `frames_ms` is empty if `problem` says why it was not timed."""

    device: str
    model: str
    engine: str
    threads: int
    computes_on: str
    resolution: int
    max_abs: float | None
    frames_ms: tuple[float, ...]
    problem: str | None

    @property
    def name(self) -> str:
        """The engine, with its threads if it computes on the processor."""
        if self.computes_on != "processor":
            return ENGINES[self.engine]
        return f"{ENGINES[self.engine]}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"

    def spread(self) -> tuple[float, float, float]:
        """Return the lower quartile, the median and the upper quartile of the frames, in milliseconds."""
        low, median, high = quantiles(self.frames_ms, n=4, method="inclusive")
        return low, median, high


def text(value: Any) -> str:
    """Return a text as one line of a table, cut if it is long. Raises TypeError for anything but a text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    line = " ".join(value.replace("|", "/").split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def whole(value: Any) -> int:
    """Return `value`. Raises TypeError unless it is a positive whole number."""
    if type(value) is not int or not 0 < value < 100_000:
        raise TypeError(f"{value!r} is no positive whole number")
    return value


def time(value: Any) -> float:
    """Return `value`. Raises TypeError unless it is a time in milliseconds."""
    if type(value) not in (int, float) or not 0 <= value < 1e7:
        raise TypeError(f"{value!r} is no time in milliseconds")
    return float(value)


def timing_of(row: dict[str, Any], device: str, model: str) -> Timing:
    """Read one row of a file. Raises KeyError or TypeError if the row has another form."""
    if row["backend"] not in ENGINES:
        raise KeyError(row["backend"])
    frames = tuple(time(value) for value in row["frames_ms"])
    problem = None if row["problem"] is None else text(row["problem"])
    if (problem is None) != (len(frames) >= 2):
        raise TypeError("a row has frames or a problem")
    return Timing(
        device=device,
        model=model,
        engine=row["backend"],
        threads=whole(row["threads"]),
        computes_on=text(row["device"]),
        resolution=whole(row["resolution"]),
        max_abs=None if row["max_abs"] is None else time(row["max_abs"]),
        frames_ms=frames,
        problem=problem,
    )


def read_reports(paths: Sequence[Path]) -> list[Timing]:
    """Read what devices.html saved on several devices. Raises Failure, naming the file, if one is something else."""
    found: list[Timing] = []
    for path in paths:
        try:
            report = json.loads(path.read_text())
            if report["version"] != 1:
                raise TypeError(f"version {report['version']!r}")
            device, model = text(report["device"]), text(report["model"])
            found += [timing_of(row, device, model) for row in report["rows"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Failure(
                f"{path} is not a file that devices.html saved ({type(error).__name__}: {error}); "
                "take it out of the folder, or save it again"
            ) from error
    return found
