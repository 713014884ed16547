"""The settings that the rules read: models, their checkpoints, limits, and arguments of scripts."""

import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.driver.checkpoint_files import digest, files_beside, is_onnx
from workflow_scripts.driver.configuration import Config, as_list
from workflow_scripts.driver.refusal import refuse
from workflow_scripts.driver.remembered import left_out, remember, remembered, was_accepted
from workflow_scripts.driver.students import teacher_of, teacher_sources, trained_students

Source = dict[str, Any]
# The resolution that a checkpoint was trained at if its source does not say. Most public ones were trained at this.
USUAL_RESOLUTION = 320
# Where the face detector is, among the page's packages.
FACE_DETECTOR = "@mediapipe/face_detection/face_detection_short_range.tflite"
# Snakemake's wildcards of a job, with one attribute for each.
Wildcards = Any
# The messages already printed. Snakemake asks for a job's parameters more than once.
SAID: set[str] = set()
CHECKOUT = Path(__file__).resolve().parents[2]


def found_here(source: Source) -> Source:
    """Return a source with paths that hold in this folder.

    The embedded weights lie in the checkout, which is another folder if another workflow uses this one as a module.
    """

    def here(key: str, value: Any) -> Any:
        lies_in_the_checkout = (
            key in ("path", "provenance") and not Path(value).exists() and (CHECKOUT / value).exists()
        )
        return str(CHECKOUT / value) if lies_in_the_checkout else value

    return {key: here(key, value) for key, value in source.items()}


def known_checkpoints(config: Config, models: list[str]) -> dict[str, Source]:
    """Return the sources in config.yaml, those of models that earlier runs made, and the source in `checkpoint`."""
    catalogue = {name: found_here(source) for name, source in config["checkpoints"].items()}
    checkpoints = {
        **catalogue,
        **{model: source for model, source in remembered().items() if model not in catalogue},
        **trained_students(catalogue),
        **teacher_sources(config, models),
    }
    if config["checkpoint"] is not None:
        if len(models) != 1:
            refuse(f"checkpoint={config['checkpoint']} needs exactly one model, not {', '.join(models)}")
        own = {"task": config["task"], "licence": config["licence"]}
        if config["own_resolution"] is not None:
            own["resolution"] = config["own_resolution"]
        known = catalogue.get(models[0], own)
        pinned: Source = {
            key: known[key] for key in ("task", "licence", "notice", "resolution", "bytes", "sha256") if key in known
        }
        key = {} if config["checkpoint_key"] is None else {"key": config["checkpoint_key"]}
        checkpoints[models[0]] = {**pinned, **key, "path": config["checkpoint"]}
    elif config["checkpoint_key"] is not None:
        refuse(f"checkpoint_key={config['checkpoint_key']} of which file? pass checkpoint=PATH too")
    for model in models:
        if model not in checkpoints:
            refuse(
                f"unknown model {model}: config.yaml knows {', '.join(checkpoints)}; "
                f"for a checkpoint of your own pass --config model={model} checkpoint=PATH"
            )
        path = checkpoints[model].get("path")
        if config["teacher"] is not None:
            # This run trains it.
            continue
        if path is not None and not Path(path).is_file():
            refuse(f"no checkpoint at {path} (model {model}); give the path of a .pth, .safetensors or .onnx file")
        if path is not None and re.search(r"[{}\n]", path):
            refuse(f"the checkpoint {path!r} (model {model}) has a brace or a line feed in its path; rename it")
    return checkpoints


def files_of(source: Source) -> list[str]:
    """Return the path of a checkpoint on this machine and the files with its weights, else an empty list."""
    return [source["path"], *map(str, files_beside(Path(source["path"])))] if "path" in source else []


