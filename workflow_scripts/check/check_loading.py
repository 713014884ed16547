"""Check that TensorFlow.js holds, bit for bit, what the shards of each model stand for, and that all have one graph."""

import argparse
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.formats.tfjs_model import graph_and_names, loaded_values, read_weights
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import files_in, read_by, write_report

# All other models are compared with this one, which predict_tfjs runs.
RUN = "float32"


@dataclass(frozen=True)
class Loading:
    """What was found out about one model: how many tensors and values TensorFlow.js holds, and what is wrong."""

    hop: str
    loaded_with: str
    model_sha256: str
    tensors: int
    values: int
    problems: list[str]


def expected_tensors(folder: Path) -> dict[str, tuple[str, list[int], str]]:
    """Return dtype, shape and digest of the loaded values of each weight, by name. Raises Failure for a name twice."""
    found = {}
    for specification, stored in read_weights(folder):
        name = specification["name"]
        if name in found:
            raise Failure(f"{folder / 'model.json'} names the weight {name} twice")
        digest = hashlib.sha256(loaded_values(specification, stored).tobytes()).hexdigest()
        found[name] = (specification["dtype"], list(specification["shape"]), digest)
    return found


def compare_tensors(
    expected: Mapping[str, tuple[str, list[int], str]], loaded: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what is wrong with the tensors that TensorFlow.js holds."""
    found = {tensor["name"]: (tensor["dtype"], tensor["shape"], tensor["sha256"]) for tensor in loaded}
    problems = [f"it holds no {name}" for name in expected if name not in found]
    problems += [f"it holds {name}, which is no weight of the model" for name in found if name not in expected]
    if len(found) != len(loaded):
        problems.append(f"it holds {len(loaded)} tensors under {len(found)} names")
    for name, (dtype, shape, digest) in expected.items():
        if name in found and found[name] != (dtype, shape, digest):
            same_kind = found[name][:2] == (dtype, shape)
            what = "other values" if same_kind else f"{found[name][0]} {found[name][1]} instead of {dtype} {shape}"
            problems.append(f"it holds {name} with {what}")
    return problems


def check_model(folder: Path, report: Mapping[str, Any], graph: Mapping[str, Any]) -> Loading:
    """Check one model against what TensorFlow.js loaded from it and against the graph that predict_tfjs runs."""
    problems = []
    expected: dict[str, tuple[str, list[int], str]] = {}
    try:
        expected = expected_tensors(folder)
        own = graph_and_names(folder)
        # As text, so that the order of weights counts, too.
        problems += [
            f"its {key} is not that of the {RUN} model"
            for key in sorted(own.keys() | graph.keys())
            if json.dumps(own.get(key)) != json.dumps(graph.get(key))
        ]
    except Failure as failure:
        problems.append(str(failure))
    problems += compare_tensors(expected, report["tensors"])
    values = sum(math.prod(shape) for _, shape, _ in expected.values())
    return Loading(f"tfjs-{folder.name}", report["backend"], report["model_sha256"], len(expected), values, problems)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the float32 model, which predict_tfjs runs")
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="one folder for each dtype, named after it"
    )
    parser.add_argument("--loaded", type=Path, nargs="+", required=True, help="reports of load_tfjs, in the same order")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    graph = graph_and_names(arguments.run)
    found = []
    for folder, path in zip(arguments.models, arguments.loaded, strict=True):
        found.append(check_model(folder, json.loads(path.read_text()), graph))
        print(
            f"{found[-1].hop}: {found[-1].tensors} tensors, {found[-1].values} values, {found[-1].problems or 'equal'}"
        )
    read = [*files_in(arguments.run), *(file for folder in arguments.models for file in files_in(folder))]
    problems = [f"{each.hop}: {problem}" for each in found for problem in each.problems]
    report = {
        "models": {each.hop: asdict(each) for each in found},
        "graph_of": f"tfjs-{RUN}",
        "read": read_by(arguments.output, [*read, *arguments.loaded]),
        "passed": not problems,
    }
    write_report(arguments.output, report, f"TensorFlow.js loads {problems[0]}" if problems else None)


if __name__ == "__main__":
    run(main)
