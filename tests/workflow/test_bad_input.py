"""Bad input ends in one clear line and a non-zero exit status, and no good file is lost."""

import os
import pickle
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.project import BOTH, ROOT, SMALL, Workflow, python

RESOLUTION = "resolutions=[64]"


def refused(workflow: Workflow, *config: str) -> str:
    """Run `all`. Assert that it is refused and that earlier results stay. Return what was printed."""
    manifests = {path: path.read_bytes() for path in (workflow.folder / "results").rglob("manifest.json")}
    done = workflow.run("all", "--config", *config)
    assert done.returncode != 0
    for path, content in manifests.items():
        assert path.read_bytes() == content
    assert not list(workflow.folder.glob("results/**/*.partial"))
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (["resolutions=[100]"], "Error: config resolutions.0: 100 is not a multiple of 32"),
        (["resolutions=[0]"], "Error: config resolutions.0: 0 is less than the minimum of 32"),
        (["resolution=[64]"], "Error: unknown config key resolution at the top level; did you mean resolutions?"),
        (["model=u2nett"], "Error: unknown model u2nett: config.yaml knows u2net_portrait_mini, "),
        (["model=a; touch planted"], "Error: config model: 'a; touch planted' "),
        (["model=../../planted"], "Error: config model: '../../planted' "),
        # It ends with a line feed, which Python's $ would accept.
        (['model=["mine\\n"]'], "Error: config model.0: 'mine\\n' "),
        (["model=-rf"], "Error: config model: '-rf' "),
        (["model=_page"], "Error: config model: '_page' "),
        (["model=site", "checkpoint=README.md"], "Error: a model may not be named site: the workflow has files "),
        (["model=Site", "checkpoint=README.md"], "Error: a model may not be named Site: the workflow has files "),
        (["model=torch", "checkpoint=README.md"], "Error: a model may not be named torch: the workflow has files "),
        (["resolutions=[3200000]"], "Error: config resolutions.0: 3200000 is greater than the maximum of 8192"),
        (["grace_hours=nan"], "Error: config grace_hours: nan is not of type 'number'"),
        (
            ["checkpoints={mine: {package: torch, file: ../../secret, task: portrait, licence: x}}"],
            "Error: config checkpoints.mine.file: ",
        ),
        (["checkpoint=missing.pth"], "Error: no checkpoint at missing.pth (model u2net_portrait_mini)"),
        (["model=[u2netp,u2net]", "checkpoint=README.md"], "Error: checkpoint=README.md needs exactly one model"),
        (["dtypes=[int4]"], "Error: config dtypes.0: 'int4' is not one of"),
        (["compact={margin: 1}"], "Error: unknown config key margin at compact; did you mean margin_db?"),
    ],
)
def test_configuration_is_refused_before_anything_runs(broken: Workflow, config: list[str], line: str) -> None:
    before = set(broken.folder.rglob("*"))
    printed = refused(broken, *config)
    assert next(text for text in printed.splitlines() if text.startswith("Error: ")).startswith(line)
    assert "Traceback" not in printed
    created = set(broken.folder.rglob("*")) - before
    assert all(".snakemake" in path.parts for path in created)


@pytest.mark.parametrize(
    ("arguments", "variables", "line"),
    [
        (["--config", "foo"], {}, "Error: --config takes KEY=VALUE, not foo; if foo is to be built, write it before "),
        (["--config", RESOLUTION, "site"], {}, "Error: --config takes KEY=VALUE, not site; if site is to be built, "),
        # No user can create a folder there, not even root.
        ([], {"HOME": "/proc/nobody", "XDG_CACHE_HOME": ""}, "Error: /proc/nobody/.cache cannot be written ("),
        ([], {"XDG_CACHE_HOME": "/proc/nobody"}, "Error: /proc/nobody cannot be written ("),
    ],
)
def test_what_snakemake_cannot_start_with_is_said_in_one_line(
    project: Workflow, arguments: list[str], variables: dict[str, str], line: str
) -> None:
    done = project.run("--dry-run", *arguments, env=variables)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in done.stderr


