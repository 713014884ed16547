import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workflow_scripts.check.check_parity import main
from workflow_scripts.formats.predictions import save_predictions

pytestmark = pytest.mark.environment("torch")

Refusal = Callable[..., str]
D0 = dict[str, NDArray[np.float32]]
SIZE = 32
HOPS = ("onnxruntime", "openvino", "tensorflow-frozen", "tensorflow-optimized", "tfjs-float32", "tfjs-uint16")
# Rounding errors of 4e-5 and 1e-5, of which five times as much is allowed.
EXACT = {"max_abs": 2e-4, "p99_abs": 5e-5}
YARDSTICK = {"max_abs": 4e-5, "mean_abs": 1e-6, "p99_abs": 1e-5}
FLOAT32 = {
    "factor": 5,
    "max_abs": {"floor": 2e-6, "ceiling": 2e-3},
    "p99_abs": {"floor": 1e-6, "ceiling": 5e-4},
}
TOLERANCES = {"float32": FLOAT32, "tfjs-uint16": {"min_drawing_psnr_db": 35}}
NHWC = {"input_shape": [1, SIZE, SIZE, 3], "output_shape": [1, SIZE, SIZE, 1], "layout": "NHWC"}
NCHW = {"input_shape": [1, 3, SIZE, SIZE], "output_shape": [1, 1, SIZE, SIZE], "layout": "NCHW"}


def predictions() -> D0:
    random = np.random.default_rng(9)
    return {name: random.uniform(0, 1, (1, 1, SIZE, SIZE)).astype(np.float32) for name in ("astronaut", "black")}


def write(folder: Path, hop: str, d0: D0, **signature: Any) -> Path:
    ends = ("inputs", "Identity") if hop == "tensorflow-frozen" else ("x", "d0")
    shapes = NHWC if hop.startswith(("tensorflow", "tfjs")) else NCHW
    metadata = {
        "backend": f"{hop} 1.0",
        "model": f"models/{hop}",
        "model_sha256": "0" * 64,
        "signature": json.dumps({"input_name": ends[0], "output_name": ends[1], **shapes, **signature}),
        **({"peak_bytes": "4711"} if hop.startswith("tfjs") else {}),
    }
    path = folder / f"{hop}.safetensors"
    save_predictions(path, d0, metadata)
    return path


