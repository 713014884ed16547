"""Time a model's engines in turn, in one Chromium and one run, and compare each engine's drawing with PyTorch's."""

import argparse
import json
import os
import platform
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright
from safetensors.numpy import load_file

from workflow_scripts.benchmark.contenders import (
    BrowserContender,
    CannotRun,
    Contender,
    NativeContender,
    call_page,
    opened,
)
from workflow_scripts.check.limits import Limits, exceeded, read_limits
from workflow_scripts.formats.predictions import read_predictions
from workflow_scripts.shared.chromium import launch
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import write_json
from workflow_scripts.shared.layouts import nhwc
from workflow_scripts.shared.metrics import compare
from workflow_scripts.shared.serving import serving

# A real photo, as people draw it. The other probes exist to break arithmetic.
PROBE = "astronaut"
# For scale: the product of two dense matrices of this side shows the best speed of an engine in this browser.
DENSE_SIDE = 1024
DENSE_TFJS, DENSE_LITERT = DENSE = ("dense-tfjs", "dense-litert")
# An engine's idle threads spin for some milliseconds before they sleep, and would slow down the next engine.
PAUSE_SECONDS = 0.05
NATIVE = ("onnxruntime", "openvino")
BACKENDS = ("wasm", "webgl", "webgpu")


@dataclass(frozen=True)
class Setting:
    """One model at one resolution with one thread count, and the drawing that its contenders must reach."""

    resolution: int
    threads: int
    rounds: int
    reference: NDArray[np.float32]
    limits: Limits
    task: str

    def __str__(self) -> str:
        return f"{self.resolution}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"

    def compare(self, name: str, d0: NDArray[np.float32]) -> dict[str, float]:
        """Return how far d0 is from PyTorch's; raise Failure if that exceeds the contender's limits."""
        if d0.size != self.reference.size:
            raise Failure(f"{name} at {self} draws {d0.size} values, but PyTorch draws {self.reference.size}")
        if not np.isfinite(d0).all():
            raise Failure(f"{name} at {self} draws NaN or infinite values")
        difference = asdict(compare(d0.reshape(self.reference.shape), self.reference, self.task))
        if problems := exceeded(difference, self.limits.of(name)):
            raise Failure(f"{name} at {self} does not draw what PyTorch draws: {problems[0]}")
        return difference


