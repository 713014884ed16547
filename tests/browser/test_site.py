"""The site as the workflow builds it, in the Chromium of this machine."""

import json

import pytest

from tests.support.project import SITE_CONFIG, Workflow, own_tests


def test_site_computes_what_pytorch_computes(site: Workflow) -> None:
    site.succeed("results/u2netp/64/browser.json", *SITE_CONFIG)
    report = json.loads((site.folder / "results/u2netp/64/browser.json").read_text())
    assert report["passed"]
    hops = {hop["hop"]: hop for hop in report["hops"]}
    backends = ("wasm", "webgl", "webgpu", "litert-wasm", "litert-webgpu")
    assert list(hops) == [f"browser-{backend}" for backend in backends]
    for name, hop in hops.items():
        engine = "litert" if "litert" in name else "tfjs"
        assert hop["backend"].startswith(f"{engine} {name.removeprefix('browser-')} ")
        assert len(hop["probes"]) == 5
        assert hop["worst"]["max_abs"] > 0
        print(f"{name}: max {hop['worst']['max_abs']:.1e}, p99 {hop['worst']['p99_abs']:.1e}")


@pytest.mark.parametrize(
    ("target", "config", "message"),
    [
        (
            "u2netp/96/browser.json",
            "resolutions=[64,128]",
            "without resolution 96; pass --config resolutions=[64,96,128]",
        ),
        ("u2netp/64/browser.json", "dtypes=[uint16]", "without float32 weights; pass --config dtypes=[float32,uint16]"),
        (
            "u2netp/64/predictions/browser-litert-wasm.safetensors",
            "tflite_dtypes=[float16]",
            "without float32 weights; pass --config tflite_dtypes=[float32,float16]",
        ),
        ("u2net/64/browser.json", "model=u2netp", "without u2net; pass --config model=u2net"),
    ],
)
def test_what_the_site_does_not_hold_is_said_at_once(site: Workflow, target: str, config: str, message: str) -> None:
    done = site.run("--dry-run", f"results/{target}", *SITE_CONFIG, config)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_in_chromium(site: Workflow) -> None:
    # The library's tests install the package.
    site.succeed("npm", *SITE_CONFIG)
    own_tests("torch", "tests/browser/chromium", 30, site.folder, U2NET_SITE=str(site.folder / "results/site"))
