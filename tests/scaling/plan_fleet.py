"""Measure the planning of fleets: jobs, seconds, memory. Run `python -m tests.scaling.plan_fleet 1 10 100`."""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.costs import Cost, measure

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Plan:
    """What one dry run planned, and what the planning took."""

    jobs: dict[str, int]  # by rule, and in total
    cost: Cost


def write_fleet(folder: Path, models: int) -> Path:
    """Write a configuration of so many models, each with a checkpoint of its own. Return its path."""
    names = [f"model{index:04d}" for index in range(models)]
    for name in names:
        (folder / f"{name}.pth").write_text(name)
    sources = {name: {"path": str(folder / f"{name}.pth"), "task": "portrait", "licence": "MIT"} for name in names}
    fleet = folder / "fleet.yaml"
    # JSON is valid YAML.
    fleet.write_text(json.dumps({"model": names, "dtypes": ["float32", "uint16", "float16"], "checkpoints": sources}))
    return fleet


def plan(fleet: Path, *options: str, python: Sequence[str] = (sys.executable,)) -> Plan:
    """Plan every model of the fleet at every resolution, in a process that starts with the arguments `python`."""
    command = [*python, "-m", "snakemake", "--cores", "2", "all", "--dry-run", "--quiet", "rules", "--configfile"]
    cost, text = measure([*command, str(fleet), *options], ROOT)
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}
    return Plan(jobs, cost)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=int, nargs="+")
    print("| models | jobs | CPU seconds | memory, MB |\n|---|---|---|---|")
    for models in parser.parse_args(argv).models:
        with tempfile.TemporaryDirectory() as folder:
            found = plan(write_fleet(Path(folder), models))
        cost = found.cost
        print(f"| {models} | {found.jobs['total']} | {cost.cpu_seconds:.1f} | {cost.peak_mb:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
