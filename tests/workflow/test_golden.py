"""The artifacts of the two models that need no download, at 64, have the bytes that are recorded in the repository."""

import json
from pathlib import Path

from tests.support.project import ROOT, Workflow
from workflow_scripts.driver.isolation import PINNED

# CONTRIBUTING says how to record it again.
MODELS = ("u2netp", "u2net_portrait_mini")


def golden_of(model: str) -> Path:
    """Return where a model's digests are recorded."""
    return ROOT / f"tests/golden/{model}-64.json"


def recorded(folder: Path, model: str) -> dict[str, dict[str, str]]:
    """Return the digests of the artifacts built in `folder`, and the lock files and variables they were built with."""
    manifest = json.loads((folder / f"results/{model}/64/manifest.json").read_text())
    return {
        "artifacts": {name: file["sha256"] for name, file in manifest["artifacts"].items()},
        "locks": manifest["locks"],
        "variables": PINNED,
    }


def difference(golden: dict[str, dict[str, str]], built: dict[str, dict[str, str]]) -> str | None:
    """Say which artifact differs first, and whether a changed lock file may be the reason; None if all are equal."""
    names = sorted(golden["artifacts"].keys() | built["artifacts"].keys())
    different = [name for name in names if golden["artifacts"].get(name) != built["artifacts"].get(name)]
    if not different:
        return None
    locks = sorted(name for name in built["locks"] if built["locks"][name] != golden["locks"].get(name))
    found = f"{different[0]} is the first of {len(different)} artifacts to differ from the recorded ones"
    if locks:
        return (
            f"{found}, and so do the lock files {', '.join(locks)}: if parity passes, the new versions write other "
            "bytes; record them (see CONTRIBUTING)"
        )
    return f"{found}, with the same lock files: the project's own code, or this machine, computes something else"


def test_artifacts_are_the_recorded_ones(built: Workflow) -> None:
    problem = difference(json.loads(golden_of("u2netp").read_text()), recorded(built.folder, "u2netp"))
    assert problem is None, problem


def test_the_embedded_portrait_network_is_converted_into_the_recorded_bytes(portrait: Workflow) -> None:
    model = "u2net_portrait_mini"
    problem = difference(json.loads(golden_of(model).read_text()), recorded(portrait.folder, model))
    assert problem is None, problem
    manifest = portrait.manifest(model, 64)
    assert manifest["task"] == "portrait"
    assert manifest["provenance"]["weights"] == manifest["checkpoint"]["sha256"]


def test_a_changed_lock_file_is_told_from_a_real_difference() -> None:
    golden = {"artifacts": {"a": "1", "b": "2"}, "locks": {"torch.txt": "3"}}
    assert difference(golden, golden) is None
    real = difference(golden, {**golden, "artifacts": {"a": "1", "b": "0"}})
    assert real is not None
    assert real.startswith("b is the first of 1 artifacts to differ")
    assert "with the same lock files" in real
    lock = difference(golden, {"artifacts": {"a": "1"}, "locks": {"torch.txt": "4"}})
    assert lock is not None
    assert "the lock files torch.txt" in lock


if __name__ == "__main__":
    for name in MODELS:
        golden_of(name).parent.mkdir(exist_ok=True)
        golden_of(name).write_text(json.dumps(recorded(ROOT, name), indent=2, sort_keys=True) + "\n")
        print(f"recorded {golden_of(name)}")
