"""Students: models that the `distil` stage trains. After training, a student is a checkpoint like any other."""

import json
import re
from pathlib import Path
from typing import Any

from workflow_scripts.driver.configuration import Config
from workflow_scripts.driver.refusal import refuse

Source = dict[str, Any]


def student_source(model: str, known: Source) -> Source:
    """Return where a student's checkpoint is or will be, with everything known about it.

    The path is absolute. A relative path would equal the output of train_student, which would then run again.
    """
    known = {key: known[key] for key in ("task", "licence", "resolution") if key in known}
    folder = Path(f"results/{model}/distil").resolve()
    return {**known, "path": str(folder / "student.safetensors"), "provenance": str(folder / "student.json")}


def trained_students(catalogue: dict[str, Source]) -> dict[str, Source]:
    """Return the students that earlier runs trained in this folder, except those whose name is in the catalogue."""
    found: dict[str, Source] = {}
    for record in sorted(Path("results").glob("*/distil/student.json")):
        model = record.parts[1]
        if model in catalogue:
            continue
        try:
            content = json.loads(record.read_text())
            known = {
                "task": content["task"],
                "licence": content["licence"],
                "resolution": content["teacher"]["resolution"],
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            refuse(f"{record} is not a record of a student ({type(error).__name__}); delete it and train {model} again")
        found[model] = student_source(model, known)
    return found


def teacher_of(config: Config, models: list[str]) -> str | None:
    """Return the name that the teacher has as a model, or None if nothing is to be trained.

    Refuse a teacher or student that cannot be used.
    """
    if config["teacher"] is None:
        return None
    if len(models) != 1 or models[0] in config["checkpoints"]:
        refuse(
            f"teacher={config['teacher']} needs one new model to train, and {', '.join(models)} "
            f"{'are several' if len(models) > 1 else 'is in the catalogue'}; pass --config model=NAME"
        )
    if config["checkpoint"] is not None:
        refuse("a model is either trained or brought: pass teacher=… or checkpoint=…, not both")
    if config["photos"] is None:
        refuse("which photos? pass --config photos=PATH, a folder of photos to train on")
    if not Path(config["photos"]).is_dir():
        refuse(f"there is no folder of photos at {config['photos']}; give the path of one with photos=PATH")
    if re.search(r"[{}\n]", config["photos"]):
        refuse(f"the folder of photos {config['photos']!r} has a brace or a line feed in its path; rename it")
    return config["teacher"] if config["teacher"] in config["checkpoints"] else f"{models[0]}-teacher"


def teacher_sources(config: Config, models: list[str]) -> dict[str, Source]:
    """Return the sources of the student to train and, if the catalogue does not have it, of its teacher."""
    teacher = teacher_of(config, models)
    if teacher is None:
        return {}
    own = {"task": config["task"], "licence": config["licence"], "path": config["teacher"]}
    if config["own_resolution"] is not None:
        own["resolution"] = config["own_resolution"]
    source = config["checkpoints"].get(teacher, own)
    if source is own and not Path(own["path"]).is_file():
        refuse(
            f"no teacher at {own['path']}; give the path of its checkpoint, "
            f"or one of the catalogue: {', '.join(config['checkpoints'])}"
        )
    task = "saliency" if source["task"] == "saliency" else "portrait"
    student = student_source(models[0], {**source, "task": task, "licence": config["licence"]})
    return {teacher: source, models[0]: student}
