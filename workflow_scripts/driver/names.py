"""A model's name never equals a name that the workflow itself uses.

A model's files are in results/{model}/. The workflow's own folders in results/ begin with an underscore, and a model's
name may not (config.schema.yaml). The other names in results/ are taken from the rules themselves.
"""

from collections.abc import Iterable
from pathlib import PurePath

from workflow_scripts.driver.refusal import refuse

RESULTS = "results"


def taken_by(outputs: Iterable[str]) -> set[str]:
    """Return the names directly in results/ that rules write, without names that are wildcards."""
    paths = [PurePath(output).parts for output in outputs]
    names = {parts[parts.index(RESULTS) + 1] for parts in paths if RESULTS in parts[:-1]}
    return {name for name in names if "{" not in name}


def refuse_taken(models: Iterable[str], taken: Iterable[str]) -> None:
    """Refuse a model whose name is in `taken`. Upper and lower case count as equal, because on some disks they are."""
    folded = {name.casefold() for name in taken}
    for model in models:
        if model.casefold() in folded:
            refuse(f"a model may not be named {model}: the workflow has files of that name; choose another name")