def test_a_folder_of_somebody_else_is_said_to_be_so(project: Workflow) -> None:
    (project.folder / ".snakemake").symlink_to("/proc/nobody")
    done = project.run("--dry-run", "serve")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"Error: {project.folder} cannot be written (")
    assert "Traceback" not in done.stderr


# Nine levels of nine references: 387 million values in 400 bytes.
BOMB = "model:\n- &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"- &{chr(98 + level)} [{', '.join(['*' + chr(97 + level)] * 9)}]\n" for level in range(8)
)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (BOMB, "Error: the configuration has more than 1000000 values; does it refer to itself?"),
        ("model: &a [*a]", "Error: the configuration is nested more than 10 deep; does it refer to itself?"),
        ("resolutions: [64.0]", "Error: config resolutions.0: 64.0 is not of type 'integer'"),
        ("port: .inf", "Error: config port: inf is not of type 'integer'"),
        ("1.5: 2", "Error: unknown config key 1.5 at the top level"),
        ("licence: !!binary aGFsbG8=", "Error: config licence: b'hallo' is not of type 'string'"),
        (f"task: {'x' * 100_000}", f"Error: config task: '{'x' * 299} …"),
        ("model: !!python/object/apply:os.system ['touch planted']", "Error: "),
    ],
    ids=["bomb", "loop", "float", "infinity", "number for a key", "bytes", "long", "tag"],
)
def test_config_file_is_refused_before_anything_runs(project: Workflow, content: str, line: str) -> None:
    (project.folder / "mine.yaml").write_text(content)
    done = project.run("--list-rules", "--configfile", "mine.yaml")
    assert done.returncode != 0
    if content.endswith("planted']"):
        # Snakemake's own reader refuses everything but plain YAML.
        assert "could not determine a constructor" in done.stderr or "is not valid JSON or YAML" in done.stderr
    else:
        assert next(text for text in done.stderr.splitlines() if text.startswith("Error: ")).startswith(line)
        assert "Traceback" not in done.stderr
    assert not (project.folder / "planted").exists()


def test_checkpoint_may_have_any_name_that_no_shell_would_run(project: Workflow) -> None:
    name = "-a b'c\"$(touch planted)&;`touch planted` *.pth"
    (project.folder / name).write_text("<html>")
    weights = "results/mine/checkpoint/weights.safetensors"
    done = project.run(weights, "--config", "model=mine", f"checkpoint={name}")
    assert f"fetch_checkpoint: {name} is a web page" in done.stderr
    assert not (project.folder / "planted").exists()
    (project.folder / "a{b}.pth").write_text("<html>")
    done = project.run(weights, "--config", "model=mine", "checkpoint=a{b}.pth")
    assert (
        "Error: the checkpoint 'a{b}.pth' (model mine) has a brace or a line feed in its path; rename it" in done.stderr
    )


def test_other_python_is_told_what_to_do(project: Workflow) -> None:
    refusal = project.folder / "workflow_scripts/driver/refusal.py"
    refusal.write_text(refusal.read_text().replace("(3, 11)", "(3, 10)"))
    assert "Error: Python 3.11 is needed" in refused(project, RESOLUTION)


class Exploit:
    """Unpickling it would create a file."""

    def __init__(self, planted: Path) -> None:
        self.planted = planted

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.planted}",)


def truncated(path: Path) -> None:
    python("torch", "-m", "tests.support.checkpoints", "--stages", "u2netp", "--output", str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def exploit(path: Path) -> None:
    path.write_bytes(pickle.dumps(Exploit(path.with_name("planted")), protocol=2))


def web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title></html>")


def another_network(path: Path) -> None:
    python("torch", "-c", f"import torch; torch.save(torch.nn.Linear(3, 3).state_dict(), {str(path)!r})")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (truncated, "cannot be read as a PyTorch checkpoint, it may be truncated"),
        (exploit, "is not a plain state dict"),
        (web_page, "is a web page, not a checkpoint"),
        (another_network, "is no U²-Net"),
    ],
    ids=["truncated", "exploit", "web page", "another network"],
)
def test_checkpoint_is_refused(broken: Workflow, make, message: str) -> None:  # type: ignore[no-untyped-def]
    make(broken.folder / "mine.pth")
    printed = refused(broken, "model=mine", "checkpoint=mine.pth", RESOLUTION)
    # Snakemake shows the line and the log that holds it.
    (line,) = {text.strip() for text in printed.splitlines() if "_checkpoint: mine.pth " in text}
    assert message in line
    assert not (broken.folder / "planted").exists()
    assert not (broken.folder / "results/mine/checkpoint/weights.safetensors").exists()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, Snakemake's own markers aside, with its date."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".snakemake")]
    return {f"{path} {path.stat().st_mtime_ns}": path.read_bytes() for path in files}


