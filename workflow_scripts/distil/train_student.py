"""Train a small U²-Net to draw what a large one draws, on photos without any drawings."""

import argparse
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from workflow_scripts.distil.crops import Crops, Teacher, middle_square
from workflow_scripts.distil.narrow import is_wider, narrowed
from workflow_scripts.distil.photos import Photo, find_photos
from workflow_scripts.distil.student import Budget, Recipe, Student, student_stages, train
from workflow_scripts.shared.failures import Failure, run
from workflow_scripts.shared.files import replacing, sha256, write_json
from workflow_scripts.shared.load_network import load_network
from workflow_scripts.shared.u2net import U2Net, infer_stages

# On so many of the teacher's first drawings it is checked that they are dark on white.
PAPER_CROPS = 8


def begin_with(student: Student, start: Path | None) -> None:
    """Give a student the weights of `start`, narrowed if `start` is wider. If it is None, the weights stay random.

    Raises Failure if the student is wider than `start`.
    """
    if start is None:
        return
    network = load_network(start)
    wide = infer_stages({name: tuple(value.shape) for name, value in network.state_dict().items()})
    if is_wider(student.stages, wide):
        raise Failure(
            f"the student is wider than {start}, which it is to start from; set distil.start to nothing, "
            "or make distil.widths smaller"
        )
    student.network.load_state_dict(narrowed(network, wide, student.stages).state_dict())
    student.restart_average()


def digest_of(photos: Sequence[Photo]) -> str:
    """Return one SHA-256 for a set of photos: the digest of a text with their sorted digests, one per line."""
    lines = "".join(f"{digest}\n" for digest in sorted(photo.digest for photo in photos))
    return hashlib.sha256(lines.encode()).hexdigest()


def warm_start(settings: dict[str, Any], teacher: Path) -> Path | None:
    """Return the file of weights to start from, according to the settings."""
    return {"teacher": teacher, "nothing": None}.get(settings["start"], Path(settings["start"]))


def save_network(path: Path, network: U2Net) -> None:
    """Write a network as a checkpoint with the key names of the public checkpoints."""
    weights = {
        name: value.contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    with replacing(path) as staging:
        staging.write_bytes(save(weights))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="the teacher's weights, as safetensors")
    parser.add_argument("--teacher-checkpoint", type=Path, required=True, help="the file that they were read from")
    parser.add_argument("--teacher-name", required=True, help="what the record calls the teacher")
    parser.add_argument("--teacher-resolution", type=int, required=True, help="the size that the teacher draws best at")
    parser.add_argument("--task", choices=("portrait", "drawing", "saliency"), required=True, help="the teacher's")
    parser.add_argument("--licence", required=True, help="of the student's weights")
    parser.add_argument("--photos", type=Path, required=True, help="a folder, searched to its depths")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON: `distil` of config.yaml")
    parser.add_argument("--work", type=Path, required=True, help="a folder that training goes on from")
    parser.add_argument("--weights", type=Path, required=True, help="the student's weights, as safetensors")
    parser.add_argument("--record", type=Path, required=True, help="what they were made from and how, as JSON")
    arguments = parser.parse_args(argv)
    settings: dict[str, Any] = arguments.settings
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings["seed"])
    photos = find_photos(arguments.photos, settings["held_back"], settings["fewest_photos"])
    for name in photos.skipped:
        print(f"skipped {name}", flush=True)
    print(f"{len(photos.training)} photos to train on, {len(photos.held_back)} held back", flush=True)
    start = warm_start(settings, arguments.teacher)
    recipe = Recipe(
        teacher=sha256(arguments.teacher),
        teacher_resolution=arguments.teacher_resolution,
        inverted=arguments.task == "drawing",
        start=None if start is None else sha256(start),
        photos=tuple(photo.digest for photo in photos.training),
        stages=student_stages(settings["widths"]),
        sizes=tuple(settings["sizes"]),
        crops_per_photo=settings["crops_per_photo"],
        sharpness=settings["sharpness"],
        learning_rate=settings["learning_rate"],
        seed=settings["seed"],
        precision=settings["precision"],
        pixels_per_step=settings["pixels_per_step"],
    )
    student = Student(recipe.stages, recipe.learning_rate, device)
    begin_with(student, start)
    teacher = Teacher(load_network(arguments.teacher), recipe.teacher_resolution, recipe.inverted, device)
    crops = Crops(photos.training, recipe.crops_per_photo, teacher, recipe.seed, arguments.work / "crops")
    shown = Crops(photos.held_back, 1, teacher, recipe.seed, arguments.work / "held_back", middle_square)
    if arguments.task != "saliency":
        teacher.check_paper([crops[number] for number in range(min(PAPER_CROPS, crops.count))])
    # Every student outputs ink, even if its teacher outputs drawings.
    task = "saliency" if arguments.task == "saliency" else "portrait"
    budget = Budget(settings["steps"], settings["minutes"])
    steps, seconds, losses = train(recipe, student, crops, shown, budget, task, arguments.work, device)
    network = student.averaged()
    save_network(arguments.weights, network)
    write_json(
        arguments.record,
        {
            "task": task,
            "licence": arguments.licence,
            "weights": sha256(arguments.weights),
            "teacher": {
                "name": arguments.teacher_name,
                "sha256": sha256(arguments.teacher_checkpoint),
                "task": arguments.task,
                "resolution": arguments.teacher_resolution,
            },
            "photos": {
                "training": len(photos.training),
                "held_back": len(photos.held_back),
                "sha256": digest_of([*photos.training, *photos.held_back]),
            },
            "recipe": {key: value for key, value in asdict(recipe).items() if key not in ("teacher", "photos")},
            "steps": steps,
            "hours": round(seconds / 3600, 3),
            "losses": [round(float(part.mean()), 4) for part in np.array_split(losses, min(20, len(losses)))],
            "device": device.type,
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        },
    )


if __name__ == "__main__":
    run(main)
