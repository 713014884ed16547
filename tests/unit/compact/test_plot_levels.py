from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.support.graphs_by_hand import SIZE, write_model
from workflow_scripts.compact.graph_model import GraphModel
from workflow_scripts.compact.plot_levels import LEVELS_DB, drawing, main, nearest_levels
from workflow_scripts.shared.psnr import psnr_db

pytestmark = pytest.mark.environment("torch")


def test_drawings_come_near_their_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Four layers take fewer steps than 119.
    monkeypatch.setattr("workflow_scripts.compact.plot_levels.STEPS", np.geomspace(16, 2048, 24).round())
    graph = GraphModel(write_model(tmp_path / "float32"))
    x = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    exact = drawing(graph, x, "portrait", None)
    for (picture, found), level in zip(nearest_levels(graph, x, "portrait", exact), LEVELS_DB, strict=True):
        assert found == psnr_db(picture, exact) == pytest.approx(level, abs=4)
    save_file({"astronaut": x}, tmp_path / "probes.safetensors")
    options = {"--model": "float32", "--probes": "probes.safetensors", "--output": "levels.png"}
    given = [str(word) for option, name in options.items() for word in (option, tmp_path / name)]
    main([*given, "--probe", "astronaut", "--task", "saliency", "--threads", "1"])
    assert (tmp_path / "levels.png").read_bytes().startswith(b"\x89PNG")
