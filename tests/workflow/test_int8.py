"""A network whose .tflite files compute in int8 where the picture allows it."""

import json
from pathlib import Path

from tests.support.project import Workflow

MODEL = "u2net_portrait_mini"
INT8 = ("--config", f"model={MODEL}", "resolutions=[64,128]", "tflite_dtypes=[float32,int8]")


def test_int8_holds_its_floor_at_every_resolution_with_one_plan(portrait: Workflow, tmp_path: Path) -> None:
    project = portrait.copy(tmp_path / "project")
    project.succeed("all", *INT8)
    plan = json.loads((project.folder / f"results/{MODEL}/int8/plan.json").read_text())
    assert plan["worst_db"] >= plan["goal_db"] == 44
    # Less would gain no time.
    assert plan["share_of_multiply_adds"] > 0.5
    for resolution in (64, 128):
        manifest = project.manifest(MODEL, resolution)
        assert manifest["checks"]["parity"]["litert-int8"]["drawing_psnr_db"] >= 38
        sizes = {
            dtype: (project.folder / f"results/{MODEL}/{resolution}/tflite/{dtype}.tflite").stat().st_size
            for dtype in ("float32", "int8")
        }
        assert sizes["int8"] < 0.8 * sizes["float32"]
        assert f"results/{MODEL}/int8/plan.json" in manifest["artifacts"]
    # A floor that no convolution holds is refused.
    floor = project.folder / "floor.yaml"
    floor.write_text("tolerances: {litert-int8: {min_drawing_psnr_db: 150}}\n")
    assert project.run("all", "--configfile", str(floor), *INT8).returncode != 0
    said = (project.folder / f"results/_logs/plan_int8/{MODEL}.log").read_text()
    assert "no convolution can be in int8 if the drawing is to have 156.0 dB" in said
