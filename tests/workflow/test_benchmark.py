"""Run the benchmark as a user does, with few and small frames. Its report is complete, and wrong engines fail."""

import json
import re
from statistics import median
from typing import Any

import pytest

from tests.support.project import ROOT, SMALL, Workflow, flip, positions_of

PLAN = """
benchmark:
  runs:
    - {resolution: 64, rounds: 2}
  first_drawings: 1
"""
IN_THE_BROWSER = ["tfjs-float32", "tfjs-uint16", "tfjs-by-hand", "litert-float32", "onnxruntime-web"]
NATIVE = ["onnxruntime", "openvino"]
FOLDER = "results/u2netp/64"
BENCHMARK = ("benchmark", "--configfile", "plan.yaml", *SMALL)


@pytest.fixture(scope="module")
def timed(built: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of the project in which the benchmark ran."""
    workflow = built.copy(tmp_path_factory.mktemp("timed") / "project")
    (workflow.folder / "plan.yaml").write_text(PLAN)
    done = workflow.succeed(*BENCHMARK)
    (workflow.folder / "stdout.txt").write_text(done.stdout + done.stderr)
    return workflow


@pytest.fixture
def report(timed: Workflow) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((timed.folder / "results/u2netp/benchmark.json").read_text())
    return content


def ops(workflow: Workflow, folder: str) -> dict[str, int]:
    """Count the operations of a TensorFlow.js model, without its weights, input and output."""
    model = json.loads((workflow.folder / FOLDER / folder / "model.json").read_text())
    names = [node["op"] for node in model["modelTopology"]["node"]]
    return {name: names.count(name) for name in sorted(set(names) - {"Const", "Placeholder", "Identity"})}


def test_every_contender_draws_every_round(report: dict[str, Any]) -> None:
    assert report["machine"]["browser"].startswith("Chromium ")
    assert report["machine"]["cores"] >= 1
    assert [(setting["resolution"], setting["threads"]) for setting in report["settings"]] == [(64, 1), (64, 2)]
    for setting in report["settings"]:
        assert setting["failed"] == {}
        found = {contender["name"]: contender for contender in setting["contenders"]}
        assert list(found) == [*IN_THE_BROWSER, *NATIVE]
        for name, contender in found.items():
            frames = contender["frames_ms"]
            assert len(frames) == 2
            assert all(ms > 0 for ms in frames)
            assert contender["threads"] == setting["threads"]
            assert contender["min_ms"] == min(frames)
            assert contender["median_ms"] == median(frames)
            # The paper's network takes 19.8 G multiply-adds at 320 × 320. They grow with the area.
            assert contender["gmac_per_s"] == pytest.approx(19.756 / 25 / min(frames) * 1000, rel=1e-3)
            if name in NATIVE:
                assert contender["share_of_dense"] is None
            else:
                product = setting["dense"]["dense-litert" if name == "litert-float32" else "dense-tfjs"]
                dense = 1024**3 / min(product["frames_ms"]) / 1e6
                assert contender["share_of_dense"] == pytest.approx(contender["gmac_per_s"] / dense)
            # No engine gives exactly PyTorch's bits, and quantized weights compute another function.
            limit = 0.1 if name == "tfjs-uint16" else 2e-4
            assert 0 < contender["difference"]["max_abs"] < limit
        assert found["tfjs-uint16"]["difference"]["max_abs"] > 10 * found["tfjs-float32"]["difference"]["max_abs"]


def test_ratios_are_those_of_pairs_in_the_same_round(report: dict[str, Any]) -> None:
    for setting in report["settings"]:
        frames = {contender["name"]: contender["frames_ms"] for contender in setting["contenders"]}
        for a, of_a in frames.items():
            assert setting["ratios"][a].keys() == frames.keys() - {a}
            for b, pair in setting["ratios"][a].items():
                assert pair["of_minima"] == pytest.approx(min(of_a) / min(frames[b]))
                assert pair["median"] == pytest.approx((of_a[0] / frames[b][0] + of_a[1] / frames[b][1]) / 2)


def test_engines_are_the_locked_ones(report: dict[str, Any]) -> None:
    package = json.loads((ROOT / "web/package.json").read_text())
    pages = package["dependencies"] | package["devDependencies"]
    natives = {
        name: re.search(rf"^{name}==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
        for name, lock in (("onnxruntime", "envs/onnx.txt"), ("openvino", "envs/tensorflow.txt"))
    }
    for contender in report["settings"][0]["contenders"]:
        name, version = contender["name"], contender["version"]
        if name in NATIVE:
            locked = natives[name]
            assert locked is not None
            # OpenVINO adds a build number to its locked version.
            assert version.startswith(locked.group(1))
        else:
            engine = {"litert": "@litertjs/core", "onnxruntime": "onnxruntime-web"}.get(name.partition("-")[0])
            assert version == pages[engine or "@tensorflow/tfjs-core"]


def test_first_drawings_download_the_whole_model(timed: Workflow, report: dict[str, Any]) -> None:
    (found,) = report["first_drawings"]
    assert (found["resolution"], found["threads"], found["rounds"]) == (64, 2, 1)
    folder = timed.folder / FOLDER
    files = {
        "tfjs-float32": list((folder / "tfjs/float32").glob("[!.]*")),
        "tfjs-uint16": list((folder / "tfjs/uint16").glob("[!.]*")),
        "tfjs-by-hand": list((folder / "benchmark/by_hand").glob("[!.]*")),
        "litert-float32": [folder / "tflite/float32.tflite"],
        "onnxruntime-web": [folder / "onnx/model.onnx"],
    }
    assert [contender["name"] for contender in found["contenders"]] == list(files)
    for contender in found["contenders"]:
        assert contender["bytes"] == sum(file.stat().st_size for file in files[contender["name"]])
        (drawing,) = contender["drawings"]
        total = drawing.pop("total_ms")
        assert all(ms >= 0 for ms in drawing.values())
        assert drawing["frame_ms"] > 0
        # The total also holds the time between the parts, such as the start of the worker.
        assert sum(drawing.values()) <= total


def test_kernels_are_the_graphs_operations(timed: Workflow, report: dict[str, Any]) -> None:
    graph = ops(timed, "tfjs/float32")
    assert graph.pop("_FusedConv2D") == 118
    names = {"AddV2": "Add", "ConcatV2": "Concat"}
    expected = {names.get(op, op): count for op, count in graph.items()} | {"FusedConv2D": 118}
    weights = 4_501_912
    for profile, backend in zip(report["profiles"], ("wasm", "webgl", "webgpu"), strict=True):
        assert profile["backend"] == backend
        assert profile["kernels"] == expected
        # At least the weights, the input, and the tensors of stage1 with 64 channels.
        assert profile["peak_bytes"] > weights + 64 * 64 * 64 * 4
        assert (profile["gpu_bytes"] is None) == (backend == "wasm")
        assert profile["gpu_bytes"] is None or profile["gpu_bytes"] > weights


def test_by_hand_is_without_our_rewrites(timed: Workflow) -> None:
    by_hand = ops(timed, "benchmark/by_hand")
    assert by_hand["SpaceToBatchND"] == by_hand["BatchToSpaceND"] == 23
    assert not {"SpaceToBatchND", "BatchToSpaceND"} & ops(timed, "tfjs/float32").keys()


def test_table_and_picture(timed: Workflow, report: dict[str, Any]) -> None:
    table = (timed.folder / "results/u2netp/benchmark.md").read_text()
    for name in [*IN_THE_BROWSER, *NATIVE]:
        assert len(re.findall(rf"^\| {name} \|", table, re.MULTILINE)) == (3 if name in IN_THE_BROWSER else 2)
    pair = report["settings"][0]["ratios"]["tfjs-by-hand"]["tfjs-float32"]
    (row, *_) = re.findall(r"^\| tfjs-by-hand \|.*$", table, re.MULTILINE)
    assert f"| {pair['of_minima']:.2f} ({pair['median']:.2f}) |" in row
    picture = (timed.folder / "results/u2netp/benchmark.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") > 1000
    printed = (timed.folder / "stdout.txt").read_text()
    assert "64, 2 threads, round 2 of 2: tfjs-float32 " in printed


def test_benchmark_is_opt_in(timed: Workflow) -> None:
    assert timed.planned("all", *SMALL) == {}


def test_contender_that_draws_something_else_fails_the_run(timed: Workflow) -> None:
    model = timed.folder / FOLDER / "benchmark/by_hand"
    shard, offset = divmod(positions_of(model, [3, 3, 3, 64])[0], 4 * 1024 * 1024)
    (path,) = model.glob(f"group1-shard{shard + 1}of*.bin")
    content = path.read_bytes()
    flip(path, offset + 3)
    try:
        done = timed.run(*BENCHMARK, "--forcerun", "benchmark_model")
    finally:
        path.write_bytes(content)
    assert done.returncode != 0
    lines = {text.strip() for text in done.stderr.splitlines() if "benchmark_model: " in text}
    (line,) = [text for text in lines if text.startswith("benchmark_model: ")]
    assert line.startswith("benchmark_model: tfjs-by-hand at 64, 1 thread does not draw what PyTorch draws: ")
    assert not (timed.folder / "results/u2netp/benchmark.json").exists()


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (
            "runs: [{resolution: 100, rounds: 1}]",
            "Error: config benchmark.runs.0.resolution: 100 is not a multiple of 32",
        ),
        (
            "runs: [{resolution: 64, round: 1}]",
            "Error: unknown config key round at benchmark.runs.0; did you mean rounds?",
        ),
        ("threads: [0]", "Error: config benchmark.threads.0: 0 is less than the minimum of 1"),
    ],
)
def test_plan_is_refused_before_anything_runs(project: Workflow, plan: str, line: str) -> None:
    (project.folder / "plan.yaml").write_text(f"benchmark:\n  {plan}\n")
    done = project.run(*BENCHMARK)
    assert done.returncode != 0
    assert line in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
