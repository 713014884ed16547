"""Configurations, on the command line and in files. Snakemake and the rules read them like those of a user."""

import contextlib
import io
import json
import os
import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake import cli

from tests.support.fuzzing import HOSTILE_TEXTS, Watch, changed, damaged, short

ROOT = Path(__file__).resolve().parents[3]
WATCH = Watch()
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
# What only YAML has: references that multiply, a list and a table that hold themselves, tags.
BOMB = "model:\n- &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"- &{chr(98 + level)} [{', '.join(['*' + chr(97 + level)] * 8)}]\n" for level in range(8)
)
DOCUMENTS = [
    *(BOMB, "model: &a [*a]", "tolerances: &a {float32: *a}", "model: !!python/object/apply:os.system [touch planted]"),
    *(
        "licence: !!binary aGFsbG8=",
        "resolutions: [.nan]",
        "port: .inf",
        "dtypes: !!set {float32}",
        "1: 2",
        "? [a]\n: b",
    ),
    *("- a", "", "a", "{", "[" * 60, "model: !!timestamp 2020-01-01", "model: [u2netp, u2netp]", "resolutions: [64.0]"),
]


def project(folder: Path) -> None:
    """Copy the files that Snakemake reads before it plans."""
    for name in ("Snakefile", "config.yaml", "config.schema.yaml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "rules", folder / "rules")
    # The rules read it to learn which code each of them depends on.
    (folder / "workflow_scripts").symlink_to(ROOT / "workflow_scripts")


@st.composite
def entries(draw: st.DrawFn) -> list[str]:
    """Make KEY=VALUE as after --config: any key of config.yaml, with the value of another key, or any other value."""
    texts = st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=12) | st.sampled_from(DOCUMENTS)
    texts |= st.sampled_from([json.dumps(value) for value in CONFIG.values()])
    keys = st.sampled_from([*CONFIG, "resolution", "__use_it__", "Model"])
    return [f"{draw(keys)}={draw(texts)}" for _ in range(draw(st.integers(1, 3)))]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Make a config file: config.yaml with other values or bytes, as YAML or JSON, or something that only YAML has."""
    content = draw(changed(deepcopy(CONFIG)))
    dump = draw(st.sampled_from([json.dumps, lambda value: yaml.safe_dump(value, allow_unicode=True)]))
    text = draw(st.just(dump(content)) | st.sampled_from(DOCUMENTS))
    return draw(damaged(text.encode("utf-8", "surrogatepass"), 2))


@short
@given(st.one_of(entries(), files()))
def test_config(given: list[str] | bytes) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        project(folder)
        (folder / "mine.yaml").write_bytes(given if isinstance(given, bytes) else b"")
        wish = ["--configfile", str(folder / "mine.yaml")] if isinstance(given, bytes) else ["--config", *given]
        # Snakemake keeps copies of what it reads here, by default below the user's home.
        own = {"XDG_CACHE_HOME": str(folder / ".snakemake")}
        said = io.StringIO()
        with (
            # The rules change this process' variables, and the tests after this one need them as they were.
            patch.dict(os.environ, own),
            # --list-rules stays in the folder where it was started, whatever --directory says.
            contextlib.chdir(folder),
            WATCH.reading(folder, own=".snakemake"),
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(said),
        ):
            code = status("--list-rules", *wish)
    if isinstance(code, str):
        assert code.startswith("Error: ")
        assert "\n" not in code
        assert len(code) < 2000
    else:
        assert code in (None, 0, 1)


def status(*arguments: str) -> object:
    """Run Snakemake in this process. Return its exit status."""
    try:
        cli.main([*arguments, "--nolock"])
    except SystemExit as stopped:
        return stopped.code
    return 0
