"""Names that a user gives and names of the workflow's own never meet.

A model's files lie in results/{model}/. The workflow's own folders in results/ begin with an underscore, with which no
model's name begins (config.schema.yaml). What else the rules write there is read off the rules themselves.
"""

from collections.abc import Iterable
from pathlib import PurePath

from workflow_scripts.driver.refusal import refuse

RESULTS = "results"


def taken_by(outputs: Iterable[str]) -> set[str]:
    """Return the names directly in results/ that outputs of rules have, without those of wildcards."""
    paths = [PurePath(output).parts for output in outputs]
    names = {parts[parts.index(RESULTS) + 1] for parts in paths if RESULTS in parts[:-1]}
    return {name for name in names if "{" not in name}


def refuse_taken(models: Iterable[str], taken: Iterable[str]) -> None:
    """Refuse a model with one of the names `taken`. Upper and lower case count as one: on some disks they are."""
    folded = {name.casefold() for name in taken}
    for model in models:
        if model.casefold() in folded:
            refuse(f"a model may not be named {model}: the workflow has files of that name; choose another name")
