"""Report how well a student imitates its teacher on photos that it was not trained on, and what it costs."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from workflow_scripts.distil.crops import Crops, Teacher, middle_square
from workflow_scripts.distil.photos import find_photos
from workflow_scripts.distil.sheet import draw_sheet, draw_with, teachers_drawing
from workflow_scripts.shared.agreement import drawing_agreement, mask_agreement
from workflow_scripts.shared.failures import run
from workflow_scripts.shared.files import replacing, write_json
from workflow_scripts.shared.load_network import load_network
from workflow_scripts.shared.u2net import U2Net, describe, infer_stages


def agreement_at(
    crops: Crops, network: U2Net, size: int, sharpness: float, task: str, drawn_as: str
) -> dict[str, float]:
    """Return how well a network at one size agrees with the teacher's mean drawing, averaged over all crops.

    `task` is the student's task. `drawn_as` is the network's own task, because a teacher may output the drawing itself.
    """
    compare = mask_agreement if task == "saliency" else drawing_agreement
    found: list[dict[str, float]] = []
    for number in range(crops.count):
        crop = crops[number]
        wanted = teachers_drawing(crop, crop.logits.shape[0], sharpness, task)
        picture = draw_with(network, crop.photo[..., :3], size, drawn_as)
        found.append(compare(picture, wanted))
    return {measure: round(fmean(entry[measure] for entry in found), 4) for measure in found[0]}


def cost(network: U2Net, checkpoint: Path, resolution: int) -> dict[str, float]:
    """Return a network's parameters, its file's bytes and its multiply-adds at `resolution`."""
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    architecture = describe(infer_stages(shapes))
    return {
        "parameters": architecture.parameters,
        "bytes": checkpoint.stat().st_size,
        "multiply_adds": architecture.multiply_adds_32x32 * (resolution // 32) ** 2,
    }


def markdown(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    measures = list(report["student"]["agreement"][0])[1:]
    lines = [
        f"# {report['model']}, a student of {report['teacher']['name']}",
        "",
        f"Agreement with the teacher's drawings on {report['photos']} photos that were held back. The teacher's drawing"
        f" is the mean of several looks at a photo around {report['teacher']['resolution']} pixels; one look of its own"
        " agrees with that as the teacher's line says.",
        "",
        f"| network | size | {' | '.join(measures)} |",
        f"|---|---|{'---|' * len(measures)}",
    ]
    for name in ("student", "teacher"):
        for entry in report[name]["agreement"]:
            figures = " | ".join(f"{entry[measure]:.3f}" for measure in measures)
            lines.append(f"| {name} | {entry['size']} | {figures} |")
    lines += ["", f"| | parameters | MB | multiply-adds at {report['teacher']['resolution']} |", "|---|---|---|---|"]
    for name in ("student", "teacher"):
        costs = report[name]["cost"]
        lines.append(
            f"| {name} | {costs['parameters']:,} | {costs['bytes'] / 1e6:.2f} | {costs['multiply_adds'] / 1e9:.2f} G |"
        )
    lines += [
        "",
        f"{report['steps']} steps in {report['hours']:.2f} hours; the loss fell from {report['losses'][0]} to"
        f" {report['losses'][-1]}.",
        "",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="the student's name")
    parser.add_argument("--student", type=Path, required=True, help="its weights, as safetensors")
    parser.add_argument(
        "--record", type=Path, required=True, help="what it was trained from, as train_student wrote it"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="the teacher's weights, as safetensors")
    parser.add_argument("--photos", type=Path, required=True, help="the folder of photos")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON: `distil` of config.yaml")
    parser.add_argument("--work", type=Path, required=True, help="the folder that training went on from")
    parser.add_argument("--report", type=Path, required=True, help="JSON to write")
    parser.add_argument("--table", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG to write")
    arguments = parser.parse_args(argv)
    record: dict[str, Any] = json.loads(arguments.record.read_text())
    settings: dict[str, Any] = arguments.settings
    # A size may be listed twice. Then it is trained on twice as often.
    sizes = sorted(set(record["recipe"]["sizes"]))
    task, sharpness = record["task"], record["recipe"]["sharpness"]
    resolution, inverted = record["teacher"]["resolution"], record["recipe"]["inverted"]
    teacher, student = load_network(arguments.teacher), load_network(arguments.student)
    photos = find_photos(arguments.photos, settings["held_back"], settings["fewest_photos"])
    crops = Crops(
        photos.held_back,
        1,
        Teacher(load_network(arguments.teacher), resolution, inverted, torch.device("cpu")),
        record["recipe"]["seed"],
        arguments.work / "held_back",
        middle_square,
    )
    report = {
        "model": arguments.model,
        "task": task,
        "photos": crops.count,
        "teacher": {
            **record["teacher"],
            "agreement": [
                {
                    "size": resolution,
                    **agreement_at(crops, teacher, resolution, sharpness, task, record["teacher"]["task"]),
                }
            ],
            "cost": cost(teacher, arguments.teacher, resolution),
        },
        "student": {
            "agreement": [
                {"size": size, **agreement_at(crops, student, size, sharpness, task, task)} for size in sizes
            ],
            "cost": cost(student, arguments.student, resolution),
        },
        **{key: record[key] for key in ("steps", "hours", "losses")},
    }
    draw_sheet(arguments.sheet, crops, student, sizes, sharpness, task)
    write_json(arguments.report, report)
    with replacing(arguments.table) as staging:
        staging.write_text(markdown(report))
    print(markdown(report))


if __name__ == "__main__":
    run(main)
