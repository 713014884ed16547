"""Remember where the checkpoint of each built model came from, for later runs that do not name it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The same pattern as in config.schema.yaml. Anything else in results/ is not a model.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PLACE = "checkpoint/remembered.json"


def was_accepted(model: str) -> bool:
    """Return whether a model has a checkpoint. A run that built something else may not have fetched it."""
    return Path("results", model, PLACE).with_name("original").is_file()


def remember(model: str, source: Mapping[str, Any]) -> None:
    """Write a model's source beside its checkpoint, in the form of `checkpoints` in config.yaml."""
    path = Path("results", model, PLACE)
    staging = path.with_name(".remembered.json.partial")
    staging.write_text(json.dumps(dict(source), indent=2, sort_keys=True) + "\n")
    staging.replace(path)


def remembered() -> dict[str, dict[str, Any]]:
    """Return the sources of the models that earlier runs built. A source that cannot be read is left out."""
    found = {}
    for path in sorted(Path("results").glob(f"*/{PLACE}")):
        model = path.parts[1]
        try:
            source = json.loads(path.read_text())
        except ValueError:
            continue
        if NAME.fullmatch(model) and isinstance(source, dict) and {"task", "licence"} <= source.keys():
            found[model] = source
    return found


def left_out(models: list[str]) -> list[str]:
    """Return the models that the present site has and that a site of `models` will not have."""
    try:
        catalogue = json.loads(Path("results/site/catalogue.json").read_text())
        offered = [str(model["name"]) for model in catalogue["models"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted({*offered} - {*models})
