"""The rooms of workflow_scripts: a stage imports earlier ones, a shared room imports no stage, no script a script."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.project import ROOT
from workflow_scripts.driver.sources import PACKAGE, imported_by

# In the order that the data flow; a stage may import those before it.
STAGES = (
    "checkpoint",
    "distil",
    "convert",
    "compact",
    "int8",
    "predict",
    "check",
    "manifest",
    "draw",
    "huggingface",
    "website",
    "publish",
    "benchmark",
    "reproduce",
)
# What every room may use, each of these only those before it.
SHARED = ("shared", "formats", "engines")


def modules_below(root: Path) -> list[str]:
    """Name every module of the package, such as workflow_scripts.convert.freeze_graph."""
    files = (root / PACKAGE).rglob("*.py")
    return sorted(".".join(path.relative_to(root).with_suffix("").parts) for path in files)


def is_script(root: Path, module: str) -> bool:
    """Tell whether a module runs by itself."""
    return '__name__ == "__main__"' in (root / f"{module.replace('.', '/')}.py").read_text()


def wrong_arrows(root: Path) -> list[str]:
    """Say of each import that leads to where it may not: from what, to what, and why not."""
    wrong = []
    for module in modules_below(root):
        room = module.split(".")[1]
        for imported in imported_by(root, module):
            other = imported.split(".")[1]
            if is_script(root, imported):
                wrong.append(f"{module} imports the script {imported}")
            if other == room:
                continue
            if room in SHARED:
                allowed = SHARED[: SHARED.index(room)]
            elif room == "driver":
                allowed = ("shared",)
            else:
                allowed = (*SHARED, *STAGES[: STAGES.index(room)])
            if other not in allowed:
                wrong.append(
                    f"{module} imports {imported}, and {room} may import only {', '.join(allowed) or 'nothing'}"
                )
    return wrong


def test_every_file_is_in_a_room_and_every_room_known() -> None:
    entries = sorted(path.name for path in (ROOT / PACKAGE).iterdir() if path.name != "__pycache__")
    assert set(entries) <= {*STAGES, *SHARED, "driver"}


def test_arrows_lead_to_earlier_rooms() -> None:
    assert wrong_arrows(ROOT) == []


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        (
            "convert/freeze_graph",
            "from workflow_scripts.publish.bucket import Bucket",
            "may import only shared, formats",
        ),
        (
            "shared/files",
            "from workflow_scripts.formats.tfjs_model import read_weights",
            "shared may import only nothing",
        ),
        ("formats/tflite_file", "from workflow_scripts.check.limits import exceeded", "formats may import only shared"),
        ("check/plot_parity", "from workflow_scripts.check.check_parity import table", "imports the script"),
        ("driver/settings", "from workflow_scripts.check import limits", "driver may import only shared"),
    ],
)
def test_a_wrong_arrow_is_named(tmp_path: Path, module: str, line: str, says: str) -> None:
    for name in modules_below(ROOT):
        file = Path(f"{name.replace('.', '/')}.py")
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text())
    with (tmp_path / PACKAGE / f"{module}.py").open("a") as file:
        file.write(f"\n{line}\n")
    (arrow,) = wrong_arrows(tmp_path)
    assert arrow.startswith(f"{PACKAGE}.{module.replace('/', '.')} imports ")
    assert says in arrow


def test_no_script_or_test_changes_the_import_path() -> None:
    files = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [str(path) for path in files if re.search(r"^ *sys\.path[\[.]", path.read_text(), re.MULTILINE)] == []


def test_rules_are_included_in_the_order_of_the_stages() -> None:
    included = re.findall(r'^include: "rules/(\w+)\.smk"$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    stages = [name for name in included if name in STAGES]
    assert all(STAGES.index(a) < STAGES.index(b) for a, b in pairwise(stages))
