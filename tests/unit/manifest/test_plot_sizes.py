import json
from pathlib import Path

import pytest

from workflow_scripts.manifest.plot_sizes import main, points

pytestmark = pytest.mark.environment("torch")


def test_every_dtype_is_a_point_and_equal_figures_are_equal_bytes(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    hops = {"openvino": 110.0, "tfjs-float32": 100.6, "tfjs-uint16": 48.0}
    checks = {
        "parity": {hop: {"drawing_psnr_db": psnr} for hop, psnr in hops.items()},
        "size": {"tfjs-float32": {"weight_bytes": 4_502_448}, "tfjs-uint16": {"weight_bytes": 2_251_224}},
    }
    manifest.write_text(json.dumps({"checks": checks}))
    assert points(manifest) == [("float32", 4.502448, 100.6), ("uint16", 2.251224, 48.0)]
    pictures = []
    for name in ("a.png", "b.png"):
        main(["--manifest", str(manifest), "--title", "u2netp at 320", "--output", str(tmp_path / name)])
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")