class Check:
    """One check in a folder of its own. Each hop predicts what PyTorch predicts, unless a test changes that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "parity.json"
        self.failed = folder / "parity.failed.json"
        write(folder, "torch", predictions())
        for hop in HOPS:
            write(folder, hop, predictions())
        self.loading: dict[str, Any] = {
            "models": {hop: {"model_sha256": "0" * 64, "loaded_with": "tfjs 4", "tensors": 281} for hop in HOPS[4:]},
            "graph_of": "tfjs-float32",
            "passed": True,
        }

    def arguments(self, hops: tuple[str, ...] = HOPS, yardstick: Mapping[str, float] = YARDSTICK) -> list[str]:
        (self.folder / "rounding.json").write_text(json.dumps({"worst": yardstick}))
        (self.folder / "loading.json").write_text(json.dumps(self.loading))
        files = [str(self.folder / f"{hop}.safetensors") for hop in hops]
        return [
            *("--reference", str(self.folder / "torch.safetensors"), "--predictions", *files),
            *("--loading", str(self.folder / "loading.json")),
            *(
                "--tolerances",
                json.dumps(TOLERANCES),
                "--rounding",
                str(self.folder / "rounding.json"),
                "--task",
                "portrait",
                "--resolution",
                str(SIZE),
            ),
            *("--output", str(self.report)),
        ]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return Check(tmp_path)


def changed(change: Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]) -> D0:
    """Change only one probe: a difference in any probe must stop a hop."""
    d0 = predictions()
    return {**d0, "black": np.ascontiguousarray(change(d0["black"]), dtype=np.float32)}


def with_value(value: float) -> D0:
    def change(d0: NDArray[np.float32]) -> NDArray[np.float32]:
        d0[0, 0, 3, 4] = value
        return d0

    return changed(change)


def test_equal_predictions_pass(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    main(check.arguments())
    report = json.loads(check.report.read_text())
    assert report["passed"] is True
    assert report["reference"] == {"backend": "torch 1.0", "model": "models/torch", "model_sha256": "0" * 64}
    assert [hop["hop"] for hop in report["hops"]] == list(HOPS)
    for hop in report["hops"]:
        assert hop["probes"].keys() == {"astronaut", "black"}
        assert hop["tolerance"] == pytest.approx(TOLERANCES.get(hop["hop"], EXACT))
        assert hop["probes"]["astronaut"]["max_abs"] == 0
        assert hop.get("peak_bytes") == (4711 if hop["hop"].startswith("tfjs") else None)
    assert not check.failed.exists()
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table[1:]] == list(HOPS)


def test_a_report_says_by_what_each_hop_is_proven(check: Check) -> None:
    main(check.arguments())
    proofs = {hop["hop"]: hop["proof"] for hop in json.loads(check.report.read_text())["hops"]}
    assert proofs["openvino"] == {"predicted_with": "openvino 1.0"}
    loaded = {"loaded_with": "tfjs 4", "tensors_equal": 281, "graph_of": "tfjs-float32"}
    assert proofs["tfjs-float32"] == {"predicted_with": "tfjs-float32 1.0", **loaded}
    assert proofs["tfjs-uint16"] == {"predicted_with": "tfjs-uint16 1.0", **loaded}


def test_predictions_prove_nothing_about_a_model_that_tensorflow_js_was_not_seen_to_load(
    check: Check, refusal: Refusal
) -> None:
    missing = "is the first hop to differ from PyTorch: no report says that TensorFlow.js loads exactly this model"
    check.loading["models"]["tfjs-uint16"]["model_sha256"] = "1" * 64
    assert f"tfjs-uint16 {missing}" in refusal(main, *check.arguments())
    del check.loading["models"]["tfjs-float32"]
    assert f"tfjs-float32 {missing}" in refusal(main, *check.arguments())
    check.loading["passed"] = False
    assert refusal(main, *check.arguments()) == f"script: {check.folder / 'loading.json'} did not pass"
    # The page's own hops and those of other tools have no such report. Hops of TensorFlow.js do not pass without one.
    arguments = check.arguments()
    place = arguments.index("--loading")
    assert f"tfjs-float32 {missing}" in refusal(main, *arguments[:place], *arguments[place + 2 :])


def test_the_worst_probe_stands_for_a_hop(check: Check) -> None:
    write(check.folder, "openvino", changed(lambda d0: d0 + np.float32(2e-5)))
    main(check.arguments())
    hop = json.loads(check.report.read_text())["hops"][1]
    assert hop["probes"]["astronaut"]["max_abs"] == 0
    assert hop["worst"] == hop["probes"]["black"]
    assert hop["worst"]["max_abs"] == pytest.approx(2e-5, rel=0.01)
    # For these two, lower is worse.
    assert hop["worst"]["drawing_psnr_db"] < hop["probes"]["astronaut"]["drawing_psnr_db"]


BROKEN: dict[str, tuple[str, D0, dict[str, Any], str]] = {
    "one flipped value": (
        "openvino",
        changed(lambda d0: np.where(d0 == d0.max(), 1 - d0, d0)),
        {},
        r"black: max_abs 0\.99\d* is over 0\.0002",
    ),
    "a small error everywhere": (
        "openvino",
        changed(lambda d0: d0 + 1e-4),
        {},
        r"black: p99_abs 0\.0001 is over 5e-05",
    ),
    "NaN": ("tensorflow-optimized", with_value(np.nan), {}, "black: NaN or infinite values"),
    "infinity in the last hop": ("tfjs-uint16", with_value(np.inf), {}, "black: NaN or infinite values"),
    "transposed": ("tfjs-float32", changed(lambda d0: d0.transpose(0, 1, 3, 2)), {}, "black: max_abs"),
    "NHWC instead of NCHW": (
        "onnxruntime",
        changed(lambda d0: d0.transpose(0, 2, 3, 1)),
        {},
        r"black: shape \(1, 32, 32, 1\), expected \(1, 1, 32, 32\)",
    ),
    "missing probe": (
        "tensorflow-frozen",
        {"astronaut": predictions()["astronaut"]},
        {},
        r"it predicted probes \['astronaut'\], expected \['astronaut', 'black'\]",
    ),
    "unknown probe": ("onnxruntime", {**predictions(), "zebra": predictions()["black"]}, {}, "it predicted probes"),
    "no probe": ("onnxruntime", {"zebra": predictions()["black"]}, {}, "it predicted probes"),
    "swapped probes": (
        "openvino",
        dict(zip(("black", "astronaut"), predictions().values(), strict=True)),
        {},
        "astronaut: max_abs",
    ),
    "input's name": (
        "onnxruntime",
        predictions(),
        {"input_name": "input.1"},
        r"its ends are named \('input.1', 'd0'\)",
    ),
    "output's name": ("tfjs-float32", predictions(), {"output_name": "d1"}, r"its ends are named \('x', 'd1'\)"),
    "frozen graph with the optimized graph's names": (
        "tensorflow-frozen",
        predictions(),
        {"input_name": "x"},
        r"its ends are named \('x', 'Identity'\), expected \('inputs', 'Identity'\)",
    ),
    "another size": ("onnxruntime", predictions(), {"input_shape": [1, 3, 64, 64]}, r"its NCHW shapes are .* expected"),
    "NCHW shapes in an NHWC model": (
        "tensorflow-optimized",
        predictions(),
        {"output_shape": [1, 1, 32, 32]},
        "its NHWC shapes are",
    ),
    "quantised below the floor": (
        "tfjs-uint16",
        changed(lambda d0: np.round(d0 * 15) / 15),
        {},
        r"black: drawing_psnr_db 3\d(\.\d+)? is below 35",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_hop_fails_the_check_with_a_report_and_one_line(check: Check, refusal: Refusal, case: str) -> None:
    hop, d0, signature, words = BROKEN[case]
    write(check.folder, hop, d0, **signature)
    message = refusal(main, *check.arguments())
    assert f"{hop} is the first hop to differ from PyTorch: " in message
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(message)
    assert str(check.failed) in message
    assert not check.report.exists()
    report = json.loads(check.failed.read_text())
    assert report["passed"] is False
    assert [found["hop"] for found in report["hops"]] == list(HOPS)
    assert [found["hop"] for found in report["hops"] if not found["passed"]] == [hop]


def test_infinity_in_an_early_hop_is_reported_and_not_carried_into_the_next(check: Check, refusal: Refusal) -> None:
    write(check.folder, "onnxruntime", with_value(np.inf))
    assert "onnxruntime is the first hop to differ" in refusal(main, *check.arguments())
    assert json.loads(check.failed.read_text())["passed"] is False


def test_the_first_broken_hop_is_the_one_named(check: Check, refusal: Refusal) -> None:
    for hop in ("tensorflow-optimized", "tfjs-float32", "openvino"):
        write(check.folder, hop, with_value(0.5))
    assert "openvino is the first hop to differ" in refusal(main, *check.arguments())


def test_quantised_weights_may_differ_down_to_their_floor(check: Check) -> None:
    # Rounding to 8 bits gives 20 log10(255) + 10 log10(12) = 59 dB in theory.
    write(check.folder, "tfjs-uint16", changed(lambda d0: np.round(d0 * 255) / 255))
    main(check.arguments())
    quantised = json.loads(check.report.read_text())["hops"][-1]
    assert 57 < quantised["probes"]["black"]["drawing_psnr_db"] < 61
    assert quantised["probes"]["black"]["max_abs"] > EXACT["max_abs"]


def test_a_later_pass_removes_the_failed_report(check: Check, refusal: Refusal) -> None:
    write(check.folder, "openvino", with_value(np.nan))
    refusal(main, *check.arguments())
    assert check.failed.exists()
    write(check.folder, "openvino", predictions())
    main(check.arguments())
    assert not check.failed.exists()
    assert json.loads(check.report.read_text())["passed"] is True


def test_each_hop_is_compared_with_the_hop_before_it(check: Check) -> None:
    for steps, hop in enumerate(HOPS[:4], start=1):
        write(check.folder, hop, changed(lambda d0, shift=steps: np.minimum(d0, 0.9) + shift * 2e-5))  # type: ignore[misc]
    write(check.folder, "torch", changed(lambda d0: np.minimum(d0, 0.9)))
    for hop in HOPS[4:]:
        write(check.folder, hop, changed(lambda d0: np.minimum(d0, 0.9)))
    main(check.arguments(yardstick={**YARDSTICK, "p99_abs": 1e-4}))
    steps_found = [hop["max_abs_from_previous_hop"] for hop in json.loads(check.report.read_text())["hops"]]
    # Both dtypes come from the optimized graph, four steps away.
    assert steps_found == pytest.approx([2e-5] * 4 + [8e-5] * 2, abs=1e-6)


def test_a_reference_with_nan_is_refused(check: Check, refusal: Refusal) -> None:
    write(check.folder, "torch", with_value(np.nan))
    assert "PyTorch itself predicts NaN or infinite values with models/torch" in refusal(main, *check.arguments())
    assert not check.report.exists()


def test_a_hop_for_which_nothing_is_stated_is_held_to_float32(check: Check, refusal: Refusal) -> None:
    write(check.folder, "another", changed(lambda d0: d0 + 1e-4))
    message = refusal(main, *check.arguments(("another", *HOPS)))
    assert "another is the first hop to differ from PyTorch: black: p99_abs 0.0001 is over 5e-05" in message


SMALL = {"max_abs": 3e-7, "mean_abs": 2e-8, "p99_abs": 1e-7}


@pytest.mark.parametrize("hop", ["onnxruntime", "tfjs-float32"])
def test_an_error_of_1e5_is_found_in_a_network_that_agrees_to_1e6(check: Check, refusal: Refusal, hop: str) -> None:
    write(check.folder, "openvino", changed(lambda d0: d0 + np.float32(9e-7)))
    main(check.arguments(yardstick=SMALL))
    write(check.folder, hop, with_value(float(predictions()["black"][0, 0, 3, 4]) + 1e-5))
    message = refusal(main, *check.arguments(yardstick=SMALL))
    assert f"{hop} is the first hop to differ from PyTorch: black: max_abs 1e-05 is over 2e-06" in message


def test_no_network_is_allowed_more_than_the_ceiling(check: Check, refusal: Refusal) -> None:
    write(check.folder, "openvino", with_value(float(predictions()["black"][0, 0, 3, 4]) - 2.1e-3))
    message = refusal(main, *check.arguments(yardstick={**YARDSTICK, "max_abs": 1e-3}))
    assert "black: max_abs 0.0021 is over 0.002" in message


def test_a_network_that_float32_does_not_suffice_for_is_refused_as_such(check: Check, refusal: Refusal) -> None:
    message = refusal(main, *check.arguments(yardstick={**YARDSTICK, "p99_abs": 6e-4}))
    assert "rounding to float32 alone changes the output by p99_abs 0.0006, over 0.0005" in message
    assert not check.report.exists()
