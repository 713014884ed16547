"""The configuration from --config and from config files, checked against config.schema.yaml."""

import difflib
import itertools
import math
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from workflow_scripts.driver.refusal import refuse

Config = dict[str, Any]

# Limits that no real configuration reaches. References in YAML can turn a small file into a huge configuration.
DEEPEST = 10
MOST_VALUES = 1_000_000
# Longer values are cut in messages.
SHOWN_CHARACTERS = 300
NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?|null")
LISTS = ("resolutions", "dtypes", "tflite_dtypes", "cors_origins")


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and a single value as a list of one."""
    return value if isinstance(value, list) else [value]


def complete(config: Config, defaults: Path) -> None:
    """Add the missing keys of a configuration from config.yaml, in place. A module's configuration has only changes."""

    def add(given: Config, default: Config) -> None:
        for key, value in default.items():
            if isinstance(value, dict) and isinstance(given.get(key), dict):
                add(given[key], value)
            else:
                given.setdefault(key, value)

    add(config, yaml.safe_load(defaults.read_text()))


def as_numbers(value: Any, deepest: int = 3) -> Any:
    """Return a nested value with its texts of numbers and null as what they say. Below `deepest` it stays as it is."""
    if isinstance(value, dict) and deepest:
        return {key: as_numbers(nested, deepest - 1) for key, nested in value.items()}
    if isinstance(value, list) and deepest:
        return [as_numbers(nested, deepest - 1) for nested in value]
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return yaml.safe_load(value)
    return value


def normalise(config: Config) -> None:
    """Convert values from the command line to their types, in place.

    Snakemake reads a list or a boolean given with --config as text, and numbers in a mapping. A list of one value needs
    no brackets.
    """
    # First, because a text of such a configuration may take all memory.
    check_extent(config)
    for key in LISTS:
        config[key] = as_list(config[key])
    config["resolutions"] = [int(r) if str(r).isdecimal() else r for r in config["resolutions"]]
    # Snakemake reads a folder that is named after a year as a number.
    config["photos"] = config["photos"] if config["photos"] is None else str(config["photos"])
    config["distil"] = as_numbers(config["distil"])
    for key in ("faces", "prune"):
        config[key] = {"true": True, "false": False}.get(str(config[key]), config[key])


def check_extent(config: Config) -> None:
    """Refuse a configuration that is larger or more deeply nested than any real one."""
    values: list[Any] = [config]
    for _ in range(DEEPEST):
        nested = (
            value.values() if isinstance(value, dict) else value for value in values if isinstance(value, dict | list)
        )
        values = list(itertools.islice(itertools.chain.from_iterable(nested), MOST_VALUES + 1))
        if len(values) > MOST_VALUES:
            refuse(f"the configuration has more than {MOST_VALUES} values; does it refer to itself?")
    if values:
        refuse(f"the configuration is nested more than {DEEPEST} deep; does it refer to itself?")


def problem_of(error: jsonschema.ValidationError) -> str:
    """Return one line that says what is wrong, under which key, and what the value may be."""
    place = ".".join(str(part) for part in error.absolute_path) or "the top level"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema["properties"])
        for key in sorted(set(map(str, error.instance)) - set(known)):
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            return f"unknown config key {key} at {place}; {hint}"
    meaning = error.schema.get("description", "")
    problem = error.message if len(error.message) <= SHOWN_CHARACTERS else f"{error.message[:SHOWN_CHARACTERS]} …"
    return f"config {place}: {problem}" + (f" ({meaning.rstrip('.')})" if meaning else "")


def validate(config: Config, schema: Path) -> None:
    """Refuse a configuration that does not fit the schema.

    The schema's numbers are those of JSON: NaN and infinity are not numbers, and 64.0 is not an integer.
    """
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    types = types.redefine("number", lambda _, value: type(value) in (int, float) and math.isfinite(value))
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    errors = list(validator(yaml.safe_load(schema.read_text())).iter_errors(config))
    if errors:
        refuse(problem_of(jsonschema.exceptions.best_match(errors)))
