import json
from pathlib import Path
from typing import Any

import pytest

from workflow_scripts.benchmark import plot_benchmark, tabulate_benchmark

pytestmark = pytest.mark.environment("torch")

PAIRS = {
    "tfjs-float32": {"onnxruntime-web": {"of_minima": 0.8, "median": 0.84}},
    "onnxruntime-web": {"tfjs-float32": {"of_minima": 1.25, "median": 1.19}},
}


def contender(name: str, *frames: float) -> dict[str, Any]:
    return {
        "name": name,
        "version": "4.22.0",
        "frames_ms": list(frames),
        "min_ms": min(frames),
        "median_ms": sum(frames) / 2,
        "gmac_per_s": 12.5,
        "share_of_dense": 0.625,
        "difference": {"max_abs": 7.7e-5},
    }


def report(folder: Path) -> Path:
    drawing = {"engine_ms": 100, "download_ms": 20, "load_ms": 30, "frame_ms": 1850, "total_ms": 2010}
    setting = {
        "resolution": 320,
        "threads": 1,
        "rounds": 2,
        "together": True,
        "multiply_adds": 19_756_089_600,
        "dense": {"dense-tfjs": {"gmac_per_s": 20.0}, "dense-litert": {"gmac_per_s": 32.0}},
        "contenders": [contender("tfjs-float32", 1600, 1700), contender("onnxruntime-web", 2000, 2030)],
        "ratios": PAIRS,
        "failed": {"litert-float32": "out of memory"},
    }
    drawings = [
        {"name": name, "bytes": 4_720_123, "drawings": [{**drawing, "total_ms": 2500}, drawing]}
        for name in ("tfjs-float32", "onnxruntime-web")
    ]
    profile = {"resolution": 320, "contender": "tfjs-float32"}
    content = {
        "model": "u2netp",
        "machine": {
            "processor": "A processor",
            "cores": 2,
            "memory_bytes": 24 * 2**30,
            "browser": "Chromium 156",
            "load_average_before": 0.02,
        },
        "settings": [setting],
        "first_drawings": [{"resolution": 320, "threads": 2, "rounds": 2, "contenders": drawings, "ratios": PAIRS}],
        "profiles": [
            {**profile, "backend": "wasm", "kernels": {"Add": 11, "Conv": 119}, "peak_bytes": 113e6, "gpu_bytes": None},
            {**profile, "backend": "webgl", "failed": "tfjs-float32 on webgl failed: out of memory | lost"},
        ],
    }
    path = folder / "benchmark.json"
    path.write_text(json.dumps(content))
    return path


def test_tables_show_times_and_ratios_of_pairs(tmp_path: Path) -> None:
    tabulate_benchmark.main(["--report", str(report(tmp_path)), "--output", str(tmp_path / "benchmark.md")])
    lines = (tmp_path / "benchmark.md").read_text().splitlines()
    assert "A processor, 2 cores, 24 GiB, Chromium 156; load average 0.02 before the run." in lines
    assert "| tfjs-float32 | 1,600 | 1,650 | 1 | 0.80 (0.84) | 12.5 | 0.62 | 7.7e-05 |" in lines
    assert "| onnxruntime-web | 2,000 | 2,015 | 1.25 (1.19) | 1 | 12.5 | 0.62 | 7.7e-05 |" in lines
    assert "litert-float32 is left out: out of memory" in lines
    # The best of the two drawings.
    assert "| onnxruntime-web | 4.72 | 100 | 20 | 30 | 1,850 | 2,010 | 1.25 (1.19) |" in lines
    assert "| 320 | wasm | 113 |  | 119 Conv, 11 Add |" in lines
    assert r"| 320 | webgl |  |  | tfjs-float32 on webgl failed: out of memory \| lost |" in lines


def test_picture_has_a_panel_a_setting(tmp_path: Path) -> None:
    plot_benchmark.main(["--report", str(report(tmp_path)), "--output", str(tmp_path / "benchmark.png")])
    assert (tmp_path / "benchmark.png").read_bytes().startswith(b"\x89PNG")