def test_a_mistyped_checkpoint_takes_the_place_of_nothing(broken: Workflow) -> None:
    before = contents(broken.folder / "results/u2netp")
    another_network(broken.folder / "other.pth")
    # The digest is not pinned, as for a model of the user's own.
    config = broken.folder / "config.yaml"
    pinned = config.read_text()
    package = re.compile(r"^    package: rembg-.*\n    file: .*\n    bytes: .*\n    sha256: .*\n", re.MULTILINE)
    config.write_text(package.sub("    path: other.pth\n", pinned))
    printed = refused(broken, "model=u2netp", RESOLUTION, BOTH)
    assert "other.pth is no U²-Net" in printed
    assert contents(broken.folder / "results/u2netp") == before
    config.write_text(pinned)
    assert broken.planned("all", *SMALL) == {}


def test_an_older_file_with_other_content_is_noticed(broken: Workflow) -> None:
    good = broken.folder / "results/u2netp/checkpoint/original"
    mine = broken.folder / "mine.onnx"
    mine.write_bytes(good.read_bytes())
    config = ("--config", "model=mine", "checkpoint=mine.onnx", RESOLUTION)
    weights = "results/mine/checkpoint/weights.safetensors"
    broken.succeed(weights, *config)
    mine.touch()
    assert broken.planned(weights, *config) == {}
    mine.write_bytes(good.read_bytes() + b"\x12\x00")
    os.utime(mine, (1e9, 1e9))
    assert broken.planned(weights, *config)["accept_checkpoint"] == 1


def test_wrong_digest_is_refused(broken: Workflow) -> None:
    (broken.folder / "u2net.pth").write_bytes(b"not the released checkpoint")
    printed = refused(broken, "model=u2net", "checkpoint=u2net.pth", RESOLUTION)
    assert "has 27 bytes, expected 176290937" in printed
    assert not (broken.folder / "results/u2net/checkpoint/original").exists()


def test_no_network_says_how_to_supply_the_file(broken: Workflow) -> None:
    # The proxy's port is closed, so there is no network on any machine.
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
    done = broken.run("all", "--config", "model=u2net_portrait", RESOLUTION, env=nowhere)
    assert done.returncode != 0
    (line,) = [text for text in done.stderr.splitlines() if text.strip().startswith("fetch_checkpoint: ")]
    assert "https://drive.google.com/file/d/1IG3HdpcRiDoWNookbncQjeaPN28t90yW/view" in line
    assert "fb9f0378a16868d08e2325c8b36eae2b174b040b91bf64781fbb5dd4d31712b4" in line
    assert "--config model=u2net_portrait checkpoint=PATH" in line


def test_resolution_asked_for_by_path_is_refused(broken: Workflow) -> None:
    done = broken.run("results/u2netp/100/manifest.json")
    assert done.returncode != 0
    assert "simplify_onnx: resolution 100 is not a positive multiple of 32" in done.stderr


def test_interrupted_install_leaves_no_stamp(project: Workflow) -> None:
    (project.folder / ".venvs").unlink()
    lock = project.folder / "envs/node/requirements.txt"
    lock.write_text(lock.read_text().replace("sha256:", "sha256:00", 1)[:-1])
    command = ["git", "-C", str(ROOT), "status", "--porcelain", ".venvs"]
    before = subprocess.run(command, capture_output=True, check=True).stdout
    done = project.run(".venvs/node/installed.txt")
    assert done.returncode != 0
    assert not (project.folder / ".venvs/node/installed.txt").exists()
    assert subprocess.run(command, capture_output=True, check=True).stdout == before