def browser_models(resolution: int, dtypes: Sequence[str], tflite_dtypes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the models that the page opens, by the names of the contenders."""
    files = {
        **{f"tfjs-{dtype}": ("tfjs", f"tfjs/{dtype}/model.json") for dtype in dtypes},
        "tfjs-by-hand": ("tfjs", "benchmark/by_hand/model.json"),
        **{f"litert-{dtype}": ("litert", f"tflite/{dtype}.tflite") for dtype in tflite_dtypes},
        "onnxruntime-web": ("onnxruntime", "onnx/model.onnx"),
    }
    return {
        name: {"engine": engine, "url": f"/model/{resolution}/{file}", "resolution": resolution}
        for name, (engine, file) in files.items()
    }


@dataclass
class Timed:
    """What one contender did: the times of its frames in milliseconds, and how far its last d0 is from PyTorch's."""

    said: dict[str, Any]
    frames: list[float]
    difference: dict[str, float] | None


def draw_frame(contender: Contender, setting: Setting, timed: Timed, look: bool) -> float:
    """Draw one frame and return its time in milliseconds. With `look`, compare the drawing with PyTorch's."""
    time.sleep(PAUSE_SECONDS)
    frame = contender.frame(look and contender.name not in DENSE)
    if frame.d0 is not None:
        timed.difference = setting.compare(contender.name, frame.d0)
    return frame.ms


def leave_out(contenders: Sequence[Contender], setting: Setting) -> dict[str, str]:
    """Let each contender draw once, alone. Return by name what the contenders say that cannot.

    At large sizes an engine may find no memory. That is a result, and no reason to lose the figures of the others. But
    all are compared with the first contender, so its CannotRun is raised.
    """
    failed: dict[str, str] = {}
    for contender in contenders:
        try:
            with opened(contender):
                draw_frame(contender, setting, Timed({}, [], None), look=True)
        except CannotRun as failure:
            if contender is contenders[0]:
                raise
            failed[contender.name] = str(failure)
            print(f"{setting}: {failure}", flush=True)
    return failed


def time_in_turn(contenders: Sequence[Contender], setting: Setting, together: bool) -> dict[str, Timed]:
    """Time the contenders round by round: A B C A B C …

    Each is warmed up before. Its first and its last drawing are compared with PyTorch's. `together` keeps all models in
    memory. Without it there is one at a time, and it is loaded and warmed up again for each frame.
    """
    found = {contender.name: Timed({}, [], None) for contender in contenders}
    with ExitStack() as stack:
        if together:
            for contender in contenders:
                timed = found[contender.name]
                timed.said = stack.enter_context(opened(contender))
                ms = draw_frame(contender, setting, timed, look=True)
                print(f"{setting}: {contender.name} is warmed up by a frame of {ms:,.0f} ms", flush=True)
        for number in range(1, setting.rounds + 1):
            times = []
            for contender in contenders:
                timed = found[contender.name]
                with nullcontext(timed.said) if together else opened(contender) as timed.said:
                    if not together:
                        draw_frame(contender, setting, timed, look=True)
                    timed.frames.append(draw_frame(contender, setting, timed, look=number == setting.rounds))
                times.append(f"{contender.name} {timed.frames[-1]:,.0f}")
            print(f"{setting}, round {number} of {setting.rounds}: {', '.join(times)} ms", flush=True)
    return found


def ratios(frames: Mapping[str, Sequence[float]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each pair the time of the first ÷ that of the second: of the minima, and the median of the rounds."""
    return {
        a: {
            b: {"of_minima": min(of_a) / min(of_b), "median": median(x / y for x, y in zip(of_a, of_b, strict=True))}
            for b, of_b in frames.items()
            if b != a
        }
        for a, of_a in frames.items()
    }


def dense_of(name: str) -> str | None:
    """Name the dense product to compare a contender with: LiteRT alone has relaxed SIMD. Native engines get None."""
    if name in NATIVE:
        return None
    return DENSE_LITERT if name.startswith("litert-") else DENSE_TFJS


def summarize(found: Mapping[str, Timed], setting: Setting, multiply_adds: int, together: bool) -> dict[str, Any]:
    """Return one setting's figures: times, ratios, multiply-adds per second and their share of the dense product's."""
    dense = {name: DENSE_SIDE**3 / min(found[name].frames) / 1e6 for name in DENSE}
    contenders = []
    for name, timed in found.items():
        if name not in DENSE:
            speed = multiply_adds / min(timed.frames) / 1e6
            product = dense_of(name)
            contenders.append(
                {
                    "name": name,
                    "version": timed.said["version"],
                    "threads": timed.said["threads"],
                    "frames_ms": timed.frames,
                    "min_ms": min(timed.frames),
                    "median_ms": median(timed.frames),
                    "gmac_per_s": speed,
                    "share_of_dense": speed / dense[product] if product else None,
                    "difference": timed.difference,
                }
            )
    return {
        "resolution": setting.resolution,
        "threads": setting.threads,
        "rounds": setting.rounds,
        "together": together,
        "multiply_adds": multiply_adds,
        "dense": {
            name: {"side": DENSE_SIDE, "frames_ms": found[name].frames, "gmac_per_s": speed}
            for name, speed in dense.items()
        },
        "contenders": contenders,
        "ratios": ratios({name: timed.frames for name, timed in found.items() if name not in DENSE}),
    }


def first_drawings(
    browser: Browser, origin: str, models: Mapping[str, Mapping[str, Any]], setting: Setting, probe: str
) -> dict[str, Any]:
    """Time each engine in turn from its start to its first drawing, each time with an empty cache."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in models}
    for number in range(1, setting.rounds + 1):
        for name, model in models.items():
            # A new context has an empty cache of its own.
            with browser.new_context() as context:
                page = open_page(context.new_page(), origin)
                found[name].append(call_page(page, name, "firstDrawing", model, setting.threads, probe))
        times = ", ".join(f"{name} {drawings[-1]['total_ms']:,.0f}" for name, drawings in found.items())
        print(f"{setting}, first drawing {number} of {setting.rounds}: {times} ms", flush=True)
    parts = ("engine_ms", "download_ms", "load_ms", "frame_ms", "total_ms")
    return {
        "resolution": setting.resolution,
        "threads": setting.threads,
        "rounds": setting.rounds,
        "contenders": [
            {
                "name": name,
                "bytes": drawings[0]["bytes"],
                "drawings": [{part: drawing[part] for part in parts} for drawing in drawings],
            }
            for name, drawings in found.items()
        ],
        "ratios": ratios({name: [drawing["total_ms"] for drawing in drawings] for name, drawings in found.items()}),
    }


def open_page(page: Page, origin: str) -> Page:
    """Open the benchmark's page and wait until it is ready."""
    page.goto(f"{origin}/index.html")
    page.wait_for_function("() => 'benchmark' in window")
    return page


def write_inputs(folder: Path, probes: Path) -> None:
    """Write the probe's float32 values in both layouts, for the page to fetch."""
    x: NDArray[np.float32] = load_file(probes)[PROBE]
    folder.mkdir(exist_ok=True)
    (folder / f"{PROBE}.nchw").write_bytes(x.tobytes())
    (folder / f"{PROBE}.nhwc").write_bytes(nhwc(x).tobytes())


def profile(page: Page, name: str, model: Mapping[str, Any], backend: str) -> dict[str, Any]:
    """Return a model's kernels and peak memory on a backend. If a GPU refuses, its reason is under `failed`."""
    try:
        found: dict[str, Any] = call_page(page, f"{name} on {backend}", "profile", model, backend)
    except Failure as failure:
        if backend == "wasm":
            raise
        found = {"failed": str(failure)}
    return {"contender": name, "resolution": model["resolution"], "backend": backend, **found}


def processor() -> str:
    """Return the processor's name, if the system tells it, else its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe_machine(browser: Browser) -> dict[str, Any]:
    """Describe the machine. Its load average tells whether the benchmark had it to itself."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "browser": f"Chromium {browser.version}",
        "load_average_before": os.getloadavg()[0],
    }


def benchmark_resolution(
    arguments: argparse.Namespace, resolution: int, rounds: int, browser: Browser, origin: str, inputs: Path
) -> dict[str, list[dict[str, Any]]]:
    """Return one resolution's `settings`, `first_drawings` and `profiles`."""
    plan, folder = arguments.plan, arguments.model / str(resolution)
    (probes,) = [path for path in arguments.probes if path.stem == str(resolution)]
    write_inputs(inputs / str(resolution), probes)
    probe = f"/inputs/{resolution}/{PROBE}"
    reference, _ = read_predictions(folder / "predictions/torch.safetensors")
    architecture = json.loads((arguments.model / "checkpoint/architecture.json").read_text())
    multiply_adds = architecture["multiply_adds_32x32"] * (resolution // 32) ** 2
    models = browser_models(resolution, arguments.dtypes, arguments.tflite_dtypes)
    products = {
        DENSE_TFJS: {"engine": DENSE_TFJS, "side": DENSE_SIDE},
        DENSE_LITERT: {"engine": DENSE_LITERT, "side": DENSE_SIDE, "url": f"/dense/{arguments.dense.name}"},
    }
    commands = (
        [*arguments.onnxruntime, "--model", str(folder / "onnx/model.onnx")],
        [*arguments.openvino, "--model", str(folder / "ir/model.xml")],
    )
    limits = read_limits(arguments.tolerances, folder / "rounding.json")
    together = resolution < plan["reload_from"]
    settings = []
    with browser.new_context() as context:
        page = open_page(context.new_page(), origin)
        for threads in plan["threads"]:
            setting = Setting(resolution, threads, rounds, reference[PROBE], limits, arguments.task)
            asked = ("--probes", str(probes), "--probe", PROBE, "--threads", str(threads))
            contenders = [
                *(BrowserContender(page, name, model, threads, probe) for name, model in models.items()),
                *(BrowserContender(page, name, product, threads, probe) for name, product in products.items()),
                *(NativeContender(name, [*command, *asked]) for name, command in zip(NATIVE, commands, strict=True)),
            ]
            failed = leave_out(contenders, setting)
            able = [contender for contender in contenders if contender.name not in failed]
            found = time_in_turn(able, setting, together)
            settings.append({**summarize(found, setting, multiply_adds, together), "failed": failed})
        first = f"tfjs-{arguments.dtypes[0]}"
        profiles = [profile(page, first, models[first], backend) for backend in BACKENDS]
    # With the most threads that are timed: so long a visitor waits.
    cold = replace(setting, threads=max(plan["threads"]), rounds=min(rounds, plan["first_drawings"]))
    unable = {name for timed in settings for name in timed["failed"]}
    able_models = {name: model for name, model in models.items() if name not in unable}
    drawings = first_drawings(browser, origin, able_models, cold, probe)
    return {"settings": settings, "first_drawings": [drawings], "profiles": profiles}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the model's folder, with all models to time")
    parser.add_argument("--probes", type=Path, nargs="+", required=True, help="one file per resolution, named after it")
    parser.add_argument("--page", type=Path, required=True, help="folder of build_benchmark_page")
    parser.add_argument("--dense", type=Path, required=True, help=f".tflite of a product of side {DENSE_SIDE}")
    parser.add_argument("--dtypes", nargs="+", required=True)
    parser.add_argument("--tflite-dtypes", nargs="+", required=True)
    parser.add_argument("--plan", type=json.loads, required=True, help="JSON: `benchmark` of config.yaml")
    parser.add_argument("--tolerances", type=json.loads, required=True, help="JSON: `tolerances` of config.yaml")
    parser.add_argument("--task", choices=("portrait", "drawing", "saliency"), required=True)
    parser.add_argument("--onnxruntime", type=shlex.split, required=True, help="the command that runs time_onnxruntime")
    parser.add_argument("--openvino", type=shlex.split, required=True, help="the command that runs time_openvino")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as inputs, sync_playwright() as playwright:
        mounts = {"model": arguments.model, "inputs": Path(inputs), "dense": arguments.dense.parent}
        with serving(arguments.page, mounts=mounts) as origin:
            browser = launch(playwright)
            machine = describe_machine(browser)
            parts = [
                benchmark_resolution(arguments, planned["resolution"], planned["rounds"], browser, origin, Path(inputs))
                for planned in arguments.plan["runs"]
            ]
            browser.close()
    report = {
        "model": arguments.model.name,
        "machine": machine,
        "probe": PROBE,
        **{key: [entry for part in parts for entry in part[key]] for key in parts[0]},
    }
    write_json(arguments.output, report)


if __name__ == "__main__":
    run(main)
