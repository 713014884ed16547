# What the stages share: the Python they run on, the validated configuration, the wildcards' values, the memory limit.

import difflib
import itertools
import json
import math
import re
import sys
from pathlib import Path

import jsonschema
import psutil
import snakemake
import yaml


def refuse(problem):
    """Stop before anything runs, with one line and no traceback."""
    sys.exit(f"Error: {problem}")


if sys.version_info[:2] != (3, 11):
    refuse(
        f"Python 3.11 is needed, as the converters' locked versions are, and this is {sys.version.split()[0]}; "
        "install it (uv python install 3.11), make a virtual environment with it, and in that one run "
        "pip install -r requirements.txt again"
    )


def config_problem(error):
    """One line on what is wrong with the configuration, where, and what it may be."""
    place = ".".join(str(part) for part in error.absolute_path) or "the top level"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema["properties"])
        for key in sorted(set(map(str, error.instance)) - set(known)):
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            return f"unknown config key {key} at {place}; {hint}"
    meaning = error.schema.get("description", "")
    problem = error.message if len(error.message) <= 300 else f"{error.message[:300]} …"
    return f"config {place}: {problem}" + (f" ({meaning.rstrip('.')})" if meaning else "")


def check_extent(values, deepest=10, most=1_000_000):
    """Stop where the configuration is larger than any use of it: references in YAML make much of little."""
    for _ in range(deepest):
        nested = (
            value.values() if isinstance(value, dict) else value for value in values if isinstance(value, (dict, list))
        )
        values = list(itertools.islice(itertools.chain.from_iterable(nested), most + 1))
        if len(values) > most:
            refuse(f"the configuration has more than {most} values; does it refer to itself?")
    if values:
        refuse(f"the configuration is nested more than {deepest} deep; does it refer to itself?")


def validate_config(schema):
    """Stop unless the configuration fits the schema, whose numbers are JSON's: not NaN, no infinity, 64.0 no integer."""
    check_extent([config])
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    types = types.redefine("number", lambda _, value: type(value) in (int, float) and math.isfinite(value))
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    errors = list(validator(schema).iter_errors(config))
    if errors:
        refuse(config_problem(jsonschema.exceptions.best_match(errors)))


def as_list(value):
    """A single value is a list of one."""
    return value if isinstance(value, list) else [value]


def known_checkpoints():
    """The catalogue of config.yaml, with `checkpoint` as the source of the one model asked for."""
    checkpoints = dict(config["checkpoints"])
    if config["checkpoint"] is not None:
        if len(MODELS) != 1:
            refuse(f"checkpoint={config['checkpoint']} needs exactly one model, not {', '.join(MODELS)}")
        known = checkpoints.get(MODELS[0], {"task": config["task"], "licence": config["licence"]})
        pinned = {key: known[key] for key in ("task", "licence", "notice", "bytes", "sha256") if key in known}
        checkpoints[MODELS[0]] = {**pinned, "path": config["checkpoint"]}
    for model in MODELS:
        if model not in checkpoints:
            refuse(
                f"unknown model {model}: config.yaml knows {', '.join(checkpoints)}; "
                f"for a checkpoint of your own pass --config model={model} checkpoint=PATH"
            )
        path = checkpoints[model].get("path")
        if path is not None and not Path(path).is_file():
            refuse(f"no checkpoint at {path} (model {model}); give the path of a .pth or .onnx file")
        if path is not None and re.search(r"[{}\n]", path):
            refuse(f"the checkpoint {path!r} (model {model}) has a brace or a line feed in its path; rename it")
    return checkpoints


def tolerances(wildcards):
    """The parity limits of each hop, a model's own over the default ones."""
    limits = config["tolerances"]
    return json.dumps({**limits["default"], **limits.get(wildcards.model, {})}, sort_keys=True)


def compact_floor(wildcards):
    """The PSNR in dB that compact weights must hold, by the parity limits."""
    return json.loads(tolerances(wildcards))["tfjs-compact"]["min_drawing_psnr_db"]


def licence_terms(wildcards):
    """The arguments that tell write_manifest a model's licence, and what to say beside it."""
    source = CHECKPOINTS[wildcards.model]
    return [f"--{key}={source[key]}" for key in ("licence", "notice") if key in source]


def checkpoint_file(wildcards):
    """The checkpoint, where it is a file of this machine."""
    source = CHECKPOINTS[wildcards.model]
    return local(source["path"]) if "path" in source else []


def checkpoint_source(wildcards):
    """The arguments that tell fetch_checkpoint where a model's checkpoint is and what it must be."""
    source = CHECKPOINTS[wildcards.model]
    # In one word each: a path may begin with a dash.
    return [
        f"--{key}={source[key]}" for key in ("path", "package", "file", "drive", "bytes", "sha256") if key in source
    ]


def checkpoint_format(wildcards):
    """How read_checkpoint is to read the fetched file, whose own name is gone: pth or onnx."""
    source = CHECKPOINTS[wildcards.model]
    name = source["path"] if "path" in source else source.get("file", "")
    return "onnx" if Path(name).suffix == ".onnx" else "pth"