@dataclass(frozen=True)
class Settings:
    """A valid configuration, in the form that the rules need. Methods with wildcards are input and params functions."""

    config: Config
    models: list[str]
    checkpoints: dict[str, Source]

    @classmethod
    def read(cls, config: Config) -> "Settings":
        """Return the settings of a configuration that `validate` has accepted. Refuse unknown models."""
        models = as_list(config["model"])
        return cls(config, models, known_checkpoints(config, models))

    @property
    def benchmark_resolutions(self) -> list[int]:
        """The resolutions that the benchmark times."""
        return [run["resolution"] for run in self.config["benchmark"]["runs"]]

    @property
    def compact(self) -> list[str]:
        """["compact"] if compact weights are asked for, else []."""
        return [dtype for dtype in self.config["dtypes"] if dtype == "compact"]

    @property
    def int8(self) -> list[str]:
        """["int8"] if .tflite files that compute in int8 are asked for, else []."""
        return [dtype for dtype in self.config["tflite_dtypes"] if dtype == "int8"]

    @property
    def timed_tflite_dtypes(self) -> list[str]:
        """The types of the .tflite files that the benchmark times: float32 and, if it is asked for, int8."""
        return ["float32", *self.int8]

    @property
    def int8_resolution(self) -> int:
        """The resolution that int8 is planned at: of those asked for, the one nearest to 512."""
        nearest: int = min(self.config["resolutions"], key=lambda side: (abs(side - 512), side))
        return nearest

    @property
    def int8_goal(self) -> float:
        """The PSNR in dB that int8 must reach on the photos that it is planned on."""
        floor: float = self.config["tolerances"]["litert-int8"]["min_drawing_psnr_db"]
        return floor + float(self.config["int8"]["margin_db"])

    @property
    def own_resolutions(self) -> dict[str, int]:
        """The resolution that each model was trained at, if it is known."""
        sources = {model: self.checkpoints[model] for model in self.models}
        return {model: source["resolution"] for model, source in sources.items() if "resolution" in source}

    def predictions_to_compare(self) -> list[str]:
        """Return PyTorch's predictions at every resolution asked for and, if known, at each model's own."""
        own = self.own_resolutions
        return [
            f"results/{model}/{resolution}/predictions/torch.safetensors"
            for model in self.models
            for resolution in sorted({*self.config["resolutions"], *([own[model]] if model in own else [])})
        ]

    def task(self, wildcards: Wildcards) -> str:
        """Return what a model draws: portrait or saliency."""
        task: str = self.checkpoints[wildcards.model]["task"]
        return task

    @property
    def tolerances(self) -> str:
        """The limits of the parity checks, as JSON."""
        return json.dumps(self.config["tolerances"], sort_keys=True)

    @property
    def run_dtypes(self) -> list[str]:
        """The weight types of the TensorFlow.js models that are proven: float32, which is run, and those asked for."""
        return ["float32", *(dtype for dtype in self.config["dtypes"] if dtype != "float32")]

    @property
    def compact_floor(self) -> float:
        """The PSNR in dB that compact weights must reach."""
        floor: float = self.config["tolerances"]["tfjs-compact"]["min_drawing_psnr_db"]
        return floor

    def licence_terms(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell a script a model's licence and the notice to show with it."""
        source = self.checkpoints[wildcards.model]
        return [f"--{key}={source[key]}" for key in ("licence", "notice") if key in source]

    def provenance(self, wildcards: Wildcards) -> list[str]:
        """Return the record of how a model was trained if there is one, else an empty list."""
        source = self.checkpoints[wildcards.model]
        return [source["provenance"]] if "provenance" in source else []

    def local_checkpoint(self, wildcards: Wildcards) -> list[str]:
        """Return the checkpoint's path and the files with its weights, if it is on this machine. Else return []."""
        return files_of(self.checkpoints[wildcards.model])

    def is_asked_for(self, wildcards: Wildcards) -> bool:
        """Return whether this run names the model."""
        return wildcards.model in self.models

    def remember_sources(self) -> None:
        """Write down where the models of this run came from, for later runs that do not name them."""
        for model in filter(was_accepted, self.models):
            source = self.checkpoints[model]
            content = [digest(Path(path)) for path in files_of(source)]
            remember(model, {**source, "content": content} if content else source)

    def checkpoint_source(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell fetch_checkpoint where a checkpoint is, and its size and digest."""
        source = self.checkpoints[wildcards.model]
        keys = ("path", "package", "file", "drive", "bytes", "sha256")
        # Write each option and its value as one word, because a path may begin with a dash.
        return [f"--{key}={source[key]}" for key in keys if key in source]

    def checkpoint_content(self, wildcards: Wildcards) -> list[str]:
        """Return the digests of a checkpoint on this machine, because its date may not show a change.

        Other checkpoints are pinned. A model that this run does not name has its remembered digests, so that it is not
        fetched again.
        """
        source = self.checkpoints[wildcards.model]
        if not self.is_asked_for(wildcards) and "content" in source:
            return list(source["content"])
        return [digest(Path(path)) for path in files_of(source)]

    def is_function(self, model: str) -> bool:
        """Return whether a checkpoint is an ONNX file, which can be run. A downloaded checkpoint is a state dict."""
        source = self.checkpoints[model]
        if "path" in source:
            return is_onnx(Path(source["path"]))
        return Path(source.get("file", "")).suffix.lower() == ".onnx"

    def checkpoint_reading(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell read_checkpoint what to expect, which network to take, and the user's path."""
        source = self.checkpoints[wildcards.model]
        kind = "onnx" if self.is_function(wildcards.model) else "weights"
        key = [f"--key={source['key']}"] if "key" in source else []
        origin = [f"--origin={source['path']}"] if "path" in source else []
        return [f"--kind={kind}", *key, *origin]

    def function_evidence(self, wildcards: Wildcards) -> list[str]:
        """Return the files that show that the network computes what the user's ONNX file does.

        For a state dict the list is empty.
        """
        if not self.is_function(wildcards.model):
            return []
        folder = f"results/{wildcards.model}/checkpoint"
        return [
            f"{folder}/predictions/checkpoint.safetensors",
            f"{folder}/predictions/torch.safetensors",
            f"{folder}/source.json",
        ]

    def function_probes(self, wildcards: Wildcards) -> list[str]:
        """Return the inputs that the user's ONNX file predicted on. For a state dict the list is empty."""
        folder = f"results/{wildcards.model}/checkpoint"
        return [f"{folder}/probes.safetensors"] if self.is_function(wildcards.model) else []

    @property
    def students(self) -> list[str]:
        """The model to train. Refuse if no teacher is named."""
        self.needed("teacher", "path/to/teacher.pth, or a name of the catalogue")
        return self.models

    def teacher(self, wildcards: Wildcards) -> str:
        """Return the name that a student's teacher has as a model of its own."""
        self.needed("teacher", "path/to/teacher.pth, or a name of the catalogue")
        return str(teacher_of(self.config, self.models))

    def teacher_checkpoint(self, wildcards: Wildcards) -> str:
        """Return the checkpoint that the teacher was read from."""
        return f"results/{self.teacher(wildcards)}/checkpoint/original"

    def teacher_weights(self, wildcards: Wildcards) -> str:
        """Return the teacher's weights, as read_checkpoint wrote them."""
        return f"results/{self.teacher(wildcards)}/checkpoint/weights.safetensors"

    def device_reports(self, wildcards: Wildcards) -> list[str]:
        """Return the JSON files in the folder `devices`. Refuse a folder without any."""
        folder = Path(self.needed("devices", "path/to/files"))
        found = sorted(map(str, folder.glob("*.json")))
        if not found:
            refuse(f"no .json file in {folder}; save some on the site's devices.html and put them there")
        return found

    def photos(self, wildcards: Wildcards) -> str:
        """Return the folder of photos to train on or to draw."""
        return self.needed("photos", "path/to/photos")

    def training_arguments(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell train_student what its teacher is and how to train."""
        name = self.teacher(wildcards)
        source = self.checkpoints[name]
        return [
            f"--teacher-name={name}",
            f"--teacher-resolution={source.get('resolution', USUAL_RESOLUTION)}",
            f"--task={source['task']}",
            f"--licence={self.config['licence']}",
            f"--settings={json.dumps(self.config['distil'], sort_keys=True)}",
        ]

    def site_models(self) -> list[str]:
        """Return the models asked for and those that earlier runs shared: building a model adds it to the site."""
        shared = (path.parts[1] for path in Path("results").glob("*/shared/entry.json"))
        return sorted({*self.models, *(model for model in shared if model in self.checkpoints)})

    def built_site(self, wildcards: Wildcards) -> str:
        """Return the site that an earlier run built, without building anything. Refuse if no run has built a site."""
        if not Path("results/site/index.html").is_file():
            refuse("there is no site in results/site yet; build it with: snakemake site")
        return "results/site"

    def built_manifests(self, wildcards: Wildcards) -> list[str]:
        """Return the manifests of all models and resolutions that earlier runs built. Refuse if nothing was built."""
        # A model's name begins with one of these characters.
        found = sorted(map(str, Path("results").glob("[A-Za-z0-9]*/[1-9]*/manifest.json")))
        if not found:
            refuse("there is no manifest in results/ yet; build one with: snakemake all")
        return found

    def named_checkpoints(self, wildcards: Wildcards) -> list[str]:
        """Return MODEL=PATH for each model of this run whose checkpoint is a file on this machine."""
        sources = {model: self.checkpoints[model] for model in self.models}
        return [f"{model}={source['path']}" for model, source in sources.items() if "path" in source]

    def say_what_leaves(self, wildcards: Wildcards) -> str:
        """Print on standard error which models the site loses and why. The returned argument is empty."""
        for model in left_out(self.site_models()):
            if model in self.checkpoints:
                why, how = f"results/{model}/shared is gone", f"--config model={model}"
            else:
                why, how = "nothing says where its checkpoint came from", f"--config model={model} checkpoint=PATH"
            line = f"The site will no longer offer {model}: {why}. To keep it, build the site again: {how}"
            if line not in SAID:
                SAID.add(line)
                print(line, file=sys.stderr)
        return ""

    def site_with(self, wildcards: Wildcards) -> str:
        """Return the site. Refuse if it will not hold what is asked for, before hours are spent on building it."""
        resolutions = self.config["resolutions"]
        key = "tflite_dtypes" if wildcards.backend.startswith("litert-") else "dtypes"
        if int(wildcards.resolution) not in resolutions:
            sizes = ",".join(map(str, sorted({*resolutions, int(wildcards.resolution)})))
            refuse(f"the site is built without resolution {wildcards.resolution}; pass --config resolutions=[{sizes}]")
        if "float32" not in self.config[key]:
            dtypes = ",".join(["float32", *self.config[key]])
            refuse(f"the site is built without float32 weights; pass --config {key}=[{dtypes}]")
        if wildcards.model not in self.site_models():
            refuse(f"the site is built without {wildcards.model}; pass --config model={wildcards.model}")
        return "results/site"

    def browser_backends(self) -> list[str]:
        """Return the backends on which the page is compared with PyTorch.

        LiteRT's are among them only if its float32 models are built.
        """
        litert = ["litert-wasm", "litert-webgpu"] if "float32" in self.config["tflite_dtypes"] else []
        return ["wasm", "webgl", "webgpu", *litert]

    def rebuilt_config(self) -> str:
        """Return the configuration of verify_reproducible's copies as JSON, with one resolution and absolute paths."""
        checkpoints = {
            name: {
                key: str(Path(value).resolve()) if key in ("path", "provenance") else value
                for key, value in source.items()
            }
            for name, source in self.checkpoints.items()
            if name in self.models or name in self.config["checkpoints"]
        }
        changed = {"resolutions": self.config["resolutions"][:1], "checkpoints": checkpoints}
        changed |= {"checkpoint": None, "teacher": None, "photos": None, "devices": None}
        return json.dumps({**self.config, **changed}, sort_keys=True)

    def rebuilt_targets(self, wildcards: Wildcards) -> list[str]:
        """Return what a copy of verify_reproducible builds.

        The first two copies build everything. In the third, the tools choose as on another processor, which changes the
        last digits of what they predict. So it builds only artifacts, and no compact or int8 weights, because the
        search for those depends on predictions.
        """
        if wildcards.twin != "third":
            return ["all", "site"]
        names = ["onnx/model.onnx", "ir/model.xml", "frozen/model.pb", "optimized/model.pb"]
        names += [f"tfjs/{dtype}" for dtype in self.config["dtypes"] if dtype != "compact"]
        names += [f"tflite/{dtype}.tflite" for dtype in self.config["tflite_dtypes"] if dtype != "int8"]
        return [f"results/{model}/{self.config['resolutions'][0]}/{name}" for model in self.models for name in names]

    def needed(self, key: str, example: str) -> str:
        """Return a value that a rule needs. If it is missing, refuse before anything is built."""
        if self.config[key] is None:
            refuse(f"which {key}? pass --config {key}={example}")
        value: str = self.config[key]
        return value

    def own_resolution(self, wildcards: Wildcards) -> int:
        """Return the resolution that a model was trained at, where it draws best."""
        own: int = self.checkpoints[wildcards.model].get("resolution", USUAL_RESOLUTION)
        return own

    def best_resolution(self, wildcards: Wildcards) -> int:
        """Return the configured resolution nearest to a model's own."""
        own = self.own_resolution(wildcards)
        nearest: int = min(self.config["resolutions"], key=lambda resolution: abs(resolution - own))
        return nearest

    def drawn_at(self, artifact: str) -> Callable[[Wildcards], str]:
        """Return an input function that gives a model's artifact at its best resolution."""
        return lambda wildcards: f"results/{wildcards.model}/{self.best_resolution(wildcards)}/{artifact}"

    def photos_to_draw(self, wildcards: Wildcards) -> str:
        """Return the argument that names the folder of photos.

        Refuse a folder that does not exist, and one whose pictures would include the drawings.
        """
        folder = Path(self.photos(wildcards))
        if not folder.is_dir():
            refuse(f"no folder of photos at {folder}; give the path of one")
        place, drawings = folder.resolve(), Path("results", wildcards.model, "drawings").resolve()
        if drawings.is_relative_to(place) or place.is_relative_to(drawings):
            refuse(f"photos={folder} would draw its own drawings in {drawings}; give a folder apart from them")
        # Write option and value as one word, because a path may begin with a dash.
        return f"--photos={folder}"

    def packages_for_faces(self, wildcards: Wildcards) -> list[str]:
        """Return the stamp of the page's packages if only faces are to be drawn. Masks are of whole photos."""
        wanted = self.config["faces"] and self.checkpoints[wildcards.model]["task"] != "saliency"
        return ["web/node_modules/.package-lock.json"] if wanted else []

    def face_arguments(self, wildcards: Wildcards, input: Any) -> list[str]:
        """Return the argument that names the face detector if only faces are to be drawn."""
        return [f"--faces={Path(stamp).parent / FACE_DETECTOR}" for stamp in input.get("packages", [])]

    def photos_seen(self, wildcards: Wildcards) -> str:
        """Return a digest of the photos' names, sizes and dates."""
        seen = hashlib.sha256()
        for path in sorted(Path(self.photos(wildcards)).rglob("*")):
            if path.is_file():
                seen.update(
                    f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode(errors="surrogateescape")
                )
        return seen.hexdigest()

    def site_to_publish(self, wildcards: Wildcards) -> str:
        """Return the site. Refuse if no bucket is named."""
        self.needed("bucket", "s3://name/prefix")
        return "results/site"

    def bucket_arguments(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell a script the bucket and its server."""
        endpoint = ["--endpoint", self.config["endpoint"]] if self.config["endpoint"] else []
        return ["--bucket", self.needed("bucket", "s3://name/prefix"), *endpoint]

    def release_arguments(self, wildcards: Wildcards) -> list[str]:
        """Return the arguments that tell verify_release what to check."""
        digest = ["--sha256", self.config["release_sha256"]] if self.config["release_sha256"] else []
        endpoint = ["--endpoint", self.config["endpoint"]] if self.config["endpoint"] else []
        key = [f"--public-key={self.key_file('public_key')}"] if self.config["public_key"] else []
        copy = [f"--copy={self.config['release_copy']}"] if self.config["release_copy"] else []
        return [
            f"--release={self.needed('release', 'https://example.org/portraits')}",
            *(*digest, *endpoint, *key, *copy),
        ]

    def signing_arguments(self, wildcards: Wildcards) -> list[str]:
        """Return the argument that tells publish which key to sign with, else an empty list."""
        return [f"--signing-key={self.key_file('signing_key')}"] if self.config["signing_key"] else []

    def key_file(self, key: str) -> str:
        """Return the path of a key. Refuse a missing one, before anything is built."""
        path: str = self.config[key]
        if not Path(path).is_file():
            refuse(f"no key at {path} ({key}); docs/publish.md says how to make a pair")
        return path