def site_models():
    """The models asked for, and those that an earlier run shared: building another adds it."""
    shared = glob_wildcards("results/{model}/shared/entry.json").model
    return sorted({*MODELS, *(model for model in shared if model in CHECKPOINTS)})


def site_with(wildcards):
    """The site, where it holds what is asked for; found out before hours are spent on one that does not."""
    resolutions = config["resolutions"]
    key = "tflite_dtypes" if wildcards.backend.startswith("litert-") else "dtypes"
    if int(wildcards.resolution) not in resolutions:
        sizes = ",".join(map(str, sorted({*resolutions, int(wildcards.resolution)})))
        refuse(f"the site is built without resolution {wildcards.resolution}; pass --config resolutions=[{sizes}]")
    if "float32" not in config[key]:
        dtypes = ",".join(["float32", *config[key]])
        refuse(f"the site is built without float32 weights; pass --config {key}=[{dtypes}]")
    if wildcards.model not in site_models():
        refuse(f"the site is built without {wildcards.model}; pass --config model={wildcards.model}")
    return "results/site"


def browser_backends():
    """The backends on which the page is compared with PyTorch: LiteRT's where the site has its float32 models."""
    litert = ["litert-wasm", "litert-webgpu"] if "float32" in config["tflite_dtypes"] else []
    return ["wasm", "webgl", "webgpu", *litert]


def rebuilt_config():
    """The configuration of verify_reproducible's copies: one resolution, paths that hold in any folder."""
    checkpoints = {
        name: {**source, "path": str(Path(source["path"]).resolve())} if "path" in source else source
        for name, source in CHECKPOINTS.items()
    }
    changed = {"resolutions": config["resolutions"][:1], "checkpoints": checkpoints, "checkpoint": None}
    return json.dumps({**config, **changed}, sort_keys=True)


def needed(key, example):
    """A config value without which a rule cannot begin, found out before anything is built."""
    if config[key] is None:
        refuse(f"which {key}? pass --config {key}={example}")
    return config[key]


def site_to_publish(wildcards):
    """The site, where it is said where to."""
    needed("bucket", "s3://name/prefix")
    return "results/site"


def bucket_arguments(wildcards):
    """The arguments that tell a script which bucket, at which server."""
    endpoint = ["--endpoint", config["endpoint"]] if config["endpoint"] else []
    return ["--bucket", needed("bucket", "s3://name/prefix"), *endpoint]


def release_arguments(wildcards):
    """The arguments that tell verify_release what to check."""
    digest = ["--sha256", config["release_sha256"]] if config["release_sha256"] else []
    return [f"--release={needed('release', 'https://example.org/portraits')}", *digest]


def page_sources():
    """Every file that the page is built from."""
    names = ["index.html", "package.json", "tsconfig.json", "tsconfig.worker.json", "vite.config.ts"]
    sources = [path for path in Path("web/src").rglob("*") if path.is_file() and ".test." not in path.name]
    return [f"web/{name}" for name in names] + sorted(map(str, sources))


def benchmark_page_sources():
    """Every file that the benchmark's page is built from; it sets TensorFlow.js up as the site's page does."""
    sources = [path for path in Path("web/benchmark").rglob("*") if path.is_file()]
    return page_sources() + ["web/tsconfig.benchmark.json", "web/vite.benchmark.config.ts"] + sorted(map(str, sources))


# What --config gives is a text inside of a list, and so is true; a single value needs no brackets.
config["resolutions"] = [int(r) if str(r).isdecimal() else r for r in as_list(config["resolutions"])]
config["dtypes"] = as_list(config["dtypes"])
config["tflite_dtypes"] = as_list(config["tflite_dtypes"])
config["cors_origins"] = as_list(config["cors_origins"])
config["prune"] = {"true": True, "false": False}.get(str(config["prune"]), config["prune"])
validate_config(yaml.safe_load(Path(workflow.basedir, "config.schema.yaml").read_text()))

MODELS = as_list(config["model"])
CHECKPOINTS = known_checkpoints()
BENCHMARK_RESOLUTIONS = [run["resolution"] for run in config["benchmark"]["runs"]]

# Jobs side by side must fit the machine: each rule's mem_mb is the peak measured for the full-size network at 1024,
# the worst case, and a quarter more. A limit given with --resources comes first, and a cluster's nodes have their own.
if workflow.is_main_process and workflow.local_exec and "mem_mb" not in workflow.global_resources:
    workflow.register_resource("mem_mb", int(0.9 * psutil.virtual_memory().total / 2**20))


ENVIRONMENTS = ["torch", "onnx", "tensorflow", "litert", "provenance", "publish"]

# What the site is made with, a lock file each, under the names that their bills of materials bear.
BILLS = {
    "driver": "requirements.txt",
    **{environment: f"envs/{environment}.txt" for environment in ENVIRONMENTS},
    "node": "envs/node/requirements.txt",
    "node-packages": "envs/node/package-lock.json",
    "page-packages": "web/package-lock.json",
}


wildcard_constraints:
    model="|".join(CHECKPOINTS),
    resolution="[1-9][0-9]*",
    dtype="float32|float16|uint16|uint8|compact",
    tflite_dtype="float32|float16",
    graph="frozen|optimized",
    environment="|".join([*ENVIRONMENTS, "fuzz"]),
